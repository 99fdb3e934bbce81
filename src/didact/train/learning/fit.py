"""The training loop of class-incremental learning: one stage of one task, one page."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from didact._core.errors import NonFiniteError
from didact.data import Batch, Batches, derived_seed
from didact.methods import Method, Moment, Stage
from didact.train.learning.settings import LearnSettings
from didact.train.learning.state import LearnPosition, StateFile
from didact.train.loop.fabric import Fabric
from didact.train.loop.heap import heap_kept
from didact.train.loop.optimizers import SGD, Adam, AdamW
from didact.train.loop.schedule import learning_rate
from didact.train.record.interrupt import StoppedError, Stopper
from didact.train.record.log import Log
from didact.train.record.run_folder import RunFolder

Json = dict[str, Any]


@dataclass
class Cell:
    """One method with one seed, and what it is run with."""

    name: str
    seed: int
    settings: LearnSettings
    fabric: Fabric
    folder: RunFolder
    state: StateFile
    log: Log
    stopper: Stopper
    position: LearnPosition
    method: Method
    stages: int = 1
    """Of the task that is being learned."""
    saved: float = 0.0
    began: float = 0.0

    def save(self, optimizer: Optimizer | None = None) -> None:
        """Write the state of this moment."""
        self.position.seconds = time.monotonic() - self.began
        if self.fabric.is_global_zero:
            state = None if optimizer is None else optimizer.state_dict()
            self.state.save(self.position, self.method, state)
        self.saved = time.monotonic()

    @property
    def save_is_due(self) -> bool:
        """Whether enough time has passed since the last state was written."""
        return time.monotonic() - self.saved >= self.settings.checkpoint_seconds

    def stop(self, optimizer: Optimizer | None = None) -> None:
        """Write the state and end the run.

        Raises:
            StoppedError: Always.
        """
        self.save(optimizer)
        raise StoppedError(
            f"stopped; nothing is lost. Go on with: didact learn --resume {self.run_folder}"
        )

    @property
    def run_folder(self) -> str:
        """The folder that holds this cell's."""
        return str(self.folder.path.parent.parent)


@heap_kept()
def fit_stage(cell: Cell, stage: Stage, optimizer_state: Json) -> None:
    """Train one stage in place, from the cell's position on.

    Raises:
        NonFiniteError: The loss became NaN or infinite; the last state is kept.
        StoppedError: The user asked to stop; a state was written first.
    """
    fabric, settings, method, position = cell.fabric, cell.settings, cell.method, cell.position
    epochs = _epochs(stage, cell)
    base = (stage.learning_rate or settings.learning_rate) * stage.rate
    batches, optimizer = _batches(cell, stage), _optimizer(cell, stage, base)
    if optimizer_state:
        optimizer.load_state_dict(optimizer_state)
        _lay_out(optimizer)
    model, stepper = _set_up(method, optimizer, fabric, settings)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    sums = {name: torch.tensor(value, dtype=torch.float64) for name, value in position.sums.items()}
    steps = len(batches)

    def save() -> None:
        position.sums = {name: float(value) for name, value in sums.items()}
        _refuse_non_finite(position, cell, base)
        cell.save(optimizer)

    while position.epoch < epochs:
        method.train(not stage.evaluation_mode)
        for batch in batches.epoch(position.epoch, start=position.step):
            fraction = (position.epoch * steps + position.step) / (epochs * steps)
            set_rates(optimizer, learning_rate(settings, base, fraction))
            method.moment = Moment(position.task, stage.name, position.epoch, position.step)
            for parameter in parameters:
                parameter.grad = None
            batch = _in_format(batch, settings)
            terms = model(batch)
            loss = _sum(terms)
            fabric.backward(loss if batch.weight == 1 else loss * batch.weight)
            method.after_backward(batch)
            if settings.clip_norm is not None:
                module = cast("nn.Module", model)
                fabric.clip_gradients(
                    module, stepper, max_norm=settings.clip_norm, error_if_nonfinite=False
                )
            stepper.step()
            method.after_step(batch)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value.detach().double()
            position.step += 1
            if cell.save_is_due:
                save()
            if cell.stopper.requested and fabric.world_size == 1:
                save()
                cell.stop(optimizer)
        position.sums = {name: float(value) for name, value in sums.items()}
        _end_epoch(cell, stage, epochs, steps, base)
        sums = {}
        if fabric.broadcast(cell.stopper.requested):
            cell.stop(optimizer)
    _same_buffers(method, fabric)


def _epochs(stage: Stage, cell: Cell) -> int:
    settings = cell.settings
    if settings.online:
        return 1
    first = settings.first_epochs if cell.position.task == 0 else None
    return stage.epochs or first or settings.epochs


def _batches(cell: Cell, stage: Stage) -> Batches:
    settings, setting = cell.settings, cell.method.setting
    one_left = len(stage.split) % settings.batch_size == 1
    return Batches(
        stage.split,
        batch_size=settings.batch_size // setting.world_size,
        seed=derived_seed(cell.seed, "batches", cell.position.task, stage.name),
        shuffle=True,
        augment=settings.augment if stage.augment else "none",
        mean=setting.mean,
        std=setting.std,
        rank=setting.rank,
        world_size=setting.world_size,
        # BatchNorm cannot train on one sample; the rule is the same for any number of processes.
        drop_last=one_left and len(stage.split) > settings.batch_size,
        device=setting.device,
        workers=settings.workers,
    )


def _optimizer(cell: Cell, stage: Stage, base: float) -> Optimizer:
    settings = cell.settings
    given = stage.parameters() if stage.parameters is not None else cell.method.parameters()
    chosen = list(given)
    groups = [group for group in chosen if isinstance(group, dict)]
    single = [p for p in chosen if isinstance(p, nn.Parameter) and p.requires_grad]
    if single:
        groups.append({"params": single})
    decay = settings.weight_decay if stage.weight_decay is None else stage.weight_decay
    kind = stage.optimizer or settings.optimizer
    on = {p.device.type for group in groups for p in cast("list[Tensor]", group["params"])}
    fused = on <= {"cpu", "cuda"}
    if kind == "sgd":
        momentum = settings.momentum
        return SGD(groups, lr=base, momentum=momentum, weight_decay=decay, fused=fused)
    return (Adam if kind == "adam" else AdamW)(groups, lr=base, weight_decay=decay, fused=fused)


def _lay_out(optimizer: Optimizer) -> None:
    """Give what was read from a file its parameter's memory format, which the fused steps need."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def set_rates(optimizer: Optimizer, value: float) -> None:
    """Give each group the learning rate times its own ``factor``."""
    for group in optimizer.param_groups:
        group["lr"] = value * group.get("factor", 1.0)


def _set_up(
    method: Method, optimizer: Optimizer, fabric: Fabric, settings: LearnSettings
) -> tuple[Callable[[Batch], dict[str, Tensor]], Optimizer]:
    """The method as Fabric wraps it; the bare one where there is nothing to wrap for."""
    if fabric.world_size == 1 and settings.precision == "32-true":
        return method, optimizer
    wrapped, stepper = fabric.setup(method, optimizer)
    return cast("Callable[[Batch], dict[str, Tensor]]", wrapped), cast("Optimizer", stepper)


def _in_format(batch: Batch, settings: LearnSettings) -> Batch:
    if not settings.channels_last:
        return batch
    return batch._replace(images=batch.images.contiguous(memory_format=torch.channels_last))


def _sum(terms: dict[str, Tensor]) -> Tensor:
    values = list(terms.values())
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _end_epoch(cell: Cell, stage: Stage, epochs: int, steps: int, base: float) -> None:
    position, settings, fabric = cell.position, cell.settings, cell.fabric
    _refuse_non_finite(position, cell, base)
    means = {name: value / steps for name, value in position.sums.items()}
    if fabric.world_size > 1:
        shared = fabric.all_reduce(torch.tensor(list(means.values())), reduce_op="mean")
        means = dict(zip(means, cast("Tensor", shared).tolist(), strict=True))
    position.end_epoch()
    position.seconds = time.monotonic() - cell.began
    row = {
        "method": cell.name,
        "seed": cell.seed,
        "task": position.task + 1,
        "stage": stage.name,
        "stage_number": position.stage,
        "epoch": position.epoch,
        "epochs": epochs,
        "train_loss": sum(means.values()),
        "terms": means,
        "learning_rate": learning_rate(settings, base, position.epoch / epochs),
        "seconds": round(position.seconds, 4),
    }
    if fabric.is_global_zero:
        cell.folder.add_row(row)
    cell.log.reach(
        position.task + (position.stage + position.epoch / epochs) / cell.stages,
        f"{cell.name} seed {cell.seed} task {position.task + 1} {stage.name} "
        f"epoch {position.epoch}/{epochs}  loss {row['train_loss']:.3f}",
    )


def _refuse_non_finite(position: LearnPosition, cell: Cell, base: float) -> None:
    total = sum(position.sums.values())
    if not math.isfinite(total):
        raise NonFiniteError(
            f"the loss of {cell.name}, seed {cell.seed}, became {total} in task "
            f"{position.task + 1}, epoch {position.epoch + 1}; the last good state is kept. Try a "
            f"smaller --learning-rate (now {base:g}) or --clip-norm 1"
        )


def _same_buffers(method: Method, fabric: Fabric) -> None:
    """Each process has seen other samples; BatchNorm's statistics become the first one's."""
    if fabric.world_size > 1:
        for buffer in method.buffers():
            torch.distributed.broadcast(buffer, src=0)
