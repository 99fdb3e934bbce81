"""The training loop of every kind of run: steps, checkpoints, stopping, and what is refused."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from didact._core.errors import DataError, NonFiniteError
from didact.data import Batch
from didact.train.loop.fabric import Fabric
from didact.train.loop.schedule import learning_rate, set_learning_rate
from didact.train.loop.settings import SharedSettings
from didact.train.record.interrupt import StoppedError, Stopper
from didact.train.record.log import Log
from didact.train.record.run_folder import RunFolder

S = TypeVar("S", bound=SharedSettings)
Terms = Mapping[str, Tensor]


@dataclass(frozen=True)
class RunContext(Generic[S]):
    """What all the models of a run share.

    Attributes:
        command: What the user types to go on: ``didact distill``.
    """

    command: str
    fabric: Fabric
    settings: S
    folder: RunFolder
    log: Log
    stopper: Stopper


class AnyBatches(Protocol):
    """What the loop walks through: batches that are a function of the epoch and their place."""

    @property
    def all_labelled(self) -> bool:
        """Whether every sample has a label that may be used."""

    def __len__(self) -> int:
        """Batches of an epoch."""

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Those of an epoch, from the ``start``-th on."""


class Position(Protocol):
    """How far the training has come: what a checkpoint holds of it."""

    epoch: int
    step: int
    seconds: float

    @property
    def sums(self) -> dict[str, float]:
        """Sum of each term over the steps of the epoch under way."""

    @sums.setter
    def sums(self, sums: dict[str, float]) -> None: ...


class SaveClock:
    """Time spent on a model, and whether a checkpoint of it is due."""

    def __init__(self, seconds_between: float, spent: float = 0.0) -> None:
        now = time.monotonic()
        self._between, self._began, self._saved = seconds_between, now - spent, now

    @property
    def spent(self) -> float:
        """Seconds so far, those of earlier processes included."""
        return time.monotonic() - self._began

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the last checkpoint."""
        return time.monotonic() - self._saved >= self._between

    def saved(self) -> None:
        """A checkpoint has been written."""
        self._saved = time.monotonic()


def _nothing(batch: Batch) -> None:
    del batch


@dataclass
class FitSpec:
    """One stretch of training of one model.

    Attributes:
        title: Of whom the loss is, for messages: ``lwf, seed 0``.
        within: Of what the epochs are, for messages: ``task 2, ``.
        module: What is trained; Fabric wraps it where there is something to wrap for.
        position: Where it stands; counted up here.
        backward: Adds the gradient of one step and returns its terms without a graph. Called with
            the wrapped module, the batch, and the fraction of the training that is done.
        end_epoch: Called with the wrapped module and the mean of each term over the epoch.
        save: Writes a checkpoint; called in the first process alone.
        evaluation_mode: Keep the module in eval mode, so that BatchNorm stands still.
        schedule: How the learning rate falls, where it does otherwise than in the run.
    """

    title: str
    module: nn.Module
    optimizer: Optimizer
    batches: AnyBatches
    epochs: int
    learning_rate: float
    position: Position
    clock: SaveClock
    backward: Callable[[Any, Batch, float], Terms]
    end_epoch: Callable[[nn.Module, dict[str, float]], None]
    save: Callable[[], None]
    after_backward: Callable[[Batch], None] = field(default=_nothing)
    after_step: Callable[[Batch], None] = field(default=_nothing)
    evaluation_mode: bool = False
    within: str = ""
    schedule: SharedSettings | None = None


def train_epochs(spec: FitSpec, context: RunContext[S]) -> None:
    """Train in place, from the position to the last epoch.

    Raises:
        NonFiniteError: The loss became NaN or infinite; the last checkpoint is kept.
        StoppedError: The user asked to stop; a checkpoint was written first.
        DataError: A step has one sample, and BatchNorm cannot train on it.
    """
    fabric, settings, position = context.fabric, context.settings, spec.position
    model, optimizer = wrapped(spec.module, spec.optimizer, fabric, settings)
    parameters = [p for group in spec.optimizer.param_groups for p in group["params"]]
    sums = {name: torch.tensor(value, dtype=torch.float64) for name, value in position.sums.items()}
    steps = len(spec.batches)

    def save() -> None:
        position.sums = {name: float(value) for name, value in sums.items()}
        save_state(spec, fabric)

    while position.epoch < spec.epochs:
        model.train(not spec.evaluation_mode)
        for batch in spec.batches.epoch(position.epoch, start=position.step):
            fraction = (position.epoch * steps + position.step) / (spec.epochs * steps)
            rate = learning_rate(spec.schedule or settings, spec.learning_rate, fraction)
            set_learning_rate(spec.optimizer, rate)
            for parameter in parameters:
                parameter.grad = None
            try:
                terms = spec.backward(model, batch, fraction)
            except ValueError as error:
                if "per channel" in str(error):
                    raise _one_sample(spec) from None
                raise
            spec.after_backward(batch)
            if settings.clip_norm is not None:
                fabric.clip_gradients(
                    model, optimizer, max_norm=settings.clip_norm, error_if_nonfinite=False
                )
            optimizer.step()
            spec.after_step(batch)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value.double()
            position.step += 1
            due = spec.clock.due
            if fabric.world_size == 1 and context.stopper.requested:
                stop(save, context)
            elif due:
                save()

        position.sums = {name: float(value) for name, value in sums.items()}
        refuse_non_finite(spec)
        position.seconds = spec.clock.spent
        spec.end_epoch(model, _means(position.sums, steps, fabric))
        sums = {}
        if fabric.broadcast(context.stopper.requested):
            stop(save, context)
        elif spec.clock.due:
            save()


def save_state(spec: FitSpec, fabric: Fabric) -> None:
    """Write a checkpoint of this moment, unless it is one of NaNs."""
    refuse_non_finite(spec)
    spec.position.seconds = spec.clock.spent
    if fabric.is_global_zero:
        spec.save()
    spec.clock.saved()


def stop(save: Callable[[], None], context: RunContext[S]) -> None:
    """Write a checkpoint and end the run.

    Raises:
        StoppedError: Always.
    """
    save()
    raise StoppedError(
        f"stopped; nothing is lost. Go on with: {context.command} --resume {context.folder.path}"
    )


def sum_terms(terms: Terms) -> Tensor:
    """The loss: the sum of its named terms."""
    values = list(terms.values())
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def wrapped(
    module: nn.Module, optimizer: Optimizer, fabric: Fabric, settings: SharedSettings
) -> tuple[nn.Module, Optimizer]:
    """The module and optimiser as Fabric wraps them.

    With one process in full precision the wrappers have nothing to convert or to synchronise and
    would take a tenth of a small step, so the bare ones are used.
    """
    if fabric.world_size == 1 and settings.precision == "32-true":
        return module, optimizer
    wrapped_module, wrapped_optimizer = fabric.setup(module, optimizer)
    return cast("nn.Module", wrapped_module), cast("Optimizer", wrapped_optimizer)


def refuse_non_finite(spec: FitSpec) -> None:
    """Refuse to go on from a loss that is no number.

    Raises:
        NonFiniteError: The sum over the epoch under way is NaN or infinite.
    """
    total = sum(spec.position.sums.values())
    if not math.isfinite(total):
        raise NonFiniteError(
            f"the loss of {spec.title}, became {total} in {spec.within}epoch "
            f"{spec.position.epoch + 1}; the last good checkpoint is kept. Try a smaller "
            f"--learning-rate (now {spec.learning_rate:g}), --clip-norm 1, or "
            "--precision 32-true"
        )


def _one_sample(spec: FitSpec) -> DataError:
    """What BatchNorm says of a single sample, in words."""
    return DataError(
        f"{spec.title}: a step has 1 image, and the model's BatchNorm cannot train on one; give "
        "the task more images, keep exemplars (--memory), or take a model without BatchNorm"
    )


def last_is_too_small(
    module: nn.Module, samples: int, settings: SharedSettings, parts: int
) -> bool:
    """Whether an epoch's last step, cut in ``parts``, gives BatchNorm a part of one sample.

    BatchNorm cannot train on one sample; the step is then left out.
    """
    left = samples % settings.batch_size
    few = samples > settings.batch_size and 0 < left < 2 * parts
    return few and any(isinstance(part, _BatchNorm) for part in module.modules())


def _means(sums: Mapping[str, float], steps: int, fabric: Fabric) -> dict[str, float]:
    """The mean of each term over an epoch's steps and over the processes."""
    means = {name: value / steps for name, value in sums.items()}
    if fabric.world_size > 1:
        values = torch.tensor(list(means.values()), dtype=torch.float64)
        shared = cast("Tensor", fabric.all_reduce(values, reduce_op="mean"))
        means = dict(zip(means, shared.tolist(), strict=True))
    return means
