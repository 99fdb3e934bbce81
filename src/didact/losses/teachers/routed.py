"""Distillation from several teachers, of which each sample has its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from didact.losses.kit.checks import check_labels
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss
from didact.losses.kit.teacher_list import check_teachers, raise_if_a_teacher_not_finite
from didact.losses.logits.kd import kd_unchecked


@register_loss(
    family="teachers",
    purpose="teachers",
    kind="divergence",
    formula="T^2 * KL(softmax(t_r/T) || softmax(s/T)), r the teacher of the sample",
    paper="Hinton et al. 2015, arXiv:1503.02531, after section 5 (specialists)",
)
def kd_routed(
    student_logits: Float[Tensor, "*batch classes"],
    teachers_logits: Sequence[Float[Tensor, "*batch classes"]],
    routes: Int64[Tensor, "*batch"],
    *,
    temperature: float = 4.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Hinton's loss to one teacher for each sample: a specialist for its domain, task or language.

    Args:
        student_logits: ``(..., classes)``.
        teachers_logits: One tensor of the same shape for each teacher; no gradient goes to them.
            What a teacher says of samples that are not its own is not looked at.
        routes: The number of each sample's teacher, ``(...)``.
        temperature: T > 0.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: A shape differs, or there is no sample.
        DtypeError: Integer logits, routes that are not int64, or a mask that is not boolean.
        RangeError: A route that is no teacher's number, or ``temperature`` not above 0.
        UsageError: No teacher, or an unknown reduction.
        NonFiniteError: A teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: after Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 5, where a generalist and
    those specialists that fit an image are brought together for it (eq. 5). The routed loss, one
    teacher for each sample, has no paper of its own.

    Example:
        >>> import torch
        >>> from didact.losses import kd_routed
        >>> one = torch.tensor([[1.0, 0.0], [0.0, 9.0]])
        >>> two = torch.tensor([[5.0, 0.0], [0.0, 2.0]])
        >>> student = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        >>> kd_routed(student, [one, two], torch.tensor([0, 1])).item()
        0.0
    """
    check_teachers(
        student_logits, teachers_logits, temperature=temperature, reduction=reduction, mask=mask
    )
    check_labels(
        routes, student_logits.shape[:-1], classes=len(teachers_logits), name="routes", of="teacher"
    )
    chosen = teachers_logits[0].detach()
    for number, teacher_logits in enumerate(teachers_logits[1:], start=1):
        here = (routes == number).unsqueeze(-1)
        chosen = torch.where(here, teacher_logits.detach(), chosen)
    value = kd_unchecked(student_logits, chosen, temperature, reduction, mask)
    raise_if_a_teacher_not_finite(value, teachers_logits)
    return value
