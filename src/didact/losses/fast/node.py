"""The one autograd node of the losses, and the question whether it can serve.

A loss whose gradient is known makes it beside its value: the graph of a training step has one
entry, and keeps nothing but the student's tensor and the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from didact._core.errors import UsageError
from didact.losses.kit.precision import values_can_be_read

Make = Callable[[Tensor, bool], tuple[Tensor, Tensor | None, float]]
"""From the student's tensor, and whether a gradient is wanted, to the value, the gradient but for
a factor, and this factor. Called without a graph."""
Plain = Callable[[Tensor], Tensor]
"""The same loss of the student's tensor by differentiable operations."""
_PLAIN_TYPES = (Tensor, torch.nn.Parameter)


def can_serve(student: Tensor, *others: Tensor) -> bool:
    """Whether the node can serve: ordinary CPU tensors, outside of any tracing or mapping."""
    return values_can_be_read(student) and all(
        type(tensor) in _PLAIN_TYPES for tensor in (student, *others)
    )


def with_gradient(student: Tensor, make: Make, plain: Plain, *, inplace: bool = False) -> Tensor:
    """A loss through the node; :func:`can_serve` must have said yes.

    Args:
        student: Logits or features, which may need a gradient.
        make: The value and its gradient.
        plain: The same loss by differentiable operations, for double backward.
        inplace: ``make`` writes the gradient over the student's memory.

    Raises:
        UsageError: ``inplace`` with a leaf of the graph or memory in several pieces.
    """
    if student.requires_grad and torch.is_grad_enabled():
        if inplace:
            check_inplace(student)
        return KeptGradient.apply(student, make, plain, inplace)  # type: ignore[no-any-return, no-untyped-call]
    with torch.no_grad():
        return make(student, False)[0]


def check_inplace(student: Tensor) -> None:
    """The gradient may overwrite logits that are no leaf and lie in one piece.

    Raises:
        UsageError: They are a leaf's memory, or not contiguous.
    """
    owners = (student, student if student._base is None else student._base)
    if any(owner.is_leaf and owner.requires_grad for owner in owners):
        raise UsageError(
            "inplace=True would overwrite student_logits, a leaf tensor that you own; "
            "it is for the output of a layer. Pass inplace=False."
        )
    if not student.is_contiguous():
        raise UsageError(
            "inplace=True needs student_logits in one contiguous piece of memory; "
            "pass inplace=False, or student_logits.contiguous()"
        )


class KeptGradient(Function):
    """Value forward; the gradient made on the way serves the first backward pass.

    That pass takes the gradient away without a copy, so that ``.grad`` of a leaf becomes this very
    memory. A later pass makes it anew by the same arithmetic, to the same bit; double backward
    differentiates the plain formula.
    """

    @staticmethod
    def forward(ctx: Any, student: Tensor, make: Make, plain: Plain, inplace: bool) -> Tensor:
        """The value; the gradient is kept."""
        ctx.make, ctx.plain, ctx.inplace = make, plain, inplace
        if not inplace:
            ctx.save_for_backward(student)
        value, ctx.gradient, ctx.factor = make(student.detach(), True)
        return value

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        """The kept gradient times that of the value, without a second buffer of its size."""
        gradient: Tensor | None = ctx.gradient
        if ctx.inplace and (gradient is None or torch.is_grad_enabled()):
            raise UsageError(
                "a second or double backward pass needs student_logits, which inplace=True has "
                "overwritten; pass inplace=False"
            )
        if torch.is_grad_enabled():
            return _differentiable_gradient(ctx, upstream[0]), None, None, None
        if gradient is None:
            (student,) = ctx.saved_tensors
            _, gradient, _ = ctx.make(student.detach(), True)
            assert gradient is not None
        ctx.gradient = None
        if upstream[0].dim():
            gradient.mul_(upstream[0].unsqueeze(-1))
            factor = ctx.factor
        else:
            factor = ctx.factor * upstream[0].item()
        return (gradient if factor == 1 else gradient.mul_(factor)), None, None, None


def _differentiable_gradient(ctx: Any, upstream: Tensor) -> Tensor:
    (student,) = ctx.saved_tensors
    value: Tensor = ctx.plain(student)
    return torch.autograd.grad(value, (student,), (upstream,), create_graph=True)[0]
