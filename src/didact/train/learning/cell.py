"""One method with one seed, from its first task to its last."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from didact.data import Stream
from didact.train.learning.build import LearnParts, method_of
from didact.train.learning.evaluate import TestSets, measure
from didact.train.learning.fit import Cell, fit_stage
from didact.train.learning.record import (
    STREAM,
    cell_folder,
    facts_of,
    finished,
    sizes_of,
    write_cell,
)
from didact.train.learning.settings import LearnSettings
from didact.train.learning.state import LearnPosition, StateFile, load_method, restore_random_state
from didact.train.loop.evaluate import EVALUATION_BATCH
from didact.train.loop.fabric import Fabric
from didact.train.loop.schedule import seed_everything
from didact.train.record.files import write_json
from didact.train.record.interrupt import Stopper
from didact.train.record.log import Log
from didact.train.record.run_folder import METRICS, RunFolder

Json = dict[str, Any]
BEGIN, GROW, TRAIN = 11, 12, 13


def run_cell(
    name: str,
    seed: int,
    run: Path,
    settings: LearnSettings,
    parts: LearnParts,
    fabric: Fabric,
    log: Log,
    stopper: Stopper,
) -> Json:
    """Learn every task; what an earlier process has finished is not done again."""
    stream = parts.stream(seed)
    done = finished(run, name, seed, settings)
    if done is not None:
        log.skip(len(stream))
        return done
    method = method_of(name, seed, settings, parts, stream, fabric)
    folder = cell_folder(run, name, seed)
    tests = TestSets(stream, fabric.device, EVALUATION_BATCH)
    if fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / STREAM, facts_of(stream, tests))
    fabric.barrier()
    state = StateFile(folder, settings.fingerprint(name))
    own, start = RunFolder(folder), LearnPosition()
    cell = Cell(name, seed, settings, fabric, own, state, log, stopper, start, method)
    optimizer_state = _restore(cell, stream)
    now = time.monotonic()
    cell.saved, cell.began = now, now - cell.position.seconds
    while cell.position.task < len(stream):
        _learn_task(cell, stream, tests, optimizer_state)
        optimizer_state = {}
    log.skip(len(stream))
    return write_cell(cell, stream, tests)


def _learn_task(cell: Cell, stream: Stream, tests: TestSets, optimizer_state: Json) -> None:
    method, position = cell.method, cell.position
    task = stream.task(position.task, with_earlier=method.sees_all_tasks)
    if not position.begun:
        _grow(cell, stream, position.task)
        seed_everything(cell.seed, BEGIN, task.index)
        method.begin_task(task)
        position.begun = True
    else:
        method.task = task
    stages = method.stages(task)
    cell.stages = len(stages)
    for number, planned in enumerate(stages[position.stage :], start=position.stage):
        method.stage = stage = method.begin_stage(planned)
        if not position.epoch and not position.step:
            seed_everything(cell.seed, TRAIN, task.index, number)
        fit_stage(cell, stage, optimizer_state)
        optimizer_state = {}
        method.after_stage(stage)
        position.end_stage()
        if number + 1 < len(stages) and cell.save_is_due:
            cell.save()
    method.after_task(task)
    position.seconds = time.monotonic() - cell.began
    measured = measure(method, tests, task.index, cell.fabric)
    measured |= {"seconds": round(position.seconds, 4), **sizes_of(method)}
    position.end_task(measured)
    if cell.fabric.is_global_zero:
        row = {"method": cell.name, "seed": cell.seed, "task": position.task, **measured}
        cell.folder.add_row(row)
    if cell.save_is_due and position.task < len(stream):
        cell.save()
    if cell.fabric.broadcast(cell.stopper.requested):
        cell.stop()


def _grow(cell: Cell, stream: Stream, index: int) -> None:
    method = cell.method
    task = stream.task(index, with_earlier=method.sees_all_tasks)
    seed_everything(cell.seed, GROW, index)
    method.task = task
    method.grow(task)
    method.to(cell.fabric.device)


def _restore(cell: Cell, stream: Stream) -> Json:
    """Go to where the last state was written; the optimiser's state is returned."""
    saved = cell.state.load()
    optimizer_state: Json = {}
    if saved is not None:
        cell.position, tensors, optimizer_state = saved
        for index in range(cell.position.task + cell.position.begun):
            _grow(cell, stream, index)
        load_method(cell.method, tensors, cell.fabric.device)
        restore_random_state(tensors)
    if cell.fabric.is_global_zero and (cell.folder.path / METRICS).is_file():
        at = cell.position
        reached = (at.task, at.stage, at.epoch)
        cell.folder.keep_rows(
            lambda row: (
                row["task"] <= at.task
                if "accuracy" in row
                else (row["task"] - 1, row["stage_number"], row["epoch"]) <= reached
            )
        )
    return optimizer_state
