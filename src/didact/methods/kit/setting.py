"""What the loop tells a method: where it is, what a stage of training is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from didact.data import AnySplit


@dataclass(frozen=True)
class Setting:
    """What does not change during a run of one method with one seed.

    Attributes:
        build_network: A new network with that many logits. It has ``features(images)``, a linear
            ``classifier`` and ``forward = classifier(features)``, as every model of the zoo.
        seed: Of this run.
        epochs: Of a task's main stage.
        batch_size: Of one step, on all processes together.
        mean: Per channel, for normalisation.
        std: Likewise.
        augment: How training images are varied; ``"none"`` when each image is always the same.
        device: Where the networks are.
        rank: Of this process.
        world_size: Number of processes.
        gather: From each process's shard of a batch to the whole batch, in its order.
    """

    build_network: Callable[[int], nn.Module]
    seed: int
    epochs: int
    batch_size: int
    mean: Sequence[float]
    std: Sequence[float]
    augment: str = "none"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    world_size: int = 1
    gather: Callable[[Tensor], Tensor] = lambda shard: shard


@dataclass(frozen=True)
class Stage:
    """One stretch of training within a task.

    Attributes:
        name: ``"train"`` for the main one; :attr:`Method.stage` in ``losses``.
        split: What is trained on.
        parameters: What is trained: parameters or groups as torch's optimisers take them. None
            for all of the method's that require a gradient.
        epochs: None for the run's.
        rate: Factor on the run's learning rate (and on every group's).
        learning_rate: Instead of the run's, before ``rate``.
        optimizer: Instead of the run's.
        weight_decay: Instead of the run's.
        milestones: Instead of the run's schedule: the fractions of the stage at which the learning
            rate is multiplied by the run's ``decay``; none of them leave it as it is.
        augment: Whether the images are varied as in the run.
        evaluation_mode: Keep the networks in eval mode, so that BatchNorm stands still.
    """

    name: str
    split: AnySplit
    parameters: Callable[[], Iterable[nn.Parameter] | list[dict[str, object]]] | None = None
    epochs: int | None = None
    rate: float = 1.0
    learning_rate: float | None = None
    optimizer: Literal["sgd", "adamw", "adam"] | None = None
    weight_decay: float | None = None
    milestones: tuple[float, ...] | None = None
    augment: bool = True
    evaluation_mode: bool = False


@dataclass(frozen=True)
class Moment:
    """Which step of the run is being taken; random draws are a function of this and the seed."""

    task: int
    stage: str
    epoch: int
    step: int
