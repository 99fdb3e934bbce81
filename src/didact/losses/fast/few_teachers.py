"""Several teachers over few logits: stacked, so that each operation is called once for all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from didact.losses.fast.fused import Plain
from didact.losses.fast.fused_rows import Plan
from didact.losses.fast.gradient_node import with_gradient
from didact.losses.kit.base import BASE
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import Reduction, summed_over
from didact.losses.kit.softmax import exp, log_softmax, softmax


def few_teachers(
    plan: Plan,
    student_logits: Tensor,
    teachers_logits: Sequence[Tensor],
    *,
    plain: Plain,
    reduction: Reduction,
) -> Tensor:
    """The loss of a plan without labels and mask through one node.

    Args:
        plan: What to compute.
        student_logits: ``(..., classes)``.
        teachers_logits: Logits of the same shape.
        plain: The same loss of the student's logits by differentiable operations.
        reduction: ``"mean"`` or ``"sum"``.
    """
    temperature, arithmetic = plan.temperature, _mixture if plan.mixture else _sum
    rows = summed_over(student_logits, reduction)

    def make(student: Tensor) -> tuple[Tensor, Tensor, float]:
        value, gradient = arithmetic(plan, student, teachers_logits)
        return value.mul_(temperature**2 / rows), gradient, temperature / rows

    return with_gradient(student_logits, make, plain)


def _sum(plan: Plan, student: Tensor, teachers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """``sum_k w_k KL(p_k || student)`` and its gradient in the scaled logits."""
    logs = log_softmax(_stacked((student, *teachers), plan.temperature))
    probs = exp(logs)
    shares = probs[1:].mul_(_column(plan.weights, student))
    value = (logs[1:] - logs[0]).mul_(shares).sum()
    return value, probs[0].sub_(shares.sum(0))


def _mixture(plan: Plan, student: Tensor, teachers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """``KL(sum_k w_k p_k || student)`` likewise."""
    student_logs = log_softmax(in_float(student) * (1 / plan.temperature))
    each = softmax(_stacked(teachers, plan.temperature))
    mixed = each.mul_(_column(plan.weights, student)).sum(0)
    gap = BASE.log_(mixed.clamp_min(torch.finfo(mixed.dtype).tiny))
    gap.sub_(student_logs, alpha=BASE.per_nat)
    return gap.mul_(mixed).sum().mul_(BASE.nats), exp(student_logs).sub_(mixed)


def _stacked(logits: Sequence[Tensor], temperature: float) -> Tensor:
    """``(networks, ..., classes)``, divided by T."""
    return torch.stack([in_float(each) for each in logits]).mul_(1 / temperature)


def _column(weights: Sequence[float | Tensor], like: Tensor) -> Tensor:
    """``(networks, ..., 1)``: numbers, or one for each sample."""
    if isinstance(weights[0], Tensor):
        return torch.stack(list(weights)).unsqueeze(-1)  # type: ignore[arg-type]
    return torch.tensor(weights).view(-1, *[1] * like.dim())
