"""The autograd node around the fused arithmetic, and the decision when it can serve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from didact._core.errors import UsageError
from didact.losses.fast import fused_rows as _fused_rows
from didact.losses.fast.fresh import fresh_like
from didact.losses.fast.fused_rows import Plan
from didact.losses.kit.precision import values_can_be_read
from didact.losses.kit.reduce import Reduction

Plain = Callable[[Tensor], Tensor]
_PLAIN = (Tensor, torch.nn.Parameter)


def can_fuse(student: Tensor, teachers: Sequence[Tensor]) -> bool:
    """Whether the fused arithmetic can serve: plain CPU tensors outside of any tracing."""
    if not (values_can_be_read(student) and type(student) in _PLAIN):
        return False
    for teacher in teachers:  # noqa: SIM110 - half the time of all(...)
        if type(teacher) not in _PLAIN:
            return False
    return True


def apply(node: type[Function], *arguments: Any) -> Tensor:
    """``node.apply`` without its search for ``torch.func``'s tensors: a tenth of a small step.

    :func:`can_fuse` has seen to it that there are none.
    """
    value: Tensor = super(Function, node).apply(*arguments)  # type: ignore[misc]
    return value


def fused(
    plan: Plan,
    student: Tensor,
    teachers: Sequence[Tensor],
    *,
    plain: Plain,
    reduction: Reduction,
    inplace: bool = False,
) -> Tensor:
    """The loss of a plan through one autograd node that makes the gradient on the way.

    Args:
        plan: What to compute, made for this call: the factors of a mean are filled in here.
        student: ``(..., classes)``.
        teachers: Logits of the same shape.
        plain: The same loss of the student's logits by differentiable operations; it serves
            where the node cannot: a second backward pass through the same node, and double
            backward.
        reduction: As for the loss.
        inplace: Write the gradient over the student's logits.

    Raises:
        UsageError: ``inplace`` with logits that are a leaf of the graph.
    """
    positions = student.shape[:-1]
    if plan.labels is not None:
        plan.labels = plan.labels.reshape(-1)
    if plan.mask is not None:
        plan.mask = plan.mask.reshape(-1)
    plan.weights = [w.reshape(-1) if isinstance(w, Tensor) else w for w in plan.weights]
    if reduction == "mean":
        _average(plan, positions.numel())
    if inplace and torch.is_grad_enabled():
        check_inplace(student)
    flat = [t.detach().reshape(-1, student.shape[-1]) for t in teachers]
    if not (student.requires_grad and torch.is_grad_enabled()):
        with torch.no_grad():
            values = _fused_rows.run(plan, student.reshape(-1, student.shape[-1]), flat, None)
        return values.view(positions) if reduction == "none" else values.sum()
    return apply(_Fused, student, flat, plan, plain, reduction == "none", inplace)


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


def _average(plan: Plan, rows: int) -> None:
    if plan.mask is not None:
        rows = max(1, int(plan.mask.sum()))
    plan.soft /= rows
    if plan.labels is not None:
        labelled = plan.labels >= 0 if plan.mask is None else (plan.labels >= 0) & plan.mask
        plan.hard /= max(1, int(labelled.sum()))


class _Fused(Function):
    """Value forward, gradient kept for the one backward pass that a training step makes."""

    @staticmethod
    def forward(
        ctx: Any,
        student: Tensor,
        teachers: list[Tensor],
        plan: Plan,
        plain: Plain,
        each: bool,
        inplace: bool,
    ) -> Tensor:
        rows = (
            student.detach().view(-1, student.shape[-1])
            if inplace
            else student.reshape(-1, student.shape[-1])
        )
        ctx.plain, ctx.inplace = plain, inplace
        gradient = rows if inplace else fresh_like(rows)
        if not inplace:
            ctx.save_for_backward(student)
        values = _fused_rows.run(plan, rows, teachers, gradient)
        ctx.gradient = gradient.view(student.shape)
        return values.view(student.shape[:-1]) if each else values.sum()

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        gradient = _scaled_gradient(ctx, upstream[0])
        return gradient, None, None, None, None, None


def _scaled_gradient(ctx: Any, upstream: Tensor) -> Tensor:
    """The kept gradient times that of the value, without a second buffer of its size.

    The kept one is given away, so that ``.grad`` of a leaf can take it over instead of copying;
    whoever comes a second time is served by the plain formula.
    """
    gradient: Tensor | None = ctx.gradient
    if gradient is None or torch.is_grad_enabled():
        return plain_gradient(ctx, upstream)
    ctx.gradient = None
    if upstream.dim() == 0:
        factor = upstream.item()
        return gradient if factor == 1 else gradient.mul_(factor)
    return gradient.mul_(upstream.unsqueeze(-1))


def plain_gradient(ctx: Any, upstream: Tensor) -> Tensor:
    """The gradient by the plain formula, itself differentiable where that is asked for."""
    if ctx.inplace:
        raise UsageError(
            "a second or double backward pass needs student_logits, which inplace=True has "
            "overwritten; pass inplace=False"
        )
    (student,) = ctx.saved_tensors
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        student = student if again else student.detach().requires_grad_()
        value = ctx.plain(student)
        (gradient,) = torch.autograd.grad(value, (student,), (upstream,), create_graph=again)
    return gradient
