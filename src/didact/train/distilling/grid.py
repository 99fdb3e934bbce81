"""A grid of runs: every combination of some settings, each a run folder of its own."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
import torch
from rich.console import Console

from didact._core.errors import DidactError, RunFolderError, UsageError
from didact._core.lookup import suggest
from didact.train.distilling.distill import distill_from, resume
from didact.train.distilling.losses import choose_losses
from didact.train.distilling.settings import AUTO, DistillSettings
from didact.train.loop.processes import LauncherName, done_in_turn
from didact.train.record.files import make_folder, write_bytes
from didact.train.record.interrupt import StoppedError, Stopper
from didact.train.record.log import say
from didact.train.record.run_folder import GRID, SETTINGS, RunFolder, default_path, read_toml
from didact.train.record.trust import ask_for_trust, sign

JOBS = "jobs"
STOPPED = "stopped"
SEVERAL = ("loss", "teacher", "teacher_normalise", "arms")
NOT_GRIDDED = ("seeds", "evaluate_on", "log", "devices", "onnx")

Axes = Mapping[str, Sequence[Any]]
Json = dict[str, Any]


@dataclass(frozen=True)
class GridResult:
    """What a grid has come to.

    Attributes:
        folder: The grid's.
        cells: The run folders of its cells, by name, in the order of the grid.
        failed: Of those that could not be run, why.
    """

    folder: Path
    cells: dict[str, Path]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> list[Path]:
        """The run folders that are complete."""
        return [path for name, path in self.cells.items() if name not in self.failed]


def distill_grid(
    settings: DistillSettings,
    axes: Axes,
    output: str | Path | None = None,
    *,
    jobs: int = 1,
    launcher: LauncherName = "local",
    launcher_options: Json | None = None,
    overwrite: bool = False,
    console: Console | None = None,
) -> GridResult:
    """Run every combination of some settings.

    Args:
        settings: What all cells have in common; every part has a name.
        axes: The values of each setting that varies: ``{"temperature": [1, 4], "loss": ["kd",
            "dist"], "dkd.beta": [2, 8]}``. A name with a point is an option of a loss.
        output: The grid's folder, with a run folder in it for each cell.
        jobs: How many cells at a time.
        launcher: ``"local"``, ``"slurm"`` (submitit) or ``"ray"``.
        launcher_options: Of submitit's executor or of ``ray.remote``.
        overwrite: Replace the cells of a grid that is there.
        console: Where progress is shown; nowhere by default.

    Returns:
        The cells. One that fails with a :class:`DidactError` does not stop the others.

    Raises:
        UsageError: A name or a value that no cell could be run with; nothing is run then.
        RunFolderError: The folder is another grid's, or no grid's at all.

    Example:
        >>> from didact.train import DistillSettings, distill_grid
        >>> base = DistillSettings.build(epochs=5, seeds=(0, 1, 2), evaluate_on="validation")
        >>> found = distill_grid(base, {"temperature": [1, 2, 4]}, "runs/grid")  # doctest: +SKIP
    """
    cells = cells_of(settings, axes)
    for cell in cells.values():
        if AUTO not in cell.loss:
            choose_losses(list(cell.loss), cell.loss_options)
    folder = Path(output) if output is not None else default_path("grid")
    plain = {
        "cells": list(cells),
        "axes": {name: list(values) for name, values in axes.items()},
        "settings": settings.model_dump(mode="json", exclude_none=True),
    }
    record = tomli_w.dumps(plain)
    if (folder / GRID).is_file() and not overwrite:
        raise RunFolderError(
            f"{folder} is a grid already; go on with --resume {folder}, replace it with "
            "--overwrite, or name another with --output"
        )
    if folder.exists() and any(folder.iterdir()) and not (folder / GRID).is_file():
        raise RunFolderError(f"{folder} is not empty and no grid; name another with --output")
    make_folder(folder)
    sign(folder, [name for cell in cells.values() for name in cell.code()])
    write_bytes(folder / GRID, record.encode())
    return _run(folder, cells, jobs, launcher, launcher_options or {}, console, overwrite)


def resume_grid(
    folder: str | Path,
    *,
    jobs: int = 1,
    launcher: LauncherName = "local",
    launcher_options: Json | None = None,
    console: Console | None = None,
    trust: bool = False,
) -> GridResult:
    """Go on with a grid that was killed or stopped: what is complete stays, the rest is run.

    Raises:
        RunFolderError: The folder is not that of a grid.
        TrustError: It names code, and ``trust`` is false where it matters.
    """
    path = Path(folder)
    if not is_grid(path):
        raise RunFolderError(f"{folder} is not the folder of a grid: it has no {GRID}")
    said = read_toml(path / GRID)
    if not all(isinstance(said.get(part), dict) for part in ("axes", "settings")):
        raise RunFolderError(f"{path / GRID} does not say axes and settings; put it back as it was")
    cells = cells_of(DistillSettings.build(**said["settings"]), said["axes"])
    code = sorted({name for cell in cells.values() for name in cell.code()})
    say(console, ask_for_trust(path, code, trust=trust))
    for name in cells if trust else ():
        if (path / name).is_dir():
            sign(path / name, code)
    return _run(path, cells, jobs, launcher, launcher_options or {}, console, overwrite=False)


def is_grid(folder: Path) -> bool:
    """Whether a grid was begun in this folder."""
    return (folder / GRID).is_file()


def cells_of(settings: DistillSettings, axes: Axes) -> dict[str, DistillSettings]:
    """The settings of each cell, by the name of its folder, in the order of the axes.

    Nothing is imported for it: the names may come from somebody else's record.

    Raises:
        UsageError: No axis, one without values, a setting that there is not, or that is not for a
            grid; or a value that is wrong.
    """
    if not axes:
        raise UsageError("the grid has no axis; expected NAME=VALUE,VALUE, as temperature=1,2,4")
    for name, values in axes.items():
        _check_axis(name, values)
    found: dict[str, DistillSettings] = {}
    for point in itertools.product(*axes.values()):
        chosen = dict(zip(axes, point, strict=True))
        cell = settings.changed(**_changes(settings, chosen))
        name = ",".join(f"{axis}={_short(value)}" for axis, value in chosen.items())
        if name in found:
            raise UsageError(f"the grid has {name} twice")
        found[name] = cell
    return found


def _check_axis(name: str, values: Sequence[Any]) -> None:
    known = [n for n in DistillSettings.model_fields if n not in NOT_GRIDDED]
    if name in NOT_GRIDDED:
        raise UsageError(f"{name} is the same in all cells of a grid; give --{name} once")
    if "." not in name and name not in known:
        raise UsageError(f"there is no setting {name!r} for a grid; {suggest(name, known)}")
    if not values:
        raise UsageError(f"the axis {name} has no values; expected {name}=VALUE,VALUE")


def _changes(settings: DistillSettings, chosen: Mapping[str, Any]) -> Json:
    changes: Json = {}
    options = dict(settings.loss_options)
    for name, value in chosen.items():
        if "." in name:
            options[name] = value
        elif name in SEVERAL and isinstance(value, str):
            changes[name] = tuple(part.strip() for part in value.split("+"))
        else:
            changes[name] = value
    return changes | {"loss_options": options}


def _short(value: Any) -> str:
    """A value as a part of a folder's name."""
    text = "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return re.sub(r"[^\w.+=-]+", "-", text).strip("-")[:60] or "-"


def _run(
    folder: Path,
    cells: Mapping[str, DistillSettings],
    jobs: int,
    launcher: LauncherName,
    options: Json,
    console: Console | None,
    overwrite: bool,
) -> GridResult:
    left = [name for name in cells if overwrite or not RunFolder(folder / name).complete]
    done = len(cells) - len(left)
    say(console, f"{len(cells)} runs in {folder}" + (f", {done} are complete" if done else ""))
    here = launcher == "local" and jobs > 1
    threads = max(1, (os.cpu_count() or 1) // jobs) if here else None
    items = [
        (cells[name].model_dump(mode="json"), str((folder / name).resolve()), overwrite, threads)
        for name in left
    ]
    failed: dict[str, str] = {}
    outcomes = done_in_turn(
        run_cell, items, launcher=launcher, jobs=jobs, logs=folder / JOBS, options=options
    )
    with Stopper() as stopper:  # who is at work stops itself, and leaves a checkpoint
        for number, problem in outcomes:
            done += problem != STOPPED
            if problem != STOPPED:
                say(console, f"[{done}/{len(cells)}] {left[number]}: {problem or 'done'}")
            if problem == STOPPED or (stopper.requested and done < len(cells)):
                raise StoppedError(
                    f"stopped; nothing is lost. Go on with: didact distill --resume {folder}"
                )
            if problem:
                failed[left[number]] = problem
    return GridResult(folder, {name: folder / name for name in cells}, failed)


def run_cell(settings: Json, folder: str, overwrite: bool, threads: int | None = None) -> str:
    """Run a cell, or go on with it; what went wrong comes back as a sentence."""
    path = Path(folder)
    try:
        chosen = DistillSettings.build(**settings)
        if threads is not None and chosen.threads is None:
            torch.set_num_threads(threads)
        if (path / SETTINGS).is_file() and not overwrite:
            resume(path)
        else:
            distill_from(chosen, path, overwrite=overwrite)
    except StoppedError:
        return STOPPED
    except DidactError as error:
        return str(error)
    return ""


def read_axis(text: str, read: Callable[[str], Any]) -> tuple[str, list[Any]]:
    """``temperature=1,2,4`` as a name and values; with ``;`` between those that have commas.

    Raises:
        UsageError: Not of that form.
    """
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise UsageError(f"--grid is {text!r}; expected NAME=VALUE,VALUE, as temperature=1,2,4")
    parts = values.split(";" if ";" in values else ",")
    return name.replace("-", "_"), [read(part.strip()) for part in parts if part.strip()]
