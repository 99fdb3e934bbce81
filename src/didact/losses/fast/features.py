"""A loss on features whose gradient is known in closed form.

Large maps are worked through in chunks of samples, so that the only new memory of their size is the
gradient: filling fresh memory costs more than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from didact.losses.fast.memory import new_like
from didact.losses.fast.node import Plain, can_serve, with_gradient
from didact.losses.kit.reduce import Reduction, check_reduction, raise_if_teacher_not_finite, reduce

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

    if reduction == "none" or not can_serve(student, teacher):
        value = plain(student)
    else:
        factor = scale
        if reduction == "mean":
            samples = student.shape[:-1].numel() if on_logits else student.shape[0]
            factor /= samples if mask is None else max(1, int(mask.sum()))
        chunked = not on_logits and student.numel() > CHUNK
        value = _run(student, teacher, _in_chunks(rows) if chunked else rows, plain, factor)
    raise_if_teacher_not_finite(value, teacher, name=name)
    return value


def together(
    student: Tensor, teacher: Tensor, rows: Rows, formula: Formula, *, scale: float = 1.0
) -> Tensor:
    """The loss ``scale * formula(student, teacher)``, a scalar, of samples that interact."""

    def plain(student: Tensor) -> Tensor:
        return formula(student, teacher) * scale

    serves = can_serve(student, teacher)
    value = _run(student, teacher, rows, plain, scale) if serves else plain(student)
    raise_if_teacher_not_finite(value, teacher, name="teacher_features")
    return value


def _run(student: Tensor, teacher: Tensor, rows: Rows, plain: Plain, factor: float) -> Tensor:
    def make(student: Tensor, wanted: bool) -> tuple[Tensor, Tensor | None, float]:
        gradient = new_like(student) if wanted else None
        values = rows(student, teacher, gradient)
        return (values.sum() if values.dim() else values).mul_(factor), gradient, factor

    return with_gradient(student, make, plain)


def _in_chunks(rows: Rows) -> Rows:
    def chunked(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
        size = max(1, CHUNK * student.shape[0] // student.numel())
        students, teachers = torch.split(student, size), torch.split(teacher, size)
        places = [None] * len(students) if gradient is None else torch.split(gradient, size)
        return torch.cat([rows(*chunk) for chunk in zip(students, teachers, places, strict=True)])

    return chunked
