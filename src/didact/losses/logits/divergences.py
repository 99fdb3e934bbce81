"""Divergences between the student's and the teacher's distribution, other than Hinton's."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses.fast.closed_form import Side, ValueAndGradient, closed_form, softmax_rows
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss
from didact.losses.kit.softmax import (
    log_softmax_and_softmax,
    softmax_backward,
)
from didact.losses.logits.kd import kd


@register_loss(
    family="logits",
    purpose="language",
    kind="divergence",
    formula="T^2 * KL(p || q), p = softmax(t/T), q = softmax(s/T)",
    paper="Kullback and Leibler 1951; for language models Kim and Rush 2016, arXiv:1606.07947",
)
def forward_kl(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Forward KL, ``T^2 * KL(p || q)``: the student covers all that the teacher holds likely.

    It is :func:`kd` with the temperature that is usual for language models.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        temperature: T > 0, dividing both sides.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Kim, Rush 2016, EMNLP, arXiv:1606.07947 (word-level distillation).

    Example:
        >>> import torch
        >>> from didact.losses import forward_kl
        >>> uniform, sure = torch.zeros(1, 4), torch.tensor([[60.0, 0.0, 0.0, 0.0]])
        >>> round(forward_kl(uniform, sure).item(), 4)  # log 4
        1.3863
    """
    return kd(
        student_logits, teacher_logits, temperature=temperature, reduction=reduction, mask=mask
    )


@register_loss(
    family="logits",
    purpose="language",
    kind="divergence",
    formula="T^2 * KL(q || p), p = softmax(t/T), q = softmax(s/T)",
    paper="Gu et al. 2024 (MiniLLM), arXiv:2306.08543, equation 1",
)
def reverse_kl(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Reverse KL, ``T^2 * KL(q || p)``: the student keeps to what the teacher holds likely.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        temperature: T > 0, dividing both sides.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Gu, Dong, Wei, Huang 2024, arXiv:2306.08543, equation 1.

    Example:
        >>> import torch
        >>> from didact.losses import reverse_kl
        >>> uniform, sure = torch.zeros(1, 4), torch.tensor([[60.0, 0.0, 0.0, 0.0]])
        >>> round(reverse_kl(sure, uniform).item(), 4)  # log 4
        1.3863
    """
    return closed_form(
        student_logits,
        teacher_logits,
        _reverse,
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


@register_loss(
    family="logits",
    purpose="language",
    kind="divergence",
    formula="T^2 * (KL(p || q) + KL(q || p)) / 2, p = softmax(t/T), q = softmax(s/T)",
    paper="Jeffreys 1946, doi:10.1098/rspa.1946.0056, halved",
)
def symmetric_kl(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Mean of forward and reverse KL: half of Jeffreys' divergence, so that it weighs like one KL.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        temperature: T > 0, dividing both sides.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Jeffreys 1946, doi:10.1098/rspa.1946.0056.

    Example:
        >>> import torch
        >>> from didact.losses import symmetric_kl
        >>> a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
        >>> round(symmetric_kl(a, b).item(), 4)  # tanh(1/2)
        0.4621
    """
    return closed_form(
        student_logits,
        teacher_logits,
        softmax_rows(_symmetric),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
        weight=0.5,
    )


@register_loss(
    family="logits",
    purpose="language",
    kind="divergence",
    formula="T * sum |p - q| / 2, p = softmax(t/T), q = softmax(s/T)",
    paper="Wen et al. 2023 (f-distill), ACL, arXiv:2307.15190",
)
def total_variation(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Total variation distance, ``T * sum |p - q| / 2``, which no single class can dominate.

    The factor is T, not its square: the distance is linear in ``p - q``, so that T keeps the
    gradient's size nearly independent of the temperature.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        temperature: T > 0, dividing both sides.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The distance, from 0 to T: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or +infinity (looked for on a CPU only); -inf,
            a class that is ruled out, is a probability of 0.

    Paper: Wen, Li, Du, Mou 2023, f-Divergence minimization for sequence-level knowledge
    distillation, ACL, arXiv:2307.15190.

    Example:
        >>> import torch
        >>> from didact.losses import total_variation
        >>> uniform, sure = torch.zeros(1, 4), torch.tensor([[60.0, 0.0, 0.0, 0.0]])
        >>> total_variation(uniform, sure).item()
        0.75
    """
    return closed_form(
        student_logits,
        teacher_logits,
        _variation,
        temperature=temperature,
        reduction=reduction,
        mask=mask,
        power=1,
        weight=0.5,
    )


def _reverse(student: Tensor, teacher: Tensor) -> ValueAndGradient:
    student_log_probs, student_probs = log_softmax_and_softmax(student)
    ratio = student_log_probs - torch.log_softmax(teacher, -1)
    return student_probs * ratio, lambda: softmax_backward(ratio, student_probs)


def _symmetric(student: Side, teacher: Side) -> ValueAndGradient:
    """``p (log p - log q) + q (log q - log p) = (p - q) (log p - log q)``, to be halved."""
    (student_log_probs, student_probs), (teacher_log_probs, teacher_probs) = student, teacher
    ratio = teacher_log_probs - student_log_probs
    gap = teacher_probs - student_probs
    return gap * ratio, lambda: (student_probs * ratio).add_(gap).neg_()


def _variation(student: Tensor, teacher: Tensor) -> ValueAndGradient:
    """``sum |p - q|``, to be halved."""
    student_probs = torch.softmax(student, -1)
    gap = student_probs - torch.softmax(teacher, -1)
    return gap.abs(), lambda: softmax_backward(gap.sign(), student_probs)
