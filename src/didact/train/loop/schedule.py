"""Learning rate over a run, the optimisers, and random numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from didact.train.loop.settings import SharedSettings


def learning_rate(settings: SharedSettings, base: float, fraction: float) -> float:
    """The learning rate when ``fraction`` of the steps is done, a warm-up included.

    ``cosine`` falls as ``base * (1 + cos(pi * fraction)) / 2``; ``step`` is multiplied by ``decay``
    at each milestone (a fraction of the run); ``constant`` stays.
    """
    if fraction < settings.rate_warmup:
        base *= fraction / settings.rate_warmup
    if settings.schedule == "cosine":
        return base * (1 + math.cos(math.pi * fraction)) / 2
    if settings.schedule == "step":
        passed = sum(fraction >= milestone for milestone in settings.milestones)
        return float(base * settings.decay**passed)
    return base


def set_learning_rate(optimizer: Optimizer, value: float) -> None:
    """Give each group the learning rate times its own ``factor``."""
    for group in optimizer.param_groups:
        group["lr"] = value * group.get("factor", 1.0)


def build_optimizer(
    kind: str,
    parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
    *,
    learning_rate: float,
    momentum: float,
    weight_decay: float,
) -> Optimizer:
    """SGD with momentum, Adam or AdamW, in their fused form on the CPU and on CUDA.

    Args:
        kind: ``"sgd"``, ``"adam"`` or ``"adamw"``.
        parameters: Parameters, of which those that require a gradient are taken, and groups.
        learning_rate: Of every group, until the schedule sets it.
        momentum: Of SGD.
        weight_decay: Of every group that has none of its own.
    """
    chosen = list(parameters)
    groups = [group for group in chosen if isinstance(group, dict)]
    single = [p for p in chosen if isinstance(p, nn.Parameter) and p.requires_grad]
    if single:
        groups.append({"params": single})
    on = {p.device.type for group in groups for p in cast("list[Tensor]", group["params"])}
    options: dict[str, Any] = {"lr": learning_rate, "weight_decay": weight_decay}
    options["fused"] = on <= {"cpu", "cuda"}  # meta and mps have no fused form
    if kind == "sgd":
        return SGD(groups, momentum=momentum, **options)
    return (Adam if kind == "adam" else AdamW)(groups, **options)


def load_optimizer_state(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Go on with an optimiser's state; each tensor in its parameter's memory format.

    A file has no memory format, and the fused steps need it.
    """
    optimizer.load_state_dict(state)
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def seed_everything(*numbers: int) -> None:
    """Seed torch from several numbers, so that arms and seeds do not share a stream."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 1_000_003 + number + 12_345) % 2**63
    torch.manual_seed(mixed)
