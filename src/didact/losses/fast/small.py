"""Few logits, where the number of operations counts as much as the memory they touch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from didact.losses.fast.fused import Plain, check_inplace
from didact.losses.fast.fused_rows import (
    CHUNK,
    NEAR,
    gap_between,
    powers_of,
)
from didact.losses.fast.gradient_node import with_gradient
from didact.losses.fast.workspace import workspace
from didact.losses.kit.base import BASE
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import Reduction, summed_over
from didact.losses.kit.softmax import ORDINARY, exp, lie_between, log_softmax, raised

SMALL = 64 * 1024
"""Up to so many logits the number of operations counts, not the memory they touch."""
TINY = 16 * 1024
"""Up to so many, operations count so much that PyTorch's softmax beats the faster powers."""


def small_side(logits: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Log-probabilities of base :data:`BASE`, and probabilities, at a temperature."""
    logs = logits * (BASE.per_nat / temperature)
    logs.sub_(logs.amax(-1, True))
    probs = BASE.power(logs)
    partition = probs.sum(-1, True)
    probs.div_(partition)
    return logs.sub_(BASE.log_(partition)), probs


def few(
    student: Tensor,
    teachers: Sequence[Tensor],
    reduction: Reduction,
    mask: Tensor | None,
    limit: int | None = None,
) -> bool:
    """Whether the ways for few logits can serve, and are the faster ones up to so many."""
    if (
        student.numel() > (SMALL if limit is None else limit)
        or mask is not None
        or reduction == "none"
        or student.dtype == torch.float64
    ):
        return False
    for teacher in teachers:  # noqa: SIM110 - half the time of all(...)
        if teacher.dtype == torch.float64:
            return False
    return True


def few_enough(student: Tensor, teacher: Tensor, reduction: Reduction, mask: Tensor | None) -> bool:
    """:func:`few` for :func:`small_kd`, which takes more logits where a gradient is wanted."""
    trains = student.requires_grad and torch.is_grad_enabled()
    return few(student, (teacher,), reduction, mask, CHUNK if trains else SMALL)


def small_kd(
    student_logits: Tensor,
    teacher_logits: Tensor,
    temperature: float,
    reduction: Reduction,
    plain: Plain,
    inplace: bool,
) -> Tensor:
    """``T^2 KL(teacher || student)`` for few logits."""
    rows = summed_over(student_logits, reduction)

    def make(student: Tensor) -> tuple[Tensor, Tensor, float]:
        logits, teacher, factor = in_float(student), in_float(teacher_logits), 1.0
        if student.numel() > SMALL:
            overwrite = inplace and logits is student
            value, gradient = _in_workspace(logits, teacher, temperature, rows, overwrite)
        else:
            value, gradient = divergence(logits, teacher, temperature)
            value.mul_(temperature**2 / rows)
            overwrite, factor = False, temperature / rows
        if inplace and not overwrite:
            gradient = student.detach().copy_(gradient)
        return value, gradient, factor

    if inplace and torch.is_grad_enabled():
        check_inplace(student_logits)
    return with_gradient(student_logits, make, plain, inplace=inplace)


def divergence(student: Tensor, teacher: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """``KL(teacher || student)``, summed over rows, and its gradient in the scaled logits."""
    way = _tiny if student.numel() <= TINY else _by_powers
    return way(student, teacher, temperature)


def _tiny(student: Tensor, teacher: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """By PyTorch's softmax."""
    if temperature != 1:
        student, teacher = student * (1 / temperature), teacher * (1 / temperature)
    student_logs, teacher_logs = log_softmax(student), log_softmax(teacher)
    teacher_probs = exp(teacher_logs)
    value = teacher_logs.sub_(student_logs).mul_(teacher_probs).sum()
    return value, exp(student_logs).sub_(teacher_probs)


def _by_powers(student: Tensor, teacher: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """By powers of a fast base."""
    student_logs, student_probs = small_side(student, temperature)
    teacher_logs, teacher_probs = small_side(teacher, temperature)
    value = teacher_logs.sub_(student_logs).mul_(teacher_probs).sum().mul_(BASE.nats)
    return value, student_probs.sub_(teacher_probs)


def _in_workspace(
    student: Tensor, teacher: Tensor, temperature: float, rows: int, inplace: bool
) -> tuple[Tensor, Tensor]:
    """The loss itself and its gradient, with nothing new in memory but the gradient."""
    blocks = workspace((2 + inplace) * student.numel(), student.dtype).view(-1, *student.shape)
    powers, gap, *own_place = blocks.unbind()
    gradient = student.detach() if inplace else torch.empty_like(student)
    own = own_place[0] if inplace else gradient
    own_total = raised(student, temperature, own)
    total = raised(teacher, temperature, powers)
    ratio = own_total / total
    if lie_between(total, *ORDINARY) and lie_between(ratio, 1 / NEAR, NEAR):
        torch.sub(teacher, student, out=gap)
        ratio.log_().mul_(temperature)
    else:
        student, own_total = powers_of(student, temperature, own)
        teacher, total = powers_of(teacher, temperature, powers)
        ratio = gap_between(teacher, student, own_total / total, temperature, gap)
    value = ratio.sum().mul_(temperature / rows)
    powers.mul_(total.reciprocal_().mul_(-temperature / rows))
    value.sub_(torch.dot(gap.view(-1), powers.view(-1)))
    torch.addcmul(powers, own, own_total.reciprocal_().mul_(temperature / rows), out=gradient)
    return value, gradient
