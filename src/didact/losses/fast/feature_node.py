"""One autograd node for a loss on features whose gradient is known in closed form.

Large maps are worked through in chunks of samples, so that the only new memory of their size is the
gradient: filling fresh memory costs more than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from didact.losses.fast.fresh import fresh_like
from didact.losses.fast.fused import apply, can_fuse, plain_gradient
from didact.losses.kit.reduce import Reduction, blame_teacher, check_reduction, reduce

CHUNK = 1 << 19
"""Numbers of one side that are worked on at a time."""
Rows = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""From both sides to the loss of each sample (or of all of them); writes the gradient of the sum
into the third, where there is one. Its arguments have no graph, and stay as they are."""
Formula = Callable[[Tensor, Tensor], Tensor]
"""The same by differentiable operations."""


def by_samples(
    student: Tensor,
    teacher: Tensor,
    rows: Rows,
    formula: Formula,
    *,
    scale: float = 1.0,
    reduction: Reduction,
    on_logits: bool = False,
    mask: Tensor | None = None,
) -> Tensor:
    """The reduced loss ``scale * formula(student, teacher)`` of samples that do not interact.

    Args:
        student: ``(batch, ...)`` in float32 or float64.
        teacher: ``(batch, ...)``: the other side, detached; labels, where there is no teacher.
        rows: The loss and its gradient by hand; serves a training step on a CPU.
        formula: Serves everything else.
        scale: Factor of both.
        reduction: As for the loss.
        on_logits: The samples are ``(...)`` of ``(..., classes)``, and come all at once.
        mask: True where a sample counts; ``rows`` and ``formula`` give 0 elsewhere.
    """
    check_reduction(reduction)
    name = "teacher_logits" if on_logits else "teacher_features"

    def plain(student: Tensor) -> Tensor:
        return reduce(formula(student, teacher) * scale, reduction, mask)

    if reduction == "none" or not can_fuse(student, (teacher,)):
        return _judged(plain(student), teacher, name)
    factor = scale
    if reduction == "mean":
        samples = student.shape[:-1].numel() if on_logits else student.shape[0]
        factor /= samples if mask is None else max(1, int(mask.sum()))
    return _judged(_run(student, teacher, rows, plain, factor, not on_logits), teacher, name)


def together(
    student: Tensor, teacher: Tensor, rows: Rows, formula: Formula, *, scale: float = 1.0
) -> Tensor:
    """The loss ``scale * formula(student, teacher)``, a scalar, of samples that interact."""
    if not can_fuse(student, (teacher,)):
        return _judged(formula(student, teacher) * scale, teacher, "teacher_features")

    def plain(student: Tensor) -> Tensor:
        return formula(student, teacher) * scale

    value = _run(student, teacher, rows, plain, scale, False)
    return _judged(value, teacher, "teacher_features")


def _judged(value: Tensor, teacher: Tensor, name: str) -> Tensor:
    blame_teacher(value, teacher, name=name)
    return value


def _run(
    student: Tensor,
    teacher: Tensor,
    rows: Rows,
    plain: Callable[[Tensor], Tensor],
    factor: float,
    chunked: bool,
) -> Tensor:
    if chunked and student.numel() > CHUNK:
        rows = _in_chunks(rows)
    if student.requires_grad and torch.is_grad_enabled():
        return apply(_Node, student, teacher, rows, plain, factor)
    with torch.no_grad():
        return _total(rows(student, teacher, None), factor)


def _total(values: Tensor, factor: float) -> Tensor:
    return (values.sum() if values.dim() else values).mul_(factor)


def _in_chunks(rows: Rows) -> Rows:
    def chunked(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
        size = max(1, CHUNK * student.shape[0] // student.numel())
        students, teachers = torch.split(student, size), torch.split(teacher, size)
        places = [None] * len(students) if gradient is None else torch.split(gradient, size)
        return torch.cat([rows(*chunk) for chunk in zip(students, teachers, places, strict=True)])

    return chunked


class _Node(Function):
    @staticmethod
    def forward(
        ctx: Any,
        student: Tensor,
        teacher: Tensor,
        rows: Rows,
        plain: Callable[[Tensor], Tensor],
        factor: float,
    ) -> Tensor:
        ctx.save_for_backward(student)
        ctx.plain, ctx.inplace, ctx.factor = plain, False, factor
        ctx.gradient = fresh_like(student)
        return _total(rows(student, teacher, ctx.gradient), factor)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        gradient = ctx.gradient
        if gradient is None or torch.is_grad_enabled():
            return plain_gradient(ctx, upstream[0]), None, None, None, None
        ctx.gradient = None
        factor = ctx.factor * upstream[0].item()
        return (gradient if factor == 1 else gradient.mul_(factor)), None, None, None, None
