"""Learning rate over a run, and the optimisers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from didact.train.distilling.settings import DistillSettings
from didact.train.loop.optimizers import SGD, AdamW


class Schedule(Protocol):
    """The settings that decide the learning rate."""

    @property
    def schedule(self) -> Literal["cosine", "step", "constant"]:
        """How the learning rate falls."""

    @property
    def milestones(self) -> tuple[float, ...]:
        """Shares of the training at which it is multiplied."""

    @property
    def decay(self) -> float:
        """By what it is multiplied there."""


def learning_rate(settings: Schedule, base: float, fraction: float) -> float:
    """The learning rate when ``fraction`` of the steps is done.

    ``cosine`` falls as ``base * (1 + cos(pi * fraction)) / 2``; ``step`` is multiplied by ``decay``
    at each milestone (a fraction of the run); ``constant`` stays.
    """
    if settings.schedule == "cosine":
        return base * (1 + math.cos(math.pi * fraction)) / 2
    if settings.schedule == "step":
        passed = sum(fraction >= milestone for milestone in settings.milestones)
        return float(base * settings.decay**passed)
    return base


def build_optimizer(
    settings: DistillSettings, base: float, parameters: Iterable[nn.Parameter]
) -> Optimizer:
    """SGD with momentum or AdamW, in their fused form on the CPU and on CUDA."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in trained)
    # The fused form wants one device and floating point; meta and mps have none.
    if settings.optimizer == "adamw":
        return AdamW(trained, lr=base, weight_decay=settings.weight_decay, fused=fused)
    return SGD(
        trained,
        lr=base,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        fused=fused,
    )


def set_learning_rate(optimizer: Optimizer, value: float) -> None:
    """Give every parameter group the same learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = value


def seed_everything(*numbers: int) -> None:
    """Seed torch from several numbers, so that arms and seeds do not share a stream."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 1_000_003 + number + 12_345) % 2**63
    torch.manual_seed(mixed)
