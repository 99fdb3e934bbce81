"""One model of one seed: its steps, micro-batch by micro-batch, and its epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from didact.data import Batch, is_labelled
from didact.nn import HasOwnTerms, modules_with_own_terms, taken
from didact.train.distilling.hooks import Hooks, Step
from didact.train.distilling.objective import StepOutputs, Terms
from didact.train.distilling.settings import DistillSettings
from didact.train.loop.fit import (
    AnyBatches,
    FitSpec,
    RunContext,
    SaveClock,
    sum_terms,
    train_epochs,
)
from didact.train.loop.schedule import learning_rate, load_optimizer_state
from didact.train.record.checkpoint import Checkpoints, Position, Snapshot, model_state
from didact.train.record.run_folder import Row

Objective = Callable[[StepOutputs, float], Terms]
ForwardFn = Callable[[nn.Module, Batch], StepOutputs]
Validate = Callable[[nn.Module], tuple[float, dict[str, float]]]
"""How good a model is, more being better, and what the row of an epoch says of it."""


@dataclass(frozen=True)
class DistillContext(RunContext[DistillSettings]):
    """What all the models of a seed share."""

    checkpoints: Checkpoints
    hooks: Hooks


@dataclass(frozen=True)
class ModelSpec:
    """One model to train.

    Attributes:
        arm: ``"teacher"``, ``"alone"``, ``"distilled"``.
        forward_fn: Runs the model (and the teachers) on a batch.
        objective: Turns what came out into named terms; their sum is the loss.
        validate: Looks at the validation split.
        measure: The numbers of the trained model that the run is judged by, for loggers.
    """

    arm: str
    seed: int
    epochs: int
    learning_rate: float
    model: nn.Module
    optimizer: Optimizer
    batches: AnyBatches
    forward_fn: ForwardFn
    objective: Objective
    validate: Validate
    measure: Callable[[], Mapping[str, float]]


def fit(spec: ModelSpec, context: DistillContext) -> Position:
    """Train ``spec.model`` in place, from its checkpoint if there is one.

    Raises:
        NonFiniteError: The loss became NaN or infinite; the last checkpoint is kept.
        StoppedError: The user asked to stop; a checkpoint was written first.
    """
    settings = context.settings
    position, best_model = _restore(spec, context)
    hooks = context.hooks if context.fabric.is_global_zero else Hooks()
    loggers = hooks.of_arm(context.folder, spec.arm, spec.seed, settings)
    last_loss = torch.zeros(())
    outspoken = modules_with_own_terms(spec.model)

    def backward(model: nn.Module, batch: Batch, fraction: float) -> Terms:
        nonlocal last_loss
        last_loss = _backward(spec, model, batch, fraction, context, outspoken)
        return {"loss": last_loss}

    def after_step(batch: Batch) -> None:
        place = (spec.arm, spec.seed, position.epoch, position.step + 1)
        hooks.step(Step(*place, last_loss, spec.model, batch))

    def end_epoch(model: nn.Module, means: dict[str, float]) -> None:
        nonlocal best_model
        found, row = _end_epoch(spec, context, position, model, means["loss"])
        loggers.epoch(row)
        hooks.epoch(row)
        if position.best[1] == 0 or found > position.best[0]:
            position.best = (found, position.epoch)
            best_model = model_state(spec.model) if settings.select == "validation" else None

    def save() -> None:
        state = spec.optimizer.state_dict()
        snapshot = Snapshot(position, model_state(spec.model), state, best_model)
        context.folder.sync()
        context.checkpoints.save(spec.arm, spec.seed, snapshot)

    compiled = cast("nn.Module", torch.compile(spec.model)) if settings.compile else spec.model
    training = FitSpec(
        title=f"arm {spec.arm!r}, seed {spec.seed}",
        module=compiled,
        optimizer=spec.optimizer,
        batches=spec.batches,
        epochs=spec.epochs,
        learning_rate=spec.learning_rate,
        position=position,
        clock=SaveClock(settings.checkpoint_seconds, position.seconds),
        backward=backward,
        end_epoch=end_epoch,
        save=save,
        after_step=after_step,
    )
    try:
        train_epochs(training, context)
    except BaseException:
        loggers.close("interrupted")
        raise
    if best_model is not None:
        spec.model.load_state_dict(best_model)
    if loggers:
        loggers.end(spec.measure(), position.epoch)
    return position


def _backward(
    spec: ModelSpec,
    model: nn.Module,
    batch: Batch,
    fraction: float,
    context: DistillContext,
    outspoken: list[HasOwnTerms],
) -> Tensor:
    """Add the gradient of one step's loss, micro-batch by micro-batch, and return the loss."""
    fabric, count = context.fabric, context.settings.accumulate
    if count == fabric.world_size == 1 and spec.batches.all_labelled:
        loss = sum_terms(spec.objective(spec.forward_fn(model, batch), fraction) | taken(outspoken))
        fabric.backward(loss)
        return loss.detach()
    total = torch.zeros((), device=fabric.device)
    for part in (parts := _micro_batches(batch, count)):
        done = fabric.world_size == 1 or part is parts[-1]
        with nullcontext() if done else fabric.no_backward_sync(cast("Any", model)):
            outputs = _share(spec.forward_fn(model, part), part, batch)
            own = {name: value * outputs.share for name, value in taken(outspoken).items()}
            loss = sum_terms(spec.objective(outputs, fraction) | own)
            fabric.backward(loss)
        total += loss.detach()
    return total


def _restore(spec: ModelSpec, context: DistillContext) -> tuple[Position, dict[str, Tensor] | None]:
    snapshot = context.checkpoints.load(spec.arm, spec.seed)
    if snapshot is None:
        position, best_model = Position(), None
    else:
        spec.model.load_state_dict(snapshot.model)
        load_optimizer_state(spec.optimizer, snapshot.optimizer)
        position, best_model = snapshot.position, snapshot.best_model
    if context.fabric.is_global_zero:
        context.folder.keep_rows(
            lambda row: (
                (row["arm"], row["seed"]) != (spec.arm, spec.seed) or row["epoch"] <= position.epoch
            )
        )
        refuse_lost_rows(context, spec.arm, spec.seed, position.epoch)
    context.log.skip(position.epoch)
    return position, best_model


def refuse_lost_rows(context: DistillContext, arm: str, seed: int, epochs: int) -> None:
    """See that the record has each of an arm's epochs that will not be run again.

    Raises:
        CheckpointError: Lines of it are gone, or there twice.
    """
    context.folder.refuse_lost_rows(
        lambda row: (row["arm"], row["seed"]) == (arm, seed), epochs, f"{arm} of seed {seed}"
    )


def _micro_batches(batch: Batch, count: int) -> list[Batch]:
    """The micro-batches of one step, of sizes that differ by at most one."""
    pieces = zip(
        batch.images.tensor_split(count),
        batch.labels.tensor_split(count),
        batch.indices.tensor_split(count),
        strict=True,
    )
    return [Batch(*piece) for piece in pieces if len(piece[1])]


def _share(outputs: StepOutputs, part: Batch, batch: Batch) -> StepOutputs:
    """Give the part its share of the step, so that parts and devices add up to one mean."""
    labelled = int(is_labelled(part.labels).sum())
    of_batch = int(is_labelled(batch.labels).sum())
    return replace(
        outputs,
        share=batch.weight * len(part.labels) / len(batch.labels),
        labelled_share=batch.label_weight * labelled / max(of_batch, 1),
    )


def _end_epoch(
    spec: ModelSpec,
    context: DistillContext,
    position: Position,
    model: nn.Module,
    train_loss: float,
) -> tuple[float, Row]:
    """Validate, write the epoch's row, and return how good the model is, and the row."""
    model.eval()
    goodness, validated = spec.validate(model)
    position.end_epoch()
    fraction = position.epoch / spec.epochs
    row: Row = {
        "seed": spec.seed,
        "arm": spec.arm,
        "epoch": position.epoch,
        "epochs": spec.epochs,
        "train_loss": train_loss,
        **validated,
        "learning_rate": learning_rate(context.settings, spec.learning_rate, fraction),
        "seconds": round(position.seconds, 4),
    }
    if context.fabric.is_global_zero:
        context.folder.add_row(row)
    context.log.epoch(row)
    return goodness, row
