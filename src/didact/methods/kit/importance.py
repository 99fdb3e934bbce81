"""Parameters that must not move: an anchor for each number, and how much it matters."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

MAX_PENALTY_WEIGHT = 10.0


def quadratic_penalty(
    parameters: Mapping[str, Tensor], anchors: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> Tensor:
    """``1/2 * sum_i weight_i * (parameter_i - anchor_i)^2``.

    Args:
        parameters: What is trained, by name. A classifier that has grown is compared in the part
            that it had when the anchor was dropped: its first classes.
        anchors: Where each parameter was.
        weights: At least 0, shapes as the anchors'.

    Returns:
        A scalar; 0 where there is no anchor yet.
    """
    total = next(iter(parameters.values())).new_zeros(())
    for name, anchor in anchors.items():
        moved = leading_block(parameters[name], anchor.shape) - anchor
        total = total + (weights[name] * moved.square()).sum()
    return total / 2


def penalty_weights_of(importances: Mapping[str, Tensor], factor: float) -> dict[str, Tensor]:
    """``min(factor * importance, 10)`` by name.

    Gradient steps on a quadratic penalty diverge where learning rate times weight comes near 2, so
    at the usual learning rates no weight may be above 10. A parameter held like that is back at
    its anchor within a few steps; a larger weight could not hold it any better.
    """
    return {
        name: (factor * value).clamp(max=MAX_PENALTY_WEIGHT) for name, value in importances.items()
    }


def leading_block(tensor: Tensor, shape: torch.Size) -> Tensor:
    """The part of a grown tensor that was there when it had ``shape``."""
    return tensor[tuple(slice(0, size) for size in shape)]


def padded(tensor: Tensor, shape: torch.Size) -> Tensor:
    """``tensor`` followed by zeros in every dimension, up to ``shape``."""
    if tensor.shape == shape:
        return tensor
    grown = tensor.new_zeros(shape)
    leading_block(grown, tensor.shape).copy_(tensor)
    return grown


def add_importances(
    left: Mapping[str, Tensor], right: Mapping[str, Tensor], *, decay: float = 1.0
) -> dict[str, Tensor]:
    """``decay * left + right`` by name; what has grown since counts 0 on the left."""
    return {
        name: new + decay * padded(left[name], new.shape) if name in left else new.clone()
        for name, new in right.items()
    }
