"""Agarwal et al. 2024: On-policy distillation of language models (GKD)."""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses.fast.closed_form import Side, ValueAndGradient, closed_form, softmax_rows
from didact.losses.kit.checks import check_weight
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss

_NEAR_AN_END = 0.01


@register_loss(
    family="logits",
    purpose="language",
    kind="divergence",
    formula="T^2 * (b KL(p || m) + (1-b) KL(q || m)) / (b (1-b)), m = b p + (1-b) q",
    paper="Agarwal et al. 2024 (GKD), arXiv:2306.13649, section 2, eq. 1, divided by b (1-b)",
)
def generalised_jsd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    beta: float = 0.5,
    temperature: float = 1.0,
    normalise: bool = True,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Generalised Jensen-Shannon divergence: from forward KL (beta 0) to reverse KL (beta 1).

    The paper's ``b KL(p || m) + (1-b) KL(q || m)`` vanishes as beta approaches 0 or 1, yet it is
    used with the two KL divergences put at these ends: the loss then jumps by orders of
    magnitude. Divided by ``b (1-b)`` it is continuous, tends to ``KL(p || q)`` and ``KL(q || p)``,
    and has the same curvature at student = teacher for every beta, so that beta changes the
    objective and not the step size. At beta = 1/2 that is 4 times the Jensen-Shannon divergence.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        beta: The teacher's share in the mixture m, from 0 to 1.
        temperature: T > 0, dividing both sides.
        normalise: False for the paper's own scale, which is 0 at both ends.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``beta`` is outside [0, 1] or ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Agarwal et al. 2024, arXiv:2306.13649, section 2, eq. 1.

    Example:
        >>> import torch
        >>> from didact.losses import generalised_jsd
        >>> a, b = torch.tensor([[90.0, 0.0]]), torch.tensor([[0.0, 90.0]])
        >>> round(generalised_jsd(a, b, normalise=False).item(), 4)  # log 2, the largest
        0.6931
    """
    check_weight(beta, name="beta")
    rows = partial(_divergence, beta, 1.0 if normalise else beta * (1 - beta))
    return closed_form(
        student_logits,
        teacher_logits,
        softmax_rows(rows),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


def _divergence(beta: float, factor: float, student: Side, teacher: Side) -> ValueAndGradient:
    dtype = student[0].dtype
    if 0 < min(beta, 1 - beta) < _NEAR_AN_END:  # the division by beta magnifies rounding
        student, teacher = _exactly(student[0]), _exactly(teacher[0])
    (student_log_probs, student_probs), (teacher_log_probs, teacher_probs) = student, teacher
    if beta == 0:
        divergence = teacher_probs * (teacher_log_probs - student_log_probs)
        return divergence.sum(-1) * factor, lambda: teacher_probs * -factor
    mixture = teacher_log_probs
    if beta < 1:
        mixture = torch.logaddexp(
            teacher_log_probs + math.log(beta), student_log_probs + math.log1p(-beta)
        )
    from_student = student_probs * (student_log_probs - mixture) / beta
    divergence = from_student
    if beta < 1:
        divergence = teacher_probs * (teacher_log_probs - mixture) / (1 - beta) + from_student
    # The mixture is best for both parts, so that its own dependence on the student drops out.
    return (divergence.sum(-1) * factor).to(dtype), lambda: (from_student * factor).to(dtype)


def _exactly(log_probs: Tensor) -> Side:
    log_probs = log_probs.double()
    return log_probs, log_probs.exp()
