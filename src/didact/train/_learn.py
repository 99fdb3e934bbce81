"""``learn``: new classes without forgetting, methods x seeds, with a record."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from rich.console import Console

from didact._core.errors import DidactError, RunFolderError, UsageError
from didact.data import Data
from didact.methods import Method
from didact.train._files import write_bytes, write_json
from didact.train._interrupt import Stopper
from didact.train._learn_build import LearnParts
from didact.train._learn_cell import cell_folder
from didact.train._learn_grid import Given, build_learn_parts, run_grid, try_parts
from didact.train._learn_load import load_learner
from didact.train._learn_settings import LearnSettings
from didact.train._learn_summary import summary_of
from didact.train._log import Log
from didact.train._models import ModelLike
from didact.train._parts import name_of
from didact.train._run import METRICS, RESULT, SETTINGS, RunFolder, default_path

Json = dict[str, Any]
MAY_CHANGE = frozenset(("method", "method_options", "seeds", "jobs", "devices", "threads"))


@dataclass(frozen=True, slots=True)
class LearnResult:
    """What ``learn`` returns.

    Attributes:
        folder: The run folder.
        summary: The content of ``result.json``.
        given: The data and the model, as they were given.
    """

    folder: Path
    summary: Json
    given: Given

    def learner(self, method: str, seed: int | None = None) -> Method:
        """A trained method, ready for ``predict``: scores of normalised images.

        Raises:
            RunFolderError: The run has no such method and seed.
        """
        given = self.given
        return load_learner(self.folder, method, seed, data=given.data, model=given.model)


def learn(
    *,
    method: str | Sequence[str] = ("finetune", "lwf", "icarl", "joint"),
    data: str | Data = "digits",
    model: ModelLike = "mlp",
    output: str | Path | None = None,
    overwrite: bool = False,
    console: Console | None = None,
    **settings: Any,
) -> LearnResult:
    """Learn the classes of a data set task by task, with each method and each seed.

    Args:
        method: Names (see ``didact list methods``), or ``"pkg.mod:Name"`` / ``"file.py:Name"``.
        data: A source name, or a :class:`didact.data.Data`.
        model: A model name, or a function ``(data, classes)`` that builds a network with
            ``features`` and a linear ``classifier``.
        output: The run folder to make; by default one in ``runs/``.
        overwrite: Replace a run folder that exists.
        console: Where progress is shown; nowhere by default.
        settings: Any field of :class:`didact.train.LearnSettings`.

    Returns:
        The result: its ``summary`` is what ``result.json`` holds.

    Raises:
        DidactError: A setting, name, model or data set that cannot be used; nothing is overwritten.
    """
    names = (method,) if isinstance(method, str) else tuple(method)
    chosen = LearnSettings.build(
        method=names,
        data=data if isinstance(data, str) else data.name,
        model=name_of(model),
        **settings,
    )
    given = Given(data, model)
    parts = try_parts(chosen, build_learn_parts(chosen, given))
    path = Path(output) if output is not None else default_path("learn")
    folder = RunFolder.create(path, chosen.to_toml(), overwrite=overwrite)
    return _launch(folder, chosen, given, parts, console)


def learn_from(
    settings: LearnSettings,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    console: Console | None = None,
) -> LearnResult:
    """The same from settings alone, in which every part has a name."""
    return learn(output=output, overwrite=overwrite, console=console, **dict(settings))


def resume_learning(
    folder: str | Path, *, console: Console | None = None, **changes: Any
) -> LearnResult:
    """Go on with a run that was killed or stopped, or make its grid larger.

    Args:
        folder: The run folder; its ``run.toml`` says everything.
        console: Where progress is shown; nowhere by default.
        changes: ``method``, ``seeds``, ``jobs``, ``devices`` or ``threads`` instead of the run's.
            Cells that are complete are not run again, and cells that are no longer named stay in
            their folders.

    Raises:
        RunFolderError: The folder is not one of ``didact learn``, or the run is complete and
            nothing changes.
        UsageError: A setting that a run cannot change on its way.
        CheckpointError: A file of the run is damaged.
    """
    run = RunFolder.open(Path(folder))
    said = run.settings()
    if "teacher" in said:
        raise RunFolderError(f"{folder} is a run of didact distill; expected one of didact learn")
    chosen = LearnSettings.build(**said)
    if fixed := sorted(set(changes) - MAY_CHANGE):
        raise UsageError(
            f"a run that goes on keeps its {', '.join(fixed)}; only "
            f"{', '.join(sorted(MAY_CHANGE))} may change"
        )
    options = chosen.method_options | changes.get("method_options", {})
    wanted = chosen.changed(**changes | {"method_options": options})
    for name in set(chosen.method) & set(wanted.method):
        if chosen.options_of(name) != wanted.options_of(name):
            raise UsageError(
                f"{folder} has {name} with the options {chosen.options_of(name)}; a run with "
                "others needs a folder of its own"
            )
    if run.complete and not set(changes) & {"method", "method_options", "seeds"}:
        raise RunFolderError(
            f"{folder} is complete; there is nothing to resume. "
            f"Look at it with: didact report {folder}"
        )
    given = Given(wanted.data, wanted.model)
    parts = try_parts(wanted, build_learn_parts(wanted, given))
    write_bytes(run.path / SETTINGS, wanted.to_toml().encode())
    (run.path / RESULT).unlink(missing_ok=True)
    return _launch(run, wanted, given, parts, console)


def _launch(
    folder: RunFolder,
    chosen: LearnSettings,
    given: Given,
    parts: LearnParts,
    console: Console | None,
) -> LearnResult:
    """Run in this process, or in ``devices`` new ones."""
    several = DDPStrategy(start_method="spawn", find_unused_parameters=True)
    try:
        fabric = Fabric(
            accelerator=chosen.accelerator,
            devices=chosen.devices,
            strategy="auto" if chosen.devices == 1 else several,
            precision=chosen.precision,
        )
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"cannot use {chosen.devices} x {chosen.accelerator}: {error}") from error
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    began = time.monotonic()
    if chosen.devices == 1:
        summary = _run(fabric, folder, chosen, given, parts, console, began)
        return LearnResult(folder.path, summary, given)
    work = partial(_in_process, folder=folder, chosen=chosen, given=given, began=began)
    outcome: Json | DidactError = fabric.launch(work)
    if isinstance(outcome, DidactError):
        raise outcome
    return LearnResult(folder.path, outcome, given)


def _in_process(
    fabric: Fabric, folder: RunFolder, chosen: LearnSettings, given: Given, began: float
) -> Json | DidactError:
    """One of several processes; an error is returned, because a raised one loses its type."""
    console = Console(stderr=True) if fabric.is_global_zero else None
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    try:
        parts = build_learn_parts(chosen, given)
        return _run(fabric, folder, chosen, given, parts, console, began)
    except DidactError as error:
        return error


def _run(
    fabric: Fabric,
    folder: RunFolder,
    chosen: LearnSettings,
    given: Given,
    parts: LearnParts,
    console: Console | None,
    began: float,
) -> Json:
    stream = parts.stream(chosen.seeds[0])
    each = (1 if chosen.online else chosen.epochs) * len(stream)
    epochs = each * len(chosen.method) * len(chosen.seeds)
    with Log(console, total_epochs=epochs) as log, Stopper() as stopper:
        cells = run_grid(chosen, given, parts, folder.path, fabric, log, stopper)
    summary = summary_of(chosen, cells, stream.data, fabric.device) | {
        "command": _command(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began, 2),
    }
    if fabric.is_global_zero:
        write_bytes(folder.path / METRICS, _all_rows(folder.path, chosen))
        write_json(folder.path / RESULT, summary)
    fabric.barrier()
    return summary


def _all_rows(run: Path, chosen: LearnSettings) -> bytes:
    files = [
        cell_folder(run, name, seed) / METRICS for seed in chosen.seeds for name in chosen.method
    ]
    return b"".join(file.read_bytes() for file in files if file.is_file())


def _command() -> str:
    program = Path(sys.argv[0]).name
    words = ["didact" if program in ("didact", "__main__.py") else f"python {program}"]
    return " ".join(words + sys.argv[1:])
