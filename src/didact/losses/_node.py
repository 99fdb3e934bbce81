"""One autograd node for a loss whose gradient is known in closed form.

A loss hands over one function of both sides' log-probabilities (or scaled logits) that returns the
value of each sample and, when asked, the gradient. A training step on a CPU then takes the node:
one entry in the graph, nothing kept but the gradient. Everything else differentiates the value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from didact.losses._fused import can_fuse, plain_gradient
from didact.losses._pair import blank_masked, check_inputs
from didact.losses._precision import in_float
from didact.losses._reduce import Reduction, blame_teacher, check_reduction, reduce

Parts = tuple[Tensor, Callable[[], Tensor]]
"""The value of each sample, and how to make its gradient."""
Rows = Callable[[Tensor, Tensor], Parts]


def closed_form(
    student_logits: Tensor,
    teacher_logits: Tensor,
    rows: Rows,
    *,
    temperature: float,
    reduction: Reduction,
    mask: Tensor | None,
    power: int = 2,
) -> Tensor:
    """The checks, the loss ``T^power * rows(s / T, t / T)``, and its reduction.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; detached here.
        rows: From scaled logits of both sides to values ``(...)`` and, by a function, their
            gradient with respect to the student's, ``(..., classes)``.
        temperature: T > 0.
        reduction: As for the loss.
        mask: As for the loss.
        power: Of the temperature in front.
    """
    check_inputs(student_logits, teacher_logits, temperature=temperature, mask=mask)
    check_reduction(reduction)
    teacher = in_float(teacher_logits.detach())
    if temperature != 1:
        teacher = teacher / temperature

    def plain(student: Tensor) -> Tensor:
        scaled = in_float(blank_masked(student, mask)) / temperature
        return reduce(rows(scaled, teacher)[0] * temperature**power, reduction, mask)

    training = student_logits.requires_grad and torch.is_grad_enabled()
    if training and mask is None and reduction != "none" and can_fuse(student_logits, (teacher,)):
        factor = float(temperature**power)
        if reduction == "mean":
            factor /= student_logits.shape[:-1].numel()
        value: Tensor = _Node.apply(  # type: ignore[no-untyped-call]
            student_logits, teacher, rows, temperature, factor, plain
        )
    else:
        value = plain(student_logits)
    blame_teacher(value, teacher_logits)
    return value


def softmax_rows(rows: Rows) -> Rows:
    """From a function of log-probabilities and its slope in them to one of logits."""

    def of_logits(student: Tensor, teacher: Tensor) -> Parts:
        student_log_probs = torch.log_softmax(student, -1)
        values, slope = rows(student_log_probs, torch.log_softmax(teacher, -1))
        return values, lambda: torch._log_softmax_backward_data(
            slope(), student_log_probs, -1, student_log_probs.dtype
        )

    return of_logits


class _Node(Function):
    @staticmethod
    def forward(
        ctx: Any,
        student: Tensor,
        teacher: Tensor,
        rows: Rows,
        temperature: float,
        factor: float,
        plain: Callable[[Tensor], Tensor],
    ) -> Tensor:
        ctx.save_for_backward(student)
        ctx.plain, ctx.inplace, ctx.factor = plain, False, factor / temperature
        scaled = in_float(student)
        values, gradient = rows(scaled if temperature == 1 else scaled / temperature, teacher)
        ctx.gradient = gradient()
        return values.sum().mul_(factor)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.gradient is None or torch.is_grad_enabled():
            return plain_gradient(ctx, upstream[0]), None, None, None, None, None
        (student,) = ctx.saved_tensors
        gradient = ctx.gradient.mul_(ctx.factor * upstream[0].item())
        ctx.gradient = None
        return gradient.to(student.dtype), None, None, None, None, None
