"""A grid of methods x seeds in one process or in several, and the record of it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from didact.train.learning.build import LearnComponents
from didact.train.learning.grid import UserInputs, build_components, run_grid
from didact.train.learning.handing_on import hand_on, handed_on
from didact.train.learning.record import cell_folder
from didact.train.learning.settings import LearnSettings
from didact.train.learning.starting import forget_start
from didact.train.learning.summary import summary_of
from didact.train.loop.fabric import Fabric
from didact.train.loop.fit import RunContext
from didact.train.loop.launch import launch
from didact.train.record.environment import command
from didact.train.record.files import read_json, write_bytes
from didact.train.record.interrupt import Stopper
from didact.train.record.log import Log
from didact.train.record.result import LearnOutcome, as_written
from didact.train.record.run_folder import HISTORY, METRICS, RunFolder

Json = dict[str, Any]
COMMAND = "didact learn"


def launch_grid(
    folder: RunFolder,
    chosen: LearnSettings,
    given: UserInputs,
    components: LearnComponents,
    console: Console | None,
) -> Json:
    """Run in this process, or in ``devices`` new ones; what ``result.json`` holds.

    Raises:
        UsageError: There are no such devices.
        DidactError: What a process raised.
    """
    work = partial(_run, folder=folder, chosen=chosen, given=given, began=time.monotonic())
    if chosen.devices == 1:
        work = partial(work, components=components)  # the stream is cut already
    return launch(
        work,
        chosen,
        console,
        command=COMMAND,
        folder=folder.path,
        find_unused_parameters=True,
    )


def _run(
    fabric: Fabric,
    console: Console | None,
    folder: RunFolder,
    chosen: LearnSettings,
    given: UserInputs,
    began: float,
    components: LearnComponents | None = None,
) -> Json:
    components = components or build_components(chosen, given, folder.path)
    stream = components.stream(chosen.seeds[0])
    tasks = len(stream) * len(chosen.method) * len(chosen.seeds)
    with Log(console, total=tasks) as log, Stopper() as stopper:
        context = RunContext(COMMAND, fabric, chosen, folder, log, stopper)
        cells = run_grid(given, components, context)
    summary = summary_of(chosen, cells, stream.data, fabric.device) | {
        "command": command(),
        "started": folder.start().get("started", ""),
        "seconds": round(time.monotonic() - began, 2),
    }
    if fabric.is_global_zero:
        chosen_one = handed_on(summary["methods"], chosen)
        onnx = hand_on(folder, chosen, given.model, stream, chosen_one, console)
        summary |= {"handed_on": chosen_one, "onnx": onnx, "history": _history(folder)}
    summary = as_written(LearnOutcome, summary)
    if fabric.is_global_zero:
        write_bytes(folder.path / METRICS, _all_rows(folder.path, chosen))
        summary = folder.finish(summary)
        forget_start(folder.path)
    fabric.barrier()
    return summary


def _history(folder: RunFolder) -> list[Json]:
    """The runs before, oldest first."""
    path = folder.path / HISTORY
    found = read_json(path) if path.is_file() else []
    return found if isinstance(found, list) else []


def _all_rows(run: Path, chosen: LearnSettings) -> bytes:
    files = [
        cell_folder(run, name, seed) / METRICS for seed in chosen.seeds for name in chosen.method
    ]
    return b"".join(file.read_bytes() for file in files if file.is_file())
