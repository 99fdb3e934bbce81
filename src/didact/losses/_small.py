"""Hinton's loss for few logits, where the number of operations counts, not the memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from didact.losses._fused import Plain, plain_gradient
from didact.losses._fused_rows import LN2, LOG2E
from didact.losses._reduce import Reduction

Target = Callable[[], tuple[Tensor, Tensor]]
"""What makes the target's base-2 log-probabilities and its probabilities."""
SMALL = 64 * 1024
"""Up to so many logits the number of operations counts, not the memory they touch."""


class Small(Function):
    """One teacher and few logits: as few operations as possible."""

    @staticmethod
    def forward(
        ctx: Any, student: Tensor, target: Target, temperature: float, factor: float, plain: Plain
    ) -> Tensor:
        ctx.save_for_backward(student)
        ctx.plain, ctx.inplace, ctx.factor = plain, False, factor / temperature
        value, ctx.gradient = _small_kd(student, target(), temperature, factor)
        return value

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.gradient is None or torch.is_grad_enabled():
            return plain_gradient(ctx, upstream[0]), None, None, None, None
        gradient = ctx.gradient.mul_(ctx.factor * upstream[0].item())
        ctx.gradient = None
        return gradient, None, None, None, None


def _small_kd(
    student: Tensor, target: tuple[Tensor, Tensor], temperature: float, factor: float
) -> tuple[Tensor, Tensor]:
    """``factor * sum KL``, and ``q - p``: its gradient but for ``factor / T``."""
    student_logs, student_probs = small_side(student, temperature)
    teacher_logs, teacher_probs = target
    value = teacher_logs.sub_(student_logs).mul_(teacher_probs).sum().mul_(factor * LN2)
    return value, student_probs.sub_(teacher_probs)


def small_side(logits: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Base-2 log-probabilities and probabilities at a temperature."""
    logs = logits.mul(LOG2E / temperature)
    logs.sub_(logs.amax(-1, True))
    probs = logs.exp2()
    partition = probs.sum(-1, True)
    probs.div_(partition)
    return logs.sub_(partition.log2_()), probs


def few(
    student: Tensor, teachers: Sequence[Tensor], reduction: Reduction, mask: Tensor | None
) -> bool:
    """Whether :class:`Small` can serve, and is the faster way."""
    return (
        student.numel() <= SMALL
        and mask is None
        and reduction != "none"
        and student.dtype == torch.float32
        and all(teacher.dtype == torch.float32 for teacher in teachers)
    )


def small(
    student: Tensor, target: Target, *, temperature: float, reduction: Reduction, plain: Plain
) -> Tensor:
    """``T^2 KL(target || student)`` for few logits."""
    factor = temperature**2
    if reduction == "mean":
        factor /= student.shape[:-1].numel()
    value: Tensor = Small.apply(  # type: ignore[no-untyped-call]
        student, target, temperature, factor, plain
    )
    return value
