"""Run folders of either kind, or of a whole grid, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from didact._core.errors import RunFolderError
from didact.report.comparing.learnt import compare_learnt
from didact.report.distilling.compare import Comparison, compare_distilled
from didact.report.learning.load import is_learning_run
from didact.train.record.run_folder import GRID, RESULT, SETTINGS, read_toml


def compare(
    folders: Sequence[Path], *, metric: str | None = None, arm: str | None = None
) -> Comparison:
    """Read the runs and test each against the first.

    Runs with the same seeds are paired, seed by seed; others are compared with Welch's test.
    Several p-values are corrected by Holm's method beside being shown as they are.

    Args:
        folders: Run folders of ``didact distill`` or of ``didact learn``, or folders that hold
            some, such as a grid's.
        metric: Of distill a key of ``arms`` in ``result.json``, such as ``"nll"``, by default what
            the first run is judged by; of learn ``"average_incremental"`` (the default),
            ``"last"``, ``"forgetting"`` or ``"backward_transfer"``.
        arm: ``"teacher"``, ``"alone"`` or ``"distilled"`` (the default); of learn a method.

    Raises:
        RunFolderError: Fewer than two runs, one that is not a finished run, runs on different data
            or of different kinds, or a run without that metric.
        UnknownNameError: An unknown metric, arm or method.
    """
    runs = [run for folder in folders for run in _runs_in(folder)]
    learnt = [is_learning_run(run) for run in runs]
    if all(learnt) and runs:
        return compare_learnt(runs, metric, arm)
    if any(learnt):
        other = runs[learnt.index(not learnt[0])]
        raise RunFolderError(
            f"{runs[0]} and {other} are of different kinds, distill and learn; compare one kind"
        )
    return compare_distilled(runs, metric=metric, arm=arm or "distilled")


def _runs_in(folder: Path) -> list[Path]:
    """The folder itself, or the finished runs right below it."""
    if (folder / SETTINGS).is_file() or (folder / RESULT).is_file() or not folder.is_dir():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{RESULT}"))
    if (folder / GRID).is_file():  # in the order of its axes: the first one is the baseline
        order = [str(name) for name in read_toml(folder / GRID).get("cells", ())]
        found.sort(key=lambda run: order.index(run.name) if run.name in order else len(order))
    return found or [folder]
