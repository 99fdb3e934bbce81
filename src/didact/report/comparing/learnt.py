"""Runs of ``didact learn`` side by side: how each method of each differs from the first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from didact._core.errors import RunFolderError
from didact._core.lookup import choose
from didact.report.distilling.compare import (
    Comparison,
    compared,
    corrected,
    names_of,
)
from didact.report.distilling.evidence import Measure
from didact.report.learning.load import load_outcome
from didact.train.record.result import LearnOutcome

MEASURES = {
    measure.key: measure
    for measure in (
        Measure("average_incremental", "Average accuracy, %", "Average, %", 100, 2, True),
        Measure("last", "Accuracy at the end, %", "Last, %", 100, 2, True),
        Measure("last_class_balanced", "Class-balanced accuracy, %", "Balanced, %", 100, 2, True),
        Measure("last_worst_class", "Accuracy of the worst class, %", "Worst, %", 100, 2, True),
        Measure("last_task_aware", "Accuracy, task told, %", "Told, %", 100, 2, True),
        Measure("forgetting", "Forgetting, %", "Forgot, %", 100, 2, False),
        Measure("backward_transfer", "Backward transfer, %", "BWT, %", 100, 2, True),
    )
}


def compare_learnt(
    folders: Sequence[Path], metric: str | None, method: str | None = None
) -> Comparison:
    """Read the runs and test each method of each against the first.

    Args:
        folders: Run folders of ``didact learn``; one with several methods is enough.
        metric: A key of ``MEASURES``; ``average_incremental`` by default.
        method: This method alone of each run.

    Raises:
        RunFolderError: Fewer than two methods, runs on other data or of another protocol, or one
            that is not finished.
        UnknownNameError: No such metric or method.
    """
    measure = choose(metric or "average_incremental", MEASURES, what="metric")
    outcomes = [(folder, load_outcome(folder)) for folder in folders]
    _refuse_others(outcomes)
    found = []
    for name, (folder, outcome) in zip(names_of(folders), outcomes, strict=True):
        methods = outcome.methods
        if method is not None:
            methods = {method: choose(method, methods, what=f"method of {folder}")}
        for key, one in methods.items():
            values = one.numbers.get(measure.key)
            if not values:
                raise RunFolderError(f"{folder} has no {measure.key} for {key}")
            shown = f"{name}: {key}" if len(folders) > 1 else key
            found.append((shown, values, outcome.seeds))
    if len(found) < 2:
        raise RunFolderError(
            f"there is {len(found)} method in these runs; expected two or more to compare"
        )
    _, base, base_seeds = found[0]
    runs = [
        compared(name, values, seeds, base, base_seeds, first=place == 0)
        for place, (name, values, seeds) in enumerate(found)
    ]
    first = outcomes[0][1]
    split = str(first.protocol.get("evaluate_on", "test"))
    return Comparison(measure, "", first.data.name, split, corrected(runs), ())


def _refuse_others(outcomes: Sequence[tuple[Path, LearnOutcome]]) -> None:
    """Numbers of other streams cannot be compared."""
    first_folder, first = outcomes[0]
    for folder, outcome in outcomes:
        if not outcome.complete:
            raise RunFolderError(f"{folder} is not finished. Go on with it with --resume")
        pairs = {
            "data set": (outcome.data.name, first.data.name),
            "scenario": (outcome.scenario, first.scenario),
            "tasks": tuple(len(o.protocol.get("train_sizes", ())) for o in (outcome, first)),
        }
        for what, (mine, theirs) in pairs.items():
            if mine != theirs:
                raise RunFolderError(
                    f"the {what} of {folder} is {mine} and of {first_folder} is {theirs}; runs of "
                    "other streams cannot be compared"
                )
