"""The weighted sum of divergences from several teachers, fused or by the plain formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from didact.losses.fast.few_teachers import few_teachers
from didact.losses.fast.fused import can_fuse, fused
from didact.losses.fast.fused_rows import Plan
from didact.losses.fast.small import TINY, few
from didact.losses.kit.pair import blank_masked
from didact.losses.kit.reduce import Reduction, reduce
from didact.losses.kit.softmax import soft_log_probs
from didact.losses.kit.teacher_list import blame_teachers


def weighted_sum(
    student_logits: Tensor,
    teachers_logits: Sequence[Tensor],
    weights: Sequence[float | Tensor],
    temperature: float,
    reduction: Reduction,
    mask: Tensor | None,
) -> Tensor:
    """``sum_k w_k T^2 KL(p_k || q)``; a weight is a number, or a tensor of one for each sample."""

    def plain(student: Tensor) -> Tensor:
        student_log_probs = soft_log_probs(blank_masked(student, mask), temperature)
        divergences = []
        for teacher, weight in zip(teachers_logits, weights, strict=True):
            log_probs = soft_log_probs(teacher.detach(), temperature)
            divergence = log_probs.exp() * (log_probs - student_log_probs)
            divergences.append(divergence.sum(-1) * weight)
        return reduce(torch.stack(divergences).sum(0) * temperature**2, reduction, mask)

    plan = Plan(temperature, weights=weights, mask=mask)
    return run_plan(plan, student_logits, teachers_logits, plain, reduction)


def run_plan(
    plan: Plan,
    student_logits: Tensor,
    teachers_logits: Sequence[Tensor],
    plain: Callable[[Tensor], Tensor],
    reduction: Reduction,
) -> Tensor:
    """The faster arithmetic where it can serve, else the plain formula."""
    limit = None if plan.mixture else TINY
    if not can_fuse(student_logits, teachers_logits):
        value = plain(student_logits)
    elif few(student_logits, teachers_logits, reduction, plan.mask, limit):
        value = few_teachers(
            plan, student_logits, teachers_logits, plain=plain, reduction=reduction
        )
    else:
        value = fused(plan, student_logits, teachers_logits, plain=plain, reduction=reduction)
    blame_teachers(value, teachers_logits)
    return value
