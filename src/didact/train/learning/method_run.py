"""One method with one seed, from its first task to its last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from didact.data import Stream
from didact.train.learning.build import LearnComponents
from didact.train.learning.evaluate import TestSets
from didact.train.learning.fit import MethodRun
from didact.train.learning.learner import FILE, Learner, learner_data
from didact.train.learning.logging import CellLoggers
from didact.train.learning.record import (
    STREAM,
    cell_folder,
    facts_of,
    finished,
    write_cell,
)
from didact.train.learning.settings import LearnSettings
from didact.train.learning.state import LearnPosition, StateFile, load_method
from didact.train.learning.task_run import grow_for, learn_tasks
from didact.train.loop.evaluate import EVALUATION_BATCH
from didact.train.loop.fabric import Fabric
from didact.train.loop.fit import RunContext, SaveClock
from didact.train.record.checkpoint import PartOf, refused_if_malformed, restore_random_state
from didact.train.record.files import make_folder, write_json
from didact.train.record.run_folder import METRICS, RunFolder

Json = dict[str, Any]


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
    learner = begin(name, seed, settings, components, fabric)
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
        position=LearnPosition(task=len(learner.tasks)),
        method=learner.method,
        tasks=learner.tasks,
        clock=SaveClock(settings.checkpoint_seconds),
    )
    optimizer_state = _restore(run, stream)
    clock = SaveClock(settings.checkpoint_seconds, run.position.seconds)
    with loggers_of(run, context) as loggers:
        run = replace(run, clock=clock, loggers=loggers)
        learn_tasks(run, stream, tests, optimizer_state)
    context.log.skip(len(stream))
    if fabric.is_global_zero:
        run.folder.sync()
        learner.save(folder / FILE)
    return write_cell(run, stream, tests)


@contextmanager
def loggers_of(run: MethodRun, context: RunContext[LearnSettings]) -> Iterator[CellLoggers | None]:
    """What ``log`` names, for this method and seed; closed at its end, however it comes."""
    if not (context.settings.log and context.fabric.is_global_zero):
        yield None
        return
    rows, cell = run.folder.rows(), run.folder.path.name
    loggers = CellLoggers(context.folder, cell, context.settings, rows)
    try:
        yield loggers
    except BaseException:
        loggers.close("interrupted")
        raise
    loggers.close("success")


def begin(
    name: str, seed: int, settings: LearnSettings, components: LearnComponents, fabric: Fabric
) -> Learner:
    """The learner of a method and seed as it is before the first task of its stream."""
    data = learner_data(components.stream(seed))
    if components.before is not None:
        return Learner.load(
            components.before(name, seed),
            source=components.source,
            settings=settings,
            data=data,
            fabric=fabric,
        )
    entry = components.methods[name]
    return Learner.new(name, seed, settings, components.source, data, entry=entry, fabric=fabric)


def _restore(run: MethodRun, stream: Stream) -> Json:
    """Go to where the last state was written; the optimiser's state is returned."""
    saved = run.state.load()
    optimizer_state: Json = {}
    if saved is not None:
        before = len(run.tasks)
        run.position, tensors, optimizer_state = saved
        for index in range(before, run.position.task + run.position.begun):
            grow_for(run, stream, index)
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
