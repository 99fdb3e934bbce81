"""One task: growing, its stages, and what is measured after it."""

from __future__ import annotations

from typing import Any

from didact.data import Stream
from didact.train.learning.evaluate import TestSets, measure
from didact.train.learning.fit import MethodRun, fit_stage
from didact.train.learning.record import sizes_of
from didact.train.loop.fit import stop
from didact.train.loop.schedule import seed_everything

Json = dict[str, Any]
BEGIN, GROW, TRAIN = 11, 12, 13


def learn_tasks(
    run: MethodRun, stream: Stream, tests: TestSets, optimizer_state: Json | None = None
) -> None:
    """Every task of a stream that is not complete.

    Args:
        run: Counted up.
        stream: The tasks.
        tests: What is measured after each.
        optimizer_state: Of the stage under way, where an earlier process has begun it.
    """
    position, record = run.position, run.position.record
    if position.task and not record and stream.measured_after(position.task - 1):
        measure_after(run, tests, position.task - 1)  # what there was before
    state = optimizer_state or {}
    while position.task < len(stream):
        _learn_task(run, stream, tests, state)
        state = {}


def _learn_task(run: MethodRun, stream: Stream, tests: TestSets, optimizer_state: Json) -> None:
    method, position, fabric = run.method, run.position, run.context.fabric
    task = stream.task(position.task, with_earlier=method.sees_all_tasks)
    if not position.begun:
        grow_for(run, stream, position.task)
        seed_everything(run.seed, BEGIN, task.index)
        method.begin_task(task)
        position.begun = True
    else:
        method.task = task
    is_known = task.index == 0 and run.context.settings.begins_trained
    stages = [] if is_known else method.stages(task)
    run.stages = max(len(stages), 1)
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
    if len(task.train):
        method.after_task(task)
    position.seconds = run.clock.spent
    measure_after(run, tests, task.index)
    if fabric.broadcast(run.context.stopper.requested):
        stop(run.save, run.context)
    elif run.clock.due and position.task < len(stream):
        run.save()


def measure_after(run: MethodRun, tests: TestSets, index: int) -> None:
    """Count a task as complete, and write down what is known after it."""
    position, fabric = run.position, run.context.fabric
    if not tests.stream.measured_after(index):
        position.end_task(None)  # of what was known before there is no test image
        return
    measured = measure(run.method, tests, index, fabric)
    measured |= {"seconds": round(position.seconds, 4), **sizes_of(run.method)}
    position.end_task(measured)
    position.task = index + 1
    if fabric.is_global_zero:
        row = {"method": run.name, "seed": run.seed, "task": position.task, **measured}
        run.write(row)


def grow_for(run: MethodRun, stream: Stream, index: int) -> None:
    """Make room for the classes of a task."""
    method = run.method
    task = stream.task(index, with_earlier=method.sees_all_tasks)
    seed_everything(run.seed, GROW, index)
    method.task = task
    method.grow(task)
    method.to(run.context.fabric.device)
    run.tasks[index:] = [stream.task(index).columns]
