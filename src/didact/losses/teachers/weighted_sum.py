"""The weighted sum of the divergences from several teachers, on a CPU in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from didact.losses.fast.kl_rows import Plan, fast_kl
from didact.losses.kit.pair import blank_masked
from didact.losses.kit.precision import target_for
from didact.losses.kit.reduce import Reduction, reduce
from didact.losses.kit.softmax import soft_log_probs
from didact.losses.kit.teacher_list import raise_if_a_teacher_not_finite


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
            log_probs = soft_log_probs(target_for(student, teacher), temperature)
            divergence = log_probs.exp() * (log_probs - student_log_probs)
            divergences.append(divergence.sum(-1) * weight)
        return reduce(torch.stack(divergences).sum(0) * temperature**2, reduction, mask)

    plan = Plan(temperature, weights=weights, mask=mask)
    value = fast_kl(plan, student_logits, teachers_logits, plain, reduction)
    raise_if_a_teacher_not_finite(value, teachers_logits)
    return value
