"""One stage of one task: the settings of its training, and what is written about its epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from didact.data import Batch, Batches, derived_seed
from didact.methods import Method, Moment, Stage
from didact.nn import modules_with_own_terms, taken
from didact.train.learning.logging import CellLoggers
from didact.train.learning.settings import LearnSettings
from didact.train.learning.state import LearnPosition, StateFile
from didact.train.loop.fabric import Fabric
from didact.train.loop.fit import (
    FitSpec,
    RunContext,
    SaveClock,
    last_is_too_small,
    sum_terms,
    train_epochs,
)
from didact.train.loop.schedule import build_optimizer, learning_rate, load_optimizer_state
from didact.train.record.run_folder import Row, RunFolder

Json = dict[str, Any]


@dataclass
class MethodRun:
    """One method with one seed, and what it is run with.

    Attributes:
        folder: Its own, inside that of the run.
        tasks: The columns of each task that has begun.
        stages: How many the task that is being learned has.
        loggers: Of the user's, in the first process; told of each row of the record.
    """

    name: str
    seed: int
    context: RunContext[LearnSettings]
    folder: RunFolder
    state: StateFile
    position: LearnPosition
    method: Method
    tasks: list[tuple[int, ...]]
    clock: SaveClock
    stages: int = 1
    loggers: CellLoggers | None = None

    def save(self, optimizer: Optimizer | None = None) -> None:
        """Write the state of this moment."""
        self.position.seconds = self.clock.spent
        if self.context.fabric.is_global_zero:
            self._write(optimizer)
        self.clock.saved()

    def write(self, row: Row) -> None:
        """Add a row to the record; called in the first process alone."""
        self.folder.add_row(row)
        if self.loggers is not None:
            self.loggers.row(row)

    def _write(self, optimizer: Optimizer | None) -> None:
        state = None if optimizer is None else optimizer.state_dict()
        self.folder.sync()
        self.state.save(self.position, self.method, state)


def fit_stage(run: MethodRun, stage: Stage, optimizer_state: Json) -> None:
    """Train one stage in place, from the run's position on.

    Raises:
        NonFiniteError: The loss became NaN or infinite; the last state is kept.
        StoppedError: The user asked to stop; a state was written first.
    """
    fabric, settings = run.context.fabric, run.context.settings
    method, position = run.method, run.position
    epochs = _epochs(stage, run)
    base = (stage.learning_rate or settings.learning_rate) * stage.rate
    optimizer = _optimizer(run, stage, base)
    if optimizer_state:
        load_optimizer_state(optimizer, optimizer_state)

    outspoken = modules_with_own_terms(method)

    def backward(model: nn.Module, batch: Batch, fraction: float) -> Mapping[str, Tensor]:
        del fraction
        method.moment = Moment(position.task, stage.name, position.epoch, position.step)
        terms: dict[str, Tensor] = model(_in_format(batch, settings)) | taken(outspoken)
        fabric.backward(sum_terms(terms))
        return {name: value.detach() for name, value in terms.items()}

    spec = FitSpec(
        title=f"{run.name}, seed {run.seed}",
        within=f"task {position.task + 1}, ",
        module=method,
        optimizer=optimizer,
        batches=_batches(run, stage),
        epochs=epochs,
        learning_rate=base,
        position=position,
        clock=run.clock,
        backward=backward,
        end_epoch=lambda _, means: _end_epoch(run, stage, epochs, base, means),
        save=partial(run._write, optimizer),
        after_backward=method.after_backward,
        after_step=method.after_step,
        evaluation_mode=stage.evaluation_mode,
        schedule=_schedule(stage, settings),
    )
    train_epochs(spec, run.context)
    _same_buffers(method, fabric)


def _epochs(stage: Stage, run: MethodRun) -> int:
    settings = run.context.settings
    if settings.online:
        return 1
    first = settings.first_epochs if run.position.task == 0 else None
    return stage.epochs or first or settings.epochs


def _schedule(stage: Stage, settings: LearnSettings) -> LearnSettings:
    """The run's schedule, or that of the stage."""
    if stage.milestones is None:
        return settings
    own = {"schedule": "step", "milestones": stage.milestones}
    return settings.model_copy(update=own)


def _batches(run: MethodRun, stage: Stage) -> Batches:
    settings, known = run.context.settings, run.method.setting
    return Batches(
        stage.split,
        batch_size=settings.batch_size // known.world_size,
        seed=derived_seed(run.seed, "batches", run.position.task, stage.name),
        shuffle=True,
        augment=settings.augment if stage.augment else "none",
        mean=known.mean,
        std=known.std,
        rank=known.rank,
        world_size=known.world_size,
        drop_last=last_is_too_small(run.method, len(stage.split), settings, settings.devices),
        device=known.device,
        workers=settings.workers,
    )


def _optimizer(run: MethodRun, stage: Stage, base: float) -> Optimizer:
    settings = run.context.settings
    given = stage.parameters() if stage.parameters is not None else run.method.parameters()
    return build_optimizer(
        stage.optimizer or settings.optimizer,
        given,
        learning_rate=base,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay if stage.weight_decay is None else stage.weight_decay,
    )


def _in_format(batch: Batch, settings: LearnSettings) -> Batch:
    if not settings.channels_last:
        return batch
    return batch._replace(images=batch.images.contiguous(memory_format=torch.channels_last))


def _end_epoch(
    run: MethodRun, stage: Stage, epochs: int, base: float, means: dict[str, float]
) -> None:
    position, context = run.position, run.context
    position.end_epoch()
    row = {
        "method": run.name,
        "seed": run.seed,
        "task": position.task + 1,
        "stage": stage.name,
        "stage_number": position.stage,
        "epoch": position.epoch,
        "epochs": epochs,
        "train_loss": sum(means.values()),
        "terms": means,
        "learning_rate": learning_rate(
            _schedule(stage, context.settings), base, position.epoch / epochs
        ),
        "seconds": round(position.seconds, 4),
    }
    if context.fabric.is_global_zero:
        run.write(row)
    context.log.reach(
        position.task + (position.stage + position.epoch / epochs) / run.stages,
        f"{run.name} seed {run.seed} task {position.task + 1} {stage.name} "
        f"epoch {position.epoch}/{epochs}  loss {row['train_loss']:.3f}",
    )


def _same_buffers(method: Method, fabric: Fabric) -> None:
    """Each process has seen other samples; BatchNorm's statistics become the first one's."""
    if fabric.world_size > 1:
        for buffer in method.buffers():
            torch.distributed.broadcast(buffer, src=0)
