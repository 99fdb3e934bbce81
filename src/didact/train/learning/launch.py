"""A grid of methods x seeds in one process or in several, and the record of it."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch.multiprocessing.spawn import ProcessExitedException

from didact._core.errors import DidactError, RunFolderError
from didact.train.learning.build import LearnParts
from didact.train.learning.grid import Given, build_learn_parts, run_grid
from didact.train.learning.record import cell_folder
from didact.train.learning.settings import LearnSettings
from didact.train.learning.summary import summary_of
from didact.train.loop.fabric import Fabric, make_fabric
from didact.train.record.files import write_bytes, write_json
from didact.train.record.interrupt import Stopper
from didact.train.record.log import Log
from didact.train.record.run_folder import METRICS, RESULT, RunFolder

Json = dict[str, Any]


def launch(
    folder: RunFolder,
    chosen: LearnSettings,
    given: Given,
    parts: LearnParts,
    console: Console | None,
) -> Json:
    """Run in this process, or in ``devices`` new ones; what ``result.json`` holds.

    Raises:
        UsageError: There are no such devices.
        DidactError: What a process raised.
    """
    fabric = make_fabric(
        accelerator=chosen.accelerator,
        devices=chosen.devices,
        precision=chosen.precision,
        find_unused_parameters=True,
    )
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    began = time.monotonic()
    if chosen.devices == 1:
        return _run(fabric, folder, chosen, given, parts, console, began)
    work = partial(_in_process, folder=folder, chosen=chosen, given=given, began=began)
    try:
        outcome: Json | DidactError = fabric.launch(work)
    except ProcessExitedException as error:
        raise RunFolderError(
            f"a process of the run ended unexpectedly ({error}); was it out of memory? "
            f"Go on with: didact learn --resume {folder.path}"
        ) from error
    if isinstance(outcome, DidactError):
        raise outcome
    return outcome


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
    tasks = len(stream) * len(chosen.method) * len(chosen.seeds)
    with Log(console, total=tasks) as log, Stopper() as stopper:
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
