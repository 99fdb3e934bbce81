"""One method with one seed, from its first task to its last."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from didact._core.errors import CheckpointError
from didact.data import Stream
from didact.methods import Method
from didact.nn import Teacher
from didact.train._evaluate import EVALUATION_BATCH
from didact.train._files import write_json, write_tensors
from didact.train._interrupt import Stopper
from didact.train._learn_build import LearnParts, method_of
from didact.train._learn_evaluate import TestSets, measure, random_accuracies
from didact.train._learn_fit import Cell, fit_stage
from didact.train._learn_settings import LearnSettings
from didact.train._learn_state import (
    LearnPosition,
    StateFile,
    load_method,
    method_tensors,
    restore_random_state,
)
from didact.train._log import Log
from didact.train._run import CELLS, METRICS, RunFolder
from didact.train._schedule import seed_everything

Json = dict[str, Any]
RESULT, MODEL = "cell.json", "model.safetensors"
BEGIN, GROW, TRAIN, BASELINE = 11, 12, 13, 14


def cell_folder(run: Path, name: str, seed: int) -> Path:
    """Where a cell writes; a path to a user's method becomes a plain name."""
    plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in name.rpartition("/")[2])
    return run / CELLS / f"{plain}.{seed}"


def finished(run: Path, name: str, seed: int, settings: LearnSettings) -> Json | None:
    """What a complete cell has found; None where there is none of these settings.

    Raises:
        CheckpointError: The file is damaged.
    """
    path = cell_folder(run, name, seed) / RESULT
    if not path.is_file():
        return None
    try:
        found: Json = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged ({error}); remove it and resume") from error
    return found if found.get("fingerprint") == settings.fingerprint(name) else None


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
    done = finished(run, name, seed, settings)
    if done is not None:
        log.skip(int(done["epochs"]))
        return done
    stream = parts.stream(seed)
    method = method_of(name, seed, settings, parts, stream, fabric)
    folder = cell_folder(run, name, seed)
    if fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
    fabric.barrier()
    state = StateFile(folder, settings.fingerprint(name))
    own, start = RunFolder(folder), LearnPosition()
    cell = Cell(name, seed, settings, fabric, own, state, log, stopper, start, method)
    optimizer_state = _restore(cell, stream)
    now = time.monotonic()
    cell.saved, cell.began = now, now - cell.position.seconds
    tests = TestSets(stream, fabric.device, EVALUATION_BATCH)
    while cell.position.task < len(stream):
        _learn_task(cell, stream, tests, optimizer_state)
        optimizer_state = {}
    return _finish(cell, stream, tests)


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
    for number, stage in enumerate(stages[position.stage :], start=position.stage):
        method.stage = stage
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
    measured |= {"seconds": round(position.seconds, 4), **_sizes(method)}
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
    epochs = sum("epoch" in row for row in cell.folder.rows())
    cell.log.skip(epochs)
    return optimizer_state


def _sizes(method: Method) -> Json:
    """The one budget: weights, exemplars and what else is kept, in bytes."""
    teachers = [part for part in method.modules() if isinstance(part, Teacher)]
    frozen = {id(t) for part in teachers for t in part.state_dict(keep_vars=True).values()}
    parameters = [p for p in method.parameters() if id(p) not in frozen]
    buffers = [b for b in method.buffers() if id(b) not in frozen]
    return {
        "parameters": sum(p.numel() for p in parameters),
        "parameter_bytes": sum(t.nbytes for t in (*parameters, *buffers)),
        "exemplars": len(method.memory),
        "exemplar_bytes": method.memory.nbytes,
        "kept_bytes": method.kept.nbytes,
    }


def _finish(cell: Cell, stream: Stream, tests: TestSets) -> Json:
    """Write the model and the result; the result comes last and says that the cell is complete."""
    method, record = cell.method, cell.position.record
    found: Json = {
        "fingerprint": cell.state.fingerprint,
        "method": cell.name,
        "seed": cell.seed,
        "matrix": [one["accuracy"] for one in record],
        "other_matrices": {
            other: [one["others"][other] for one in record] for other in record[-1]["others"]
        },
        "confusion": [one["confusion"] for one in record],
        "per_class": record[-1]["per_class"],
        "seconds": [one["seconds"] for one in record],
        "sizes": [
            {k: one[k] for k in ("parameters", "parameter_bytes", "exemplars", "exemplar_bytes")}
            | {"kept_bytes": one["kept_bytes"]}
            for one in record
        ],
        "epochs": sum("epoch" in row for row in cell.folder.rows()),
        "test_sizes": tests.sizes,
        "class_order": list(stream.class_order),
        "protocol": stream.protocol,
    }
    if stream.scenario == "domain":
        seed_everything(cell.seed, BASELINE)
        found["random_accuracy"] = random_accuracies(method, tests, cell.fabric)
    if cell.fabric.is_global_zero:
        about = {
            "method": cell.name,
            "model": cell.settings.model,
            "seed": cell.seed,
            "class_order": list(stream.class_order),
            "tasks": len(stream),
            "image_shape": list(stream.data.image_shape),
            "mean": list(stream.data.mean),
            "std": list(stream.data.std),
        }
        write_tensors(cell.folder.path / MODEL, method_tensors(method), about)
        write_json(cell.folder.path / RESULT, found)
        cell.state.remove()
    cell.fabric.barrier()
    return found
