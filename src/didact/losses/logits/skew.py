"""Ko et al. 2024: DistiLLM, towards streamlined distillation for large language models."""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses.fast.closed_form import ValueAndGradient, closed_form
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss
from didact.losses.kit.softmax import (
    log_softmax_and_softmax,
    log_softmax_backward,
    softmax_backward,
)

_SAFE = 1e-4
"""A smaller share is mixed in the space of logarithms, where nothing is too small to be seen."""


@register_loss(
    family="logits",
    purpose="language",
    kind="divergence",
    formula="T^2 * KL(p || a p + (1-a) q), p = softmax(t/T), q = softmax(s/T)",
    paper="Ko et al. 2024 (DistiLLM), ICML, arXiv:2402.03898, section 3.1",
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
        NonFiniteError: The teacher's logits hold NaN or +infinity (looked for on a CPU only); -inf,
            a class that is ruled out, is a probability of 0.

    Paper: Ko, Kim, Chen, Yun 2024, DistiLLM, ICML, arXiv:2402.03898, section 3.1.

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
        partial(_from_teacher, alpha),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


@register_loss(
    family="logits",
    purpose="language",
    kind="divergence",
    formula="T^2 * KL(q || (1-a) p + a q), p = softmax(t/T), q = softmax(s/T)",
    paper="Ko et al. 2024 (DistiLLM), ICML, arXiv:2402.03898, section 3.1",
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
        NonFiniteError: The teacher's logits hold NaN or +infinity (looked for on a CPU only); -inf,
            a class that is ruled out, is a probability of 0.

    Paper: Ko, Kim, Chen, Yun 2024, DistiLLM, ICML, arXiv:2402.03898, section 3.1.

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
        partial(_from_student, alpha),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


def _from_teacher(alpha: float, student: Tensor, teacher: Tensor) -> ValueAndGradient:
    if alpha >= _SAFE:
        student_probs, teacher_probs = torch.softmax(student, -1), torch.softmax(teacher, -1)
        ratio = _to_mixture(teacher_probs, student_probs, alpha)
        return teacher_probs * ratio.log(), lambda: softmax_backward(
            ratio.mul_(alpha - 1), student_probs
        )
    student_log_probs, student_probs = log_softmax_and_softmax(student)
    teacher_log_probs, teacher_probs = log_softmax_and_softmax(teacher)
    mixture = _mix(teacher_log_probs, student_log_probs, alpha)

    def gradient() -> Tensor:
        slope = (student_log_probs - mixture).exp().mul_(teacher_probs).mul_(alpha - 1)
        return log_softmax_backward(slope, student_probs)

    return teacher_probs * (teacher_log_probs - mixture), gradient


def _from_student(alpha: float, student: Tensor, teacher: Tensor) -> ValueAndGradient:
    if alpha >= _SAFE:
        student_probs = torch.softmax(student, -1)
        ratio = _to_mixture(student_probs, torch.softmax(teacher, -1), alpha)
        logs = ratio.log()
        return student_probs * logs, lambda: softmax_backward(
            logs.sub_(ratio, alpha=alpha), student_probs
        )
    student_log_probs, student_probs = log_softmax_and_softmax(student)
    logs = student_log_probs - _mix(student_log_probs, torch.log_softmax(teacher, -1), alpha)
    return student_probs * logs, lambda: softmax_backward(logs - alpha * logs.exp(), student_probs)


def _to_mixture(first: Tensor, second: Tensor, share: float) -> Tensor:
    """``first / (share first + (1 - share) second)``, never 0: at most ``1 / share``.

    Where ``first`` is so small that it is 0, so is what it is multiplied with.
    """
    tiny = torch.finfo(first.dtype).tiny
    mixture = torch.add(first * share, second, alpha=1 - share)
    return (first / mixture.clamp_min(tiny)).clamp_min(tiny)


def _mix(first: Tensor, second: Tensor, share: float) -> Tensor:
    """``log(share exp(first) + (1 - share) exp(second))``."""
    if share == 0:
        return second
    return torch.logaddexp(first + math.log(share), second + math.log1p(-share))


def _check_alpha(alpha: float) -> None:
    if not 0 <= alpha < 1:
        raise RangeError(f"alpha is {alpha}; expected 0 <= alpha < 1 (the paper uses 0.1)")
