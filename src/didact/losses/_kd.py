"""Hinton, Vinyals, Dean 2015: Distilling the knowledge in a neural network."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses._card import card
from didact.losses._checks import check_mask, check_pair, check_temperature
from didact.losses._reduce import Reduction, reduce


@card(
    family="logits",
    kind="divergence",
    formula="T^2 * KL(softmax(t/T) || softmax(s/T))",
    paper="Hinton et al. 2015, arXiv:1503.02531, section 2",
)
def kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float = 4.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Distillation on softened distributions: ``T^2 * KL(softmax(t/T) || softmax(s/T))``.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        temperature: T > 0. The factor ``T^2`` keeps the gradient's size nearly independent of T.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.

    Paper: Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 2.

    Example:
        >>> import torch
        >>> from didact.losses import kd
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]])
        >>> kd(logits, logits).item()
        0.0
    """
    check_pair(student_logits, teacher_logits)
    check_temperature(temperature)
    check_mask(mask, student_logits.shape[:-1])
    student_log_probs = F.log_softmax(student_logits.float() / temperature, dim=-1)
    teacher_log_probs = F.log_softmax(teacher_logits.detach().float() / temperature, dim=-1)
    divergence = F.kl_div(student_log_probs, teacher_log_probs, log_target=True, reduction="none")
    return reduce(divergence.sum(-1) * temperature**2, reduction, mask)
