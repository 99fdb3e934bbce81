"""Jin, Wang, Lin 2023: Multi-level logit distillation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import UsageError
from didact.losses.fast.closed_form import ValueAndGradient, closed_form
from didact.losses.kit.checks import check_temperature
from didact.losses.kit.precision import full_precision
from didact.losses.kit.registry import register_loss
from didact.losses.kit.softmax import log_softmax_and_softmax, softmax_backward


@register_loss(
    family="logits",
    purpose="gap",
    kind="divergence",
    formula="mean_T [T^2 KL(p || q) + |Q Q' - P P'|^2 / samples + |Q' Q - P' P|^2 / classes]",
    paper="Jin et al. 2023, Multi-level logit distillation, CVPR",
)
def mlkd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperatures: Sequence[float] = (2.0, 3.0, 4.0, 5.0, 6.0),
) -> Float[Tensor, ""]:
    """Multi-level logit distillation: agreement by instance, by batch and by class.

    For each temperature: Hinton's loss; the squared difference between the samples' similarities
    ``Q Q'`` and ``P P'`` over the number of samples; and that between the classes' similarities
    ``Q' Q`` and ``P' P`` over the number of classes. The paper adds them up over the
    temperatures; the mean is taken here, so that a longer list does not weigh more.

    Samples interact, so there is no ``reduction``. Memory grows with the square of the samples or
    of the classes, whichever are fewer.

    Args:
        student_logits: ``(..., classes)``; leading dimensions are samples.
        teacher_logits: Same shape; no gradient goes to it.
        temperatures: One number above 0 or more.

    Returns:
        A scalar.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits.
        RangeError: A temperature is not above 0.
        UsageError: No temperature.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Jin, Wang, Lin 2023, Multi-level logit distillation, CVPR.

    Example:
        >>> import torch
        >>> from didact.losses import mlkd
        >>> logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
        >>> mlkd(logits, logits).item()
        0.0
    """
    if not temperatures:
        raise UsageError("temperatures is empty; expected one or more, such as (2, 3, 4, 5, 6)")
    for temperature in temperatures:
        check_temperature(temperature)
    return closed_form(
        student_logits,
        teacher_logits,
        partial(_levels, temperatures),
        temperature=1.0,
        reduction="sum",
        mask=None,
    )


def _levels(temperatures: Sequence[float], student: Tensor, teacher: Tensor) -> ValueAndGradient:
    """The mean over the temperatures."""
    flat, teacher = student.flatten(0, -2), teacher.flatten(0, -2)
    with full_precision(student):
        levels = [_level(flat / T, teacher / T, T) for T in temperatures]

    def gradient() -> Tensor:
        with full_precision(student):
            slopes = [slope().div_(T) for (_, slope), T in zip(levels, temperatures, strict=True)]
        return sum(slopes[1:], slopes[0]).div_(len(levels)).view(student.shape)

    return torch.stack([value for value, _ in levels]).mean(), gradient


def _level(student: Tensor, teacher: Tensor, temperature: float) -> ValueAndGradient:
    """The loss of scaled logits at one temperature, and its slope in them."""
    student_log_probs, q = log_softmax_and_softmax(student)
    teacher_log_probs, p = log_softmax_and_softmax(teacher)
    factor = temperature**2 / len(q)
    divergence = ((teacher_log_probs - student_log_probs) * p).sum()
    similarity, slope = _similarities(q, p)

    def gradient() -> Tensor:
        return softmax_backward(slope(), q).add_(q - p, alpha=factor)

    return divergence * factor + similarity, gradient


def _similarities(q: Tensor, p: Tensor) -> ValueAndGradient:
    """``|Q Q' - P P'|^2 / samples + |Q' Q - P' P|^2 / classes``, and its slope in Q.

    With ``S = Q + P`` and ``D = Q - P`` the first matrix is ``(S D' + D S') / 2`` and the second
    ``(S' D + D' S) / 2``, whose square is a sum over products of ``S D'``, ``S S'`` and ``D D'``:
    matrices of the samples alone. Where there are fewer classes they change places.
    """
    both, gap = q + p, q - p
    turned = q.shape[1] < q.shape[0]
    if turned:
        both, gap = both.T, gap.T
    few, many = both.shape
    cross, boths, gaps = both @ gap.T, both @ both.T, gap @ gap.T
    even = cross + cross.T
    value = even.square().sum() / (4 * few)
    value = value + ((boths * gaps).sum() + (cross * cross.T).sum()) / (2 * many)

    def slope() -> Tensor:
        shared = even / few
        found = (shared + (cross + gaps) / many) @ both
        found = found.addmm_(shared + (cross.T + boths) / many, gap)
        return found.T if turned else found

    return value, slope
