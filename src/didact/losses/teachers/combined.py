"""Distillation from several teachers with fixed weights: three ways to put them together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses.fast.kl_rows import Plan, fast_kl
from didact.losses.kit.pair import blank_masked
from didact.losses.kit.precision import in_float, target_for
from didact.losses.kit.reduce import Reduction, reduce_classes
from didact.losses.kit.registry import register_loss
from didact.losses.kit.softmax import soft_log_probs
from didact.losses.kit.teacher_list import (
    check_teachers,
    check_weights,
    raise_if_a_teacher_not_finite,
)
from didact.losses.logits.kd import kd_unchecked
from didact.losses.teachers.weighted_sum import weighted_sum


@register_loss(
    family="teachers",
    purpose="teachers",
    kind="divergence",
    formula="T^2 * KL(sum_k w_k softmax(t_k/T) || softmax(s/T))",
    paper="Hinton et al. 2015, arXiv:1503.02531, section 1 (arithmetic mean)",
)
def kd_mean_probs(
    student_logits: Float[Tensor, "*batch classes"],
    teachers_logits: Sequence[Float[Tensor, "*batch classes"]],
    *,
    weights: Sequence[float] | None = None,
    temperature: float = 4.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """The teachers vote: ``T^2 * KL(mean of their probabilities || student)``.

    Its gradient is that of :func:`kd_weighted_sum`; the two values differ by the teachers'
    disagreement, which the student cannot change. Zero where the student equals the mean.

    Args:
        student_logits: ``(..., classes)``.
        teachers_logits: One tensor of the same shape for each teacher; no gradient goes to them.
        weights: One for each teacher, together 1; equal by default.
        temperature: T > 0.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: A shape differs, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: Weights that are negative or do not sum to 1, ``temperature`` not above 0.
        UsageError: No teacher, another number of weights than teachers, an unknown reduction.
        NonFiniteError: A teacher's logits hold NaN or +infinity (looked for on a CPU only); -inf,
            a class that is ruled out, is a probability of 0.

    Paper: Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 1.

    Example:
        >>> import torch
        >>> from didact.losses import kd_mean_probs
        >>> teachers = [torch.tensor([[9.0, 0.0]]), torch.tensor([[0.0, 9.0]])]
        >>> round(kd_mean_probs(torch.zeros(1, 2), teachers).item(), 4)  # their mean is uniform
        0.0
    """
    check_teachers(
        student_logits, teachers_logits, temperature=temperature, reduction=reduction, mask=mask
    )
    shares = check_weights(weights, teachers=len(teachers_logits))

    def plain(student: Tensor) -> Tensor:
        student_log_probs = soft_log_probs(blank_masked(student, mask), temperature)
        mixed = torch.stack(
            [
                soft_log_probs(target_for(student, teacher), temperature).exp() * share
                for teacher, share in zip(teachers_logits, shares, strict=True)
            ]
        ).sum(0)
        tiny = torch.finfo(mixed.dtype).tiny
        divergence = mixed * (mixed.clamp_min(tiny).log() - student_log_probs)
        return reduce_classes(divergence, reduction, mask, factor=temperature**2)

    plan = Plan(temperature, weights=shares, mixture=True, mask=mask)
    value = fast_kl(plan, student_logits, teachers_logits, plain, reduction)
    raise_if_a_teacher_not_finite(value, teachers_logits)
    return value


@register_loss(
    family="teachers",
    purpose="teachers",
    kind="divergence",
    formula="T^2 * KL(softmax(sum_k w_k t_k / T) || softmax(s/T))",
    paper="Hinton et al. 2015, arXiv:1503.02531, section 1 (geometric mean)",
)
def kd_geometric_mean(
    student_logits: Float[Tensor, "*batch classes"],
    teachers_logits: Sequence[Float[Tensor, "*batch classes"]],
    *,
    weights: Sequence[float] | None = None,
    temperature: float = 4.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """The teachers must agree: Hinton's loss to their geometric mean, one veto suffices.

    The geometric mean of probabilities is the mean of logits, so this is :func:`kd` with
    ``sum_k w_k t_k``.

    Args:
        student_logits: ``(..., classes)``.
        teachers_logits: One tensor of the same shape for each teacher; no gradient goes to them.
        weights: One for each teacher, together 1; equal by default.
        temperature: T > 0.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: A shape differs, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: Weights that are negative or do not sum to 1, ``temperature`` not above 0.
        UsageError: No teacher, another number of weights than teachers, an unknown reduction.
        NonFiniteError: A teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 1.

    Example:
        >>> import torch
        >>> from didact.losses import kd_geometric_mean
        >>> teachers = [torch.tensor([[4.0, 0.0]]), torch.tensor([[0.0, 0.0]])]
        >>> kd_geometric_mean(torch.tensor([[2.0, 0.0]]), teachers).item()
        0.0
    """
    check_teachers(
        student_logits, teachers_logits, temperature=temperature, reduction=reduction, mask=mask
    )
    shares = check_weights(weights, teachers=len(teachers_logits))
    mean = in_float(teachers_logits[0].detach()) * shares[0]
    for teacher_logits, share in zip(teachers_logits[1:], shares[1:], strict=True):
        mean = mean.add(in_float(teacher_logits.detach()), alpha=share)
    value = kd_unchecked(student_logits, mean, temperature, reduction, mask)
    raise_if_a_teacher_not_finite(value, teachers_logits)
    return value


@register_loss(
    family="teachers",
    purpose="teachers",
    kind="divergence",
    formula="sum_k w_k T^2 * KL(softmax(t_k/T) || softmax(s/T))",
    paper="You et al. 2017, Learning from multiple teacher networks, KDD",
)
def kd_weighted_sum(
    student_logits: Float[Tensor, "*batch classes"],
    teachers_logits: Sequence[Float[Tensor, "*batch classes"]],
    *,
    weights: Sequence[float] | None = None,
    temperature: float = 4.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """The weighted sum of Hinton's losses to each teacher, in one pass over the student's logits.

    Args:
        student_logits: ``(..., classes)``.
        teachers_logits: One tensor of the same shape for each teacher; no gradient goes to them.
        weights: One for each teacher, together 1; equal by default.
        temperature: T > 0.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: A shape differs, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: Weights that are negative or do not sum to 1, ``temperature`` not above 0.
        UsageError: No teacher, another number of weights than teachers, an unknown reduction.
        NonFiniteError: A teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: You, Xu, Xu, Tao 2017, Learning from multiple teacher networks, KDD,
    doi:10.1145/3097983.3098135.

    Example:
        >>> import torch
        >>> from didact.losses import kd, kd_weighted_sum
        >>> student, one, two = torch.randn(3, 5, 10)
        >>> alone = 0.25 * kd(student, one) + 0.75 * kd(student, two)
        >>> torch.allclose(kd_weighted_sum(student, [one, two], weights=[0.25, 0.75]), alone)
        True
    """
    check_teachers(
        student_logits, teachers_logits, temperature=temperature, reduction=reduction, mask=mask
    )
    shares = check_weights(weights, teachers=len(teachers_logits))
    return weighted_sum(student_logits, teachers_logits, shares, temperature, reduction, mask)
