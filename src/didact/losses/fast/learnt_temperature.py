"""Hinton's loss at a temperature that is learnt: the gradients of both in one autograd node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from didact.losses.fast.fused import apply, can_fuse
from didact.losses.fast.small import small_side
from didact.losses.kit.base import BASE
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import Reduction, summed_over

Formula = Callable[[Tensor, Tensor], Tensor]
"""The same loss of the student's logits and the temperature by differentiable operations."""


def can_learn(student: Tensor, teacher: Tensor, temperature: Tensor, reduction: Reduction) -> bool:
    """Whether :func:`learnt_kd` can serve, and there is a gradient to make."""
    return (
        reduction != "none"
        and torch.is_grad_enabled()
        and student.requires_grad
        and (student.dtype == torch.float64) == (teacher.dtype == torch.float64)
        and can_fuse(student, (teacher, temperature))
    )


def learnt_kd(
    student: Tensor, teacher: Tensor, temperature: Tensor, reduction: Reduction, plain: Formula
) -> Tensor:
    """``T^2 KL(teacher || student)`` with gradients of the student's logits and of T."""
    rows = summed_over(student, reduction)
    return apply(_LearntTemperature, student, temperature, teacher, rows, plain)


class _LearntTemperature(Function):
    @staticmethod
    def forward(
        ctx: Any, student: Tensor, temperature: Tensor, teacher: Tensor, rows: int, plain: Formula
    ) -> Tensor:
        ctx.save_for_backward(student, temperature)
        ctx.plain, ctx.dtype, degrees = plain, student.dtype, temperature.item()
        student_logs, gradient = small_side(in_float(student), degrees)
        teacher_logs, teacher_probs = small_side(in_float(teacher), degrees)
        gradient.sub_(teacher_probs)
        terms = (teacher_logs - student_logs).mul_(teacher_probs)
        each = terms.sum(-1, True)
        value = each.sum().mul_(degrees**2 * BASE.nats / rows)
        ctx.kept = gradient, degrees / rows, 0.0
        if ctx.needs_input_grad[1]:
            # dKL/dT, of both sides: the temperature scales what the logits' gradients act on.
            own = student_logs.mul_(gradient).sum().item()
            other = terms.addcmul_(teacher_probs, each, value=-1).mul_(teacher_logs).sum().item()
            scale = degrees * BASE.nats / rows
            slope = 2 * value.item() / degrees - (own + other * BASE.nats) * scale
            ctx.kept = gradient, degrees / rows, slope
        return value

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.kept is None or torch.is_grad_enabled():
            return *_plain_gradients(ctx, upstream[0]), None, None, None
        (gradient, factor, slope), ctx.kept = ctx.kept, None
        gradient.mul_(factor * upstream[0].item())
        of_temperature = upstream[0] * slope if ctx.needs_input_grad[1] else None
        return gradient.to(ctx.dtype), of_temperature, None, None, None


def _plain_gradients(ctx: Any, upstream: Tensor) -> list[Tensor | None]:
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        inputs = [
            tensor if again else tensor.detach().requires_grad_(needed)
            for tensor, needed in zip(ctx.saved_tensors, ctx.needs_input_grad, strict=False)
        ]
        value = ctx.plain(*inputs)
        wanted = [tensor for tensor in inputs if tensor.requires_grad]
        found = iter(torch.autograd.grad(value, wanted, (upstream,), create_graph=again))
    return [next(found) if tensor.requires_grad else None for tensor in inputs]
