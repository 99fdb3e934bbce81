"""``didact distill``, once its options are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from rich.console import RenderableType
from rich.text import Text

from didact import recipes
from didact._core.errors import UsageError
from didact.cli import _shared as options
from didact.cli._console import console
from didact.cli._run import Command, Json
from didact.report import (
    compare,
    comparison_table,
    evidence_table,
    goodness,
    load_result,
    verdict,
)
from didact.train import (
    DistillResult,
    DistillSettings,
    GridResult,
    LauncherName,
    distill_from,
    distill_grid,
    is_grid,
    read_axis,
    resume,
    resume_grid,
)


def _headline(settings: DistillSettings) -> str:
    teachers = " + ".join(settings.teacher) if settings.teacher else "no teacher"
    task = "" if settings.task == "single-label" else f" ({settings.task})"
    labels = "all labels" if settings.labelled == 1 else f"{100 * settings.labelled:g}% of labels"
    noise = f", {100 * settings.label_noise:g}% label noise" if settings.label_noise else ""
    seeds = "1 seed" if len(settings.seeds) == 1 else f"{len(settings.seeds)} seeds"
    return (
        f"{settings.data}{task}: {teachers} -> {settings.student}, {' + '.join(settings.loss)}, "
        f"{labels}{noise}, {seeds} x {settings.epochs} epochs"
    )


def _start(
    settings: DistillSettings, output: Path | None, *, written: Json, headline: str, **rest: Any
) -> DistillResult:
    del written, headline  # every option has an effect; what the run finds out is said with it
    return distill_from(settings, output, headline=_headline, **rest)


DISTILL = Command(
    settings=DistillSettings,
    recipe=recipes.for_data,
    instead=lambda _: {},
    headline=_headline,
    start=_start,
    table=evidence_table,
    verdict=verdict,
)


@dataclass(frozen=True)
class Grid:
    """``--grid`` and what goes with it."""

    axes: dict[str, list[Any]]
    jobs: int = 1
    launcher: LauncherName = "local"
    options: Json = field(default_factory=dict)

    @classmethod
    def read(cls, given: Json) -> Grid | None:
        """Take the options of a grid out of those given; None where there is none.

        Raises:
            UsageError: An option that is not of its form, or goes with a grid alone.
        """
        taken = {name: given.pop(name) for name in _OF_GRID if name in given}
        read = [read_axis(text, _value) for text in taken.get("grid", ())]
        axes = dict(read)
        if len(axes) < len(read):
            names = [name for name, _ in read]
            twice = next(name for name in axes if names.count(name) > 1)
            raise UsageError(f"--grid has {twice} twice; expected {twice}=VALUE,VALUE once")
        if taken and not axes and "resume" not in given:
            raise UsageError(f"--{next(iter(taken)).replace('_', '-')} goes with --grid alone")
        if not taken:
            return None
        launcher, jobs = taken.get("launcher", "local"), taken.get("jobs", 1)
        if launcher not in get_args(LauncherName):
            raise UsageError(f"--launcher is {launcher!r}; expected local, slurm or ray")
        if jobs < 1:
            raise UsageError(f"--jobs is {jobs}; expected at least 1")
        chosen = [text.partition("=") for text in taken.get("launcher_option", ())]
        if any(not equals for _, equals, _ in chosen):
            raise UsageError("--launcher-option is NAME=VALUE, as slurm_partition=gpu")
        return cls(axes, jobs, launcher, {name: _value(value) for name, _, value in chosen})

    def command(self) -> Command[DistillSettings]:
        """What runs the grid instead of one run."""
        return replace(
            DISTILL, start=self._start, table=grid_table, verdict=grid_verdict, page=None
        )

    def _start(self, settings: DistillSettings, output: Path | None, **rest: Any) -> _GridShown:
        found = distill_grid(
            settings,
            self.axes,
            output,
            jobs=self.jobs,
            launcher=self.launcher,
            launcher_options=self.options,
            overwrite=rest["overwrite"],
            console=rest["console"],
        )
        return _GridShown(found.folder, {"grid": found})

    def resumed(self, folder: Path, *, trust: bool) -> None:
        """Go on with a grid."""
        found = resume_grid(
            folder,
            jobs=self.jobs,
            launcher=self.launcher,
            launcher_options=self.options,
            console=console(stderr=True),
            trust=trust,
        )
        self.command().show(_GridShown(found.folder, {"grid": found}))


_OF_GRID = ("grid", "jobs", "launcher", "launcher_option")


@dataclass(frozen=True)
class _GridShown:
    folder: Path
    summary: Json


def _value(text: str) -> Any:
    """A number, a truth or a text."""
    return options.setting(f"grid.value={text}", "grid", "")[1]


def grid_table(summary: Json) -> RenderableType:
    """The cells side by side, each tested against the first."""
    runs = summary["grid"].runs
    if len(runs) < 2:
        return Text("fewer than two runs are complete: nothing to compare")
    there = [{str(arm) for arm in load_result(run).arms} for run in runs]
    arm = next(arm for arm in ("distilled", "alone", "teacher") if all(arm in t for t in there))
    return comparison_table(compare(runs, arm=arm))


def grid_verdict(summary: Json) -> str:
    """Which cell is best on the validation split, and what could not be run."""
    found: GridResult = summary["grid"]
    results = {name: load_result(path) for name, path in found.cells.items() if path in found.runs}
    sentences = [f"{name} could not be run: {why}" for name, why in found.failed.items()]
    if results:
        best = max(results, key=lambda name: goodness(results[name]))
        sentences.insert(0, f"Best on the validation split: {best}. Choose by it, with other seeds "
                            "than those that you report.")  # fmt: skip
    return "\n".join([*sentences, f"again: didact compare {found.folder}"])


def run_resumed(folder: Path, cells: Grid | None, *, trust: bool) -> None:
    """Go on with a run folder or a grid."""
    if is_grid(folder):
        (cells or Grid({})).resumed(folder, trust=trust)
        return
    if cells is not None:
        raise UsageError(f"{folder} is no grid; --jobs and --launcher are for one")
    DISTILL.show(resume(folder, console=console(stderr=True), trust=trust))
