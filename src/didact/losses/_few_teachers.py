"""Several teachers over few logits: stacked, so that each operation is called once for all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from didact.losses._base import BASE
from didact.losses._fused import Plain
from didact.losses._gradient_node import with_gradient
from didact.losses._precision import in_float
from didact.losses._reduce import Reduction
from didact.losses._softmax import exp, log_softmax, softmax


def few_sum(
    student_logits: Tensor,
    teachers_logits: Sequence[Tensor],
    weights: Sequence[float | Tensor],
    *,
    temperature: float,
    reduction: Reduction,
    plain: Plain,
) -> Tensor:
    """``T^2 sum_k w_k KL(p_k || student)``; a weight is a number, or one for each sample."""
    rows = _rows(student_logits, reduction)

    def make(student: Tensor) -> tuple[Tensor, Tensor, float]:
        logs = log_softmax(_stacked((student, *teachers_logits), temperature))
        probs = exp(logs)
        shares = probs[1:].mul_(_column(weights, student))
        value = (logs[1:] - logs[0]).mul_(shares).sum().mul_(temperature**2 / rows)
        return value, probs[0].sub_(shares.sum(0)), temperature / rows

    return with_gradient(student_logits, make, plain)


def few_mixture(
    student_logits: Tensor,
    teachers_logits: Sequence[Tensor],
    weights: Sequence[float],
    *,
    temperature: float,
    reduction: Reduction,
    plain: Plain,
) -> Tensor:
    """``T^2 KL(sum_k w_k p_k || student)``."""
    rows = _rows(student_logits, reduction)

    def make(student: Tensor) -> tuple[Tensor, Tensor, float]:
        student_logs = log_softmax(in_float(student) * (1 / temperature))
        each = softmax(_stacked(teachers_logits, temperature))
        mixed = each.mul_(_column(weights, student)).sum(0)
        gap = BASE.log_(mixed.clamp_min(torch.finfo(mixed.dtype).tiny))
        gap.sub_(student_logs, alpha=BASE.per_nat)
        value = gap.mul_(mixed).sum().mul_(temperature**2 * BASE.nats / rows)
        return value, exp(student_logs).sub_(mixed), temperature / rows

    return with_gradient(student_logits, make, plain)


def _rows(student_logits: Tensor, reduction: Reduction) -> int:
    """What the sum over samples is divided by."""
    return student_logits.shape[:-1].numel() if reduction == "mean" else 1


def _stacked(logits: Sequence[Tensor], temperature: float) -> Tensor:
    """``(networks, ..., classes)``, divided by T."""
    return torch.stack([in_float(each) for each in logits]).mul_(1 / temperature)


def _column(weights: Sequence[float | Tensor], like: Tensor) -> Tensor:
    """``(networks, ..., 1)``: numbers, or one for each sample."""
    if isinstance(weights[0], Tensor):
        return torch.stack(list(weights)).unsqueeze(-1)  # type: ignore[arg-type]
    return torch.tensor(weights).view(-1, *[1] * like.dim())
