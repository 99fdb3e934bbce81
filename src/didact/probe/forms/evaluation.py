"""A value and its gradient with respect to the student."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A value and the student's gradient.

    Attributes:
        value: The loss.
        gradient: Shaped like the student's input, in float64; zero where none arrives.
        connected: Whether a gradient path reaches the student at all.
    """

    value: float
    gradient: Tensor
    connected: bool

    @property
    def finite(self) -> bool:
        """Whether the value and every part of the gradient are numbers."""
        return bool(torch.isfinite(self.gradient).all()) and abs(self.value) < float("inf")

    @property
    def norm(self) -> float:
        """The length of the gradient."""
        return float(self.gradient.norm())


def evaluate(value: Tensor, student: Tensor) -> Evaluation:
    """The value and its gradient with respect to ``student``."""
    gradient = None
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value, student, allow_unused=True)
    connected = gradient is not None
    dense = torch.zeros_like(student) if gradient is None else gradient
    return Evaluation(float(value.detach()), dense.detach().to(torch.float64), connected)
