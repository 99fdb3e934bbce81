"""One method with one seed, from its first task to its last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from didact.data import Stream
from didact.train.learning.build import LearnComponents, method_of
from didact.train.learning.evaluate import TestSets, measure
from didact.train.learning.fit import MethodRun, fit_stage
from didact.train.learning.record import (
    STREAM,
    cell_folder,
    facts_of,
    finished,
    sizes_of,
    write_cell,
)
from didact.train.learning.settings import LearnSettings
from didact.train.learning.state import LearnPosition, StateFile, load_method
from didact.train.loop.evaluate import EVALUATION_BATCH
from didact.train.loop.fit import RunContext, SaveClock, stop
from didact.train.loop.schedule import seed_everything
from didact.train.record.checkpoint import PartOf, refused_if_malformed, restore_random_state
from didact.train.record.files import make_folder, write_json
from didact.train.record.run_folder import METRICS, RunFolder

Json = dict[str, Any]
BEGIN, GROW, TRAIN = 11, 12, 13


def run_method(
    name: str, seed: int, components: LearnComponents, context: RunContext[LearnSettings]
) -> Json:
    """Learn every task; what an earlier process has finished is not done again."""
    settings, fabric, path = context.settings, context.fabric, context.folder.path
    stream = components.stream(seed)
    data = components.data_digest(seed)
    done = finished(path, name, seed, settings, data)
    if done is not None:
        context.log.skip(len(stream))
        return done
    method = method_of(name, seed, settings, components, stream, fabric)
    folder = cell_folder(path, name, seed)
    tests = TestSets(stream, fabric.device, EVALUATION_BATCH)
    if fabric.is_global_zero:
        make_folder(folder)
        write_json(folder / STREAM, facts_of(stream, tests))
    fabric.barrier()
    run = MethodRun(
        name=name,
        seed=seed,
        context=context,
        folder=RunFolder(folder),
        state=StateFile(folder, PartOf(settings.deciding_of(name), data), seed),
        position=LearnPosition(),
        method=method,
        clock=SaveClock(settings.checkpoint_seconds),
    )
    optimizer_state = _restore(run, stream)
    run = replace(run, clock=SaveClock(settings.checkpoint_seconds, run.position.seconds))
    while run.position.task < len(stream):
        _learn_task(run, stream, tests, optimizer_state)
        optimizer_state = {}
    context.log.skip(len(stream))
    return write_cell(run, stream, tests)


def _learn_task(run: MethodRun, stream: Stream, tests: TestSets, optimizer_state: Json) -> None:
    method, position, fabric = run.method, run.position, run.context.fabric
    task = stream.task(position.task, with_earlier=method.sees_all_tasks)
    if not position.begun:
        _grow(run, stream, position.task)
        seed_everything(run.seed, BEGIN, task.index)
        method.begin_task(task)
        position.begun = True
    else:
        method.task = task
    stages = method.stages(task)
    run.stages = len(stages)
    for number, planned in enumerate(stages[position.stage :], start=position.stage):
        method.stage = stage = method.begin_stage(planned)
        if not position.epoch and not position.step:
            seed_everything(run.seed, TRAIN, task.index, number)
        fit_stage(run, stage, optimizer_state)
        optimizer_state = {}
        method.after_stage(stage)
        position.end_stage()
        if number + 1 < len(stages) and run.clock.due:
            run.save()
    method.after_task(task)
    position.seconds = run.clock.spent
    measured = measure(method, tests, task.index, fabric)
    measured |= {"seconds": round(position.seconds, 4), **sizes_of(method)}
    position.end_task(measured)
    if fabric.is_global_zero:
        row = {"method": run.name, "seed": run.seed, "task": position.task, **measured}
        run.folder.add_row(row)
    if fabric.broadcast(run.context.stopper.requested):
        stop(run.save, run.context)
    elif run.clock.due and position.task < len(stream):
        run.save()


def _grow(run: MethodRun, stream: Stream, index: int) -> None:
    method = run.method
    task = stream.task(index, with_earlier=method.sees_all_tasks)
    seed_everything(run.seed, GROW, index)
    method.task = task
    method.grow(task)
    method.to(run.context.fabric.device)


def _restore(run: MethodRun, stream: Stream) -> Json:
    """Go to where the last state was written; the optimiser's state is returned."""
    saved = run.state.load()
    optimizer_state: Json = {}
    if saved is not None:
        run.position, tensors, optimizer_state = saved
        for index in range(run.position.task + run.position.begun):
            _grow(run, stream, index)
        with refused_if_malformed(run.state.path):
            load_method(run.method, tensors, run.context.fabric.device)
            restore_random_state(tensors)
    if run.context.fabric.is_global_zero and (run.folder.path / METRICS).is_file():
        at = run.position
        reached = (at.task, at.stage, at.epoch)
        run.folder.keep_rows(
            lambda row: (
                row["task"] <= at.task
                if "accuracy" in row
                else (row["task"] - 1, row["stage_number"], row["epoch"]) <= reached
            )
        )
    return optimizer_state
