"""Soft binary distillation: one independent yes or no for each class."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses.fast.closed_form import ValueAndGradient, closed_form
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss


@register_loss(
    family="logits",
    purpose="multi_label",
    kind="match",
    formula="T^2 * sum_c KL(Bernoulli(sigmoid(t_c/T)) || Bernoulli(sigmoid(s_c/T)))",
    paper="Yang et al. 2023 (multi-label logit distillation), ICCV, arXiv:2308.06453",
)
def binary_kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Distillation of sigmoids, for multi-label teachers: ``T^2 * sum_c KL(p_c || q_c)``.

    The soft binary cross-entropy less the teacher's own entropy, which has no gradient: the value
    is 0 where student and teacher agree. Summed over classes, averaged over samples.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        temperature: T > 0.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Yang et al. 2023, Multi-label knowledge distillation, ICCV, arXiv:2308.06453.

    Example:
        >>> import torch
        >>> from didact.losses import binary_kd
        >>> student, teacher = torch.zeros(1, 3), torch.tensor([[60.0, -60.0, 0.0]])
        >>> round(binary_kd(student, teacher).item(), 4)  # 2 log 2
        1.3863
    """
    return closed_form(
        student_logits,
        teacher_logits,
        _bernoulli,
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


def _bernoulli(student: Tensor, teacher: Tensor) -> ValueAndGradient:
    """``KL(p || q) = log(1 + e^s) - log(1 + e^t) - p (s - t)``, p the teacher's "yes"."""
    teacher_yes = teacher.sigmoid()
    gap = (student - teacher).mul_(teacher_yes)
    divergence = _log_one_plus_exp(student).sub_(_log_one_plus_exp(teacher)).sub_(gap)
    return divergence, lambda: student.sigmoid().sub_(teacher_yes)


def _log_one_plus_exp(logits: Tensor) -> Tensor:
    return F.softplus(logits, threshold=100.0)  # at PyTorch's 20, float64 would lose seven digits
