"""The training loop: one model, one seed, one page."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from didact._core.errors import NonFiniteError
from didact.data import Batch, Batches
from didact.train.distilling.objective import UNLABELLED, Terms, Views
from didact.train.distilling.settings import DistillSettings
from didact.train.loop.fabric import Fabric
from didact.train.loop.schedule import learning_rate, set_learning_rate
from didact.train.record.checkpoint import Checkpoints, Position, Snapshot, model_state
from didact.train.record.interrupt import StoppedError, Stopper
from didact.train.record.log import Log
from didact.train.record.run_folder import Row, RunFolder

Objective = Callable[[Views, float], Terms]
Look = Callable[[nn.Module, Batch], Views]
Validate = Callable[[nn.Module], tuple[float, float]]


@dataclass(frozen=True)
class Job:
    """One model to train.

    Attributes:
        arm: ``"teacher"``, ``"alone"``, ``"distilled"``.
        look: Runs the model (and the teachers) on a batch.
        objective: Turns what was seen into named terms; their sum is the loss.
        validate: Accuracy and negative log-likelihood on the validation split.
    """

    arm: str
    seed: int
    epochs: int
    learning_rate: float
    model: nn.Module
    optimizer: Optimizer
    batches: Batches
    look: Look
    objective: Objective
    validate: Validate


@dataclass(frozen=True)
class Surroundings:
    """What all jobs of a run share."""

    fabric: Fabric
    settings: DistillSettings
    folder: RunFolder
    checkpoints: Checkpoints
    log: Log
    stopper: Stopper


def fit(job: Job, around: Surroundings) -> Position:
    """Train ``job.model`` in place, from its checkpoint if there is one.

    Raises:
        NonFiniteError: The loss became NaN or infinite; the last checkpoint is kept.
        StoppedError: The user asked to stop; a checkpoint was written first.
    """
    fabric, settings = around.fabric, around.settings
    position, best_model = _restore(job, around)
    compiled = cast("nn.Module", torch.compile(job.model)) if settings.compile else job.model
    model, optimizer = _set_up(compiled, job.optimizer, fabric, settings)
    loss_sum = torch.zeros((), dtype=torch.float64, device=fabric.device)
    loss_sum.fill_(position.loss_sum)
    parameters = [p for group in job.optimizer.param_groups for p in group["params"]]
    steps, saved, began = len(job.batches), time.monotonic(), time.monotonic() - position.seconds

    def save() -> None:
        position.loss_sum, position.seconds = loss_sum.item(), time.monotonic() - began
        _refuse_non_finite(position.loss_sum, job, position)
        if fabric.is_global_zero:
            state = Snapshot(
                position, model_state(job.model), job.optimizer.state_dict(), best_model
            )
            around.checkpoints.save(job.arm, job.seed, state)

    while position.epoch < job.epochs:
        model.train()
        for batch in job.batches.epoch(position.epoch, start=position.step):
            fraction = (position.epoch * steps + position.step) / (job.epochs * steps)
            rate = learning_rate(settings, job.learning_rate, fraction)
            set_learning_rate(job.optimizer, rate)
            for parameter in parameters:
                parameter.grad = None
            loss_sum += _backward(job, model, batch, fraction, around)
            if settings.clip_norm is not None:
                fabric.clip_gradients(
                    model, optimizer, max_norm=settings.clip_norm, error_if_nonfinite=False
                )
            optimizer.step()
            position.step += 1
            if _time_to_save(around, saved):
                save()
                saved = time.monotonic()
            if around.stopper.requested and fabric.world_size == 1:
                _stop(around, save)

        position.seconds = time.monotonic() - began
        accuracy = _end_epoch(job, around, position, model, loss_sum)
        loss_sum.zero_()
        if accuracy > position.best[0]:
            position.best = (accuracy, position.epoch)
            best_model = model_state(job.model) if settings.select == "validation" else None
        if _time_to_save(around, saved):
            save()
            saved = time.monotonic()
        if fabric.broadcast(around.stopper.requested):
            _stop(around, save)
    if best_model is not None:
        job.model.load_state_dict(best_model)
    return position


def _backward(
    job: Job, model: nn.Module, batch: Batch, fraction: float, around: Surroundings
) -> Tensor:
    """Add the gradient of one step's loss, part by part, and return the loss."""
    fabric, count = around.fabric, around.settings.accumulate
    if count == fabric.world_size == 1 and job.batches.all_labelled:
        loss = sum_terms(job.objective(job.look(model, batch), fraction))
        fabric.backward(loss)
        return loss.detach()
    total = torch.zeros((), device=fabric.device)
    for part in (parts := _parts(batch, count)):
        done = fabric.world_size == 1 or part is parts[-1]
        with nullcontext() if done else fabric.no_backward_sync(model):
            views = _share(job.look(model, part), part, batch)
            loss = sum_terms(job.objective(views, fraction))
            fabric.backward(loss)
        total += loss.detach()
    return total


def sum_terms(terms: Terms) -> Tensor:
    """The loss: the sum of its named terms."""
    values = list(terms.values())
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _set_up(
    model: nn.Module, optimizer: Optimizer, fabric: Fabric, settings: DistillSettings
) -> tuple[nn.Module, Optimizer]:
    """The model and optimiser as Fabric wraps them.

    With one process in full precision the wrappers have nothing to convert or to synchronise and
    would take a tenth of a small step, so the bare ones are used.
    """
    if fabric.world_size == 1 and settings.precision == "32-true":
        return model, optimizer
    wrapped_model, wrapped_optimizer = fabric.setup(model, optimizer)
    return wrapped_model, wrapped_optimizer


def _restore(job: Job, around: Surroundings) -> tuple[Position, dict[str, Tensor] | None]:
    snapshot = around.checkpoints.load(job.arm, job.seed)
    if snapshot is None:
        position, best_model = Position(), None
    else:
        job.model.load_state_dict(snapshot.model)
        job.optimizer.load_state_dict(snapshot.optimizer)
        position, best_model = snapshot.position, snapshot.best_model
    if around.fabric.is_global_zero:
        around.folder.keep_rows(
            lambda row: (
                (row["arm"], row["seed"]) != (job.arm, job.seed) or row["epoch"] <= position.epoch
            )
        )
    around.log.skip(position.epoch)
    return position, best_model


def _parts(batch: Batch, count: int) -> list[Batch]:
    """The micro-batches of one step, of sizes that differ by at most one."""
    pieces = zip(
        batch.images.tensor_split(count),
        batch.labels.tensor_split(count),
        batch.indices.tensor_split(count),
        strict=True,
    )
    return [Batch(*piece) for piece in pieces if len(piece[1])]


def _share(views: Views, part: Batch, batch: Batch) -> Views:
    """Give the part its share of the step, so that parts and devices add up to one mean."""
    labelled = int((part.labels != UNLABELLED).sum())
    of_batch = int((batch.labels != UNLABELLED).sum())
    return replace(
        views,
        share=batch.weight * len(part.labels) / len(batch.labels),
        labelled_share=batch.label_weight * labelled / max(of_batch, 1),
    )


def _end_epoch(
    job: Job, around: Surroundings, position: Position, model: nn.Module, loss_sum: Tensor
) -> float:
    """Validate, write the epoch's row, and return the validation accuracy."""
    _refuse_non_finite(float(loss_sum), job, position)
    model.eval()
    accuracy, nll = job.validate(model)
    fabric = around.fabric
    position.end_epoch()
    total = cast("Tensor", fabric.all_reduce(loss_sum.clone(), reduce_op="mean"))
    fraction = position.epoch / job.epochs
    row: Row = {
        "seed": job.seed,
        "arm": job.arm,
        "epoch": position.epoch,
        "epochs": job.epochs,
        "train_loss": float(total) / len(job.batches),
        "validation_accuracy": accuracy,
        "validation_nll": nll,
        "learning_rate": learning_rate(around.settings, job.learning_rate, fraction),
        "seconds": round(position.seconds, 4),
    }
    if fabric.is_global_zero:
        around.folder.add_row(row)
    around.log.epoch(row)
    return accuracy


def _refuse_non_finite(loss_sum: float, job: Job, position: Position) -> None:
    if not math.isfinite(loss_sum):
        raise NonFiniteError(
            f"the loss of arm {job.arm!r}, seed {job.seed}, became {loss_sum} in epoch "
            f"{position.epoch + 1}; the last good checkpoint is kept. Try a smaller "
            f"--learning-rate (now {job.learning_rate}), --clip-norm 1, or --precision 32-true"
        )


def _time_to_save(around: Surroundings, saved: float) -> bool:
    return time.monotonic() - saved >= around.settings.checkpoint_seconds


def _stop(around: Surroundings, save: Callable[[], None]) -> None:
    save()
    raise StoppedError(
        f"stopped; nothing is lost. Go on with: didact distill --resume {around.folder.path}"
    )
