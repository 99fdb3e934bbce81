"""One autograd node for a loss whose gradient is made beside its value.

The graph of a training step then has one entry, and keeps nothing but the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from didact.losses.fast.fused import Plain, apply, plain_gradient

Make = Callable[[Tensor], tuple[Tensor, Tensor, float]]
"""From the student's logits to the value, its gradient but for a factor, and this factor."""


class GradientNode(Function):
    """Value forward, gradient kept for the one backward pass that a training step makes."""

    @staticmethod
    def forward(ctx: Any, student: Tensor, make: Make, plain: Plain, inplace: bool) -> Tensor:
        """The value; the gradient is kept."""
        ctx.plain, ctx.inplace, ctx.dtype = plain, inplace, student.dtype
        if not inplace:
            ctx.save_for_backward(student)
        value, ctx.gradient, ctx.factor = make(student)
        return value

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        """The kept gradient, given away; whoever comes again is served by the plain formula."""
        gradient: Tensor | None = ctx.gradient
        if gradient is None or torch.is_grad_enabled():
            return plain_gradient(ctx, upstream[0]), None, None, None
        ctx.gradient = None
        factor = ctx.factor * upstream[0].item()
        if not gradient.is_contiguous():  # of a few classes, which lie first in memory
            place = torch.empty(gradient.shape, dtype=gradient.dtype)
            gradient = torch.mul(gradient, factor, out=place)
        elif factor != 1:
            gradient.mul_(factor)
        if gradient.dtype != ctx.dtype:
            gradient = gradient.to(ctx.dtype)
        return gradient, None, None, None


def with_gradient(student: Tensor, make: Make, plain: Plain, *, inplace: bool = False) -> Tensor:
    """A scalar loss through one node; :func:`can_fuse` must have said that it can serve.

    Args:
        student: ``(..., classes)``, which may need a gradient.
        make: The value and its gradient.
        plain: The same loss by differentiable operations, for a second or double backward pass.
        inplace: ``make`` writes the gradient over the student's logits.
    """
    if not (student.requires_grad and torch.is_grad_enabled()):
        return plain(student)
    return apply(GradientNode, student, make, plain, inplace)
