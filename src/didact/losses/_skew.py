"""Ko et al. 2024: DistiLLM, towards streamlined distillation for large language models."""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses._card import card
from didact.losses._node import Parts, closed_form, softmax_rows
from didact.losses._reduce import Reduction


@card(
    family="logits",
    kind="divergence",
    formula="T^2 * KL(p || a p + (1-a) q), p = softmax(t/T), q = softmax(s/T)",
    paper="Ko et al. 2024 (DistiLLM), arXiv:2402.03898, section 3.1",
)
def skew_kl(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    alpha: float = 0.1,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Skew KL, ``T^2 * KL(p || a p + (1-a) q)``: bounded by ``T^2 log(1/a)``, so no class explodes.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        alpha: Share of the teacher in the mixture, 0 <= alpha < 1; 0 is forward KL.
        temperature: T > 0, dividing both sides.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``alpha`` is outside [0, 1) or ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Ko, Kim, Chen, Yun 2024, arXiv:2402.03898, section 3.1.

    Example:
        >>> import torch
        >>> from didact.losses import skew_kl
        >>> a, b = torch.tensor([[90.0, 0.0]]), torch.tensor([[0.0, 90.0]])
        >>> round(skew_kl(a, b).item(), 4)  # log 10, the largest
        2.3026
    """
    _check_alpha(alpha)
    return closed_form(
        student_logits,
        teacher_logits,
        softmax_rows(partial(_from_teacher, alpha)),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


@card(
    family="logits",
    kind="divergence",
    formula="T^2 * KL(q || (1-a) p + a q), p = softmax(t/T), q = softmax(s/T)",
    paper="Ko et al. 2024 (DistiLLM), arXiv:2402.03898, section 3.1",
)
def skew_reverse_kl(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    alpha: float = 0.1,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Skew reverse KL, ``T^2 * KL(q || (1-a) p + a q)``, bounded by ``T^2 log(1/a)``.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        alpha: Share of the student in the mixture, 0 <= alpha < 1; 0 is reverse KL.
        temperature: T > 0, dividing both sides.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``alpha`` is outside [0, 1) or ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Ko, Kim, Chen, Yun 2024, arXiv:2402.03898, section 3.1.

    Example:
        >>> import torch
        >>> from didact.losses import skew_reverse_kl
        >>> a, b = torch.tensor([[90.0, 0.0]]), torch.tensor([[0.0, 90.0]])
        >>> round(skew_reverse_kl(a, b).item(), 4)  # log 10, the largest
        2.3026
    """
    _check_alpha(alpha)
    return closed_form(
        student_logits,
        teacher_logits,
        softmax_rows(partial(_from_student, alpha)),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


def _from_teacher(alpha: float, student_log_probs: Tensor, teacher_log_probs: Tensor) -> Parts:
    mixture = _mix(teacher_log_probs, student_log_probs, alpha)
    teacher_probs = teacher_log_probs.exp()
    divergence = teacher_probs * (teacher_log_probs - mixture)

    def slope() -> Tensor:
        return (student_log_probs - mixture).exp().mul_(teacher_probs).mul_(alpha - 1)

    return divergence.sum(-1), slope


def _from_student(alpha: float, student_log_probs: Tensor, teacher_log_probs: Tensor) -> Parts:
    mixture = _mix(student_log_probs, teacher_log_probs, alpha)
    student_probs, ratio = student_log_probs.exp(), student_log_probs - mixture
    return (student_probs * ratio).sum(-1), lambda: student_probs * (ratio - alpha * ratio.exp())


def _mix(first: Tensor, second: Tensor, share: float) -> Tensor:
    """``log(share exp(first) + (1 - share) exp(second))``."""
    if share == 0:
        return second
    return torch.logaddexp(first + math.log(share), second + math.log1p(-share))


def _check_alpha(alpha: float) -> None:
    if not 0 <= alpha < 1:
        raise RangeError(f"alpha is {alpha}; expected 0 <= alpha < 1 (the paper uses 0.1)")
