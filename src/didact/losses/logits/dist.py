"""Huang et al. 2022: Knowledge distillation from a stronger teacher (DIST)."""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from didact.losses.fast.closed_form import ValueAndGradient, closed_form
from didact.losses.kit.checks import check_positive
from didact.losses.kit.precision import values_can_be_read
from didact.losses.kit.registry import register_loss
from didact.losses.kit.softmax import softmax_backward


@register_loss(
    family="logits",
    purpose="gap",
    kind="divergence",
    formula="beta * mean_i (1 - r(q_i., p_i.)) + gamma * mean_c (1 - r(q_.c, p_.c))",
    paper="Huang et al. 2022 (DIST), NeurIPS, arXiv:2205.10536",
)
def dist(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    beta: float = 1.0,
    gamma: float = 1.0,
    temperature: float = 1.0,
) -> Float[Tensor, ""]:
    """DIST: Pearson correlation of the probabilities, within each sample and within each class.

    ``beta * inter + gamma * intra``, where inter is the mean over samples of 1 minus the
    correlation over classes, and intra the mean over classes of 1 minus the correlation over
    samples. ``1 - r`` is computed as half the squared distance of the two standardised vectors:
    exactly 0, with gradient 0, where they are equal. A vector without variation correlates with
    nothing and costs 1, or 0 if both sides are without.

    There is no factor ``T^2``: a correlation does not shrink as T grows, and neither does its
    gradient. The authors' code has one: at T = 1, which they use most, it is the same, elsewhere
    multiply ``beta`` and ``gamma`` by ``T^2``.

    Samples interact, so there is no ``reduction``.

    Args:
        student_logits: ``(..., classes)``; leading dimensions are samples.
        teacher_logits: Same shape; no gradient goes to it.
        beta: Weight of the part over classes.
        gamma: Weight of the part over samples.
        temperature: T > 0.

    Returns:
        A scalar from 0 to ``2 (beta + gamma)``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits.
        RangeError: A negative weight, or ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or +infinity (looked for on a CPU only); -inf,
            a class that is ruled out, is a probability of 0.

    Paper: Huang, You, Wang, Qian, Xu 2022, Knowledge distillation from a stronger teacher, NeurIPS,
    arXiv:2205.10536.

    Example:
        >>> import torch
        >>> from didact.losses import dist
        >>> logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
        >>> dist(logits, logits).item()
        0.0
    """
    check_positive(beta, name="beta")
    check_positive(gamma, name="gamma")
    return closed_form(
        student_logits,
        teacher_logits,
        partial(_both_ways, beta, gamma),
        temperature=temperature,
        reduction="sum",
        mask=None,
        power=0,
    )


def _both_ways(beta: float, gamma: float, student: Tensor, teacher: Tensor) -> ValueAndGradient:
    both = torch.softmax(torch.stack((student.flatten(0, -2), teacher.flatten(0, -2))), -1)
    inter, inter_slope = _unlikeness(both, -1)
    intra, intra_slope = _unlikeness(both, -2)

    def gradient() -> Tensor:
        slope = inter_slope().mul_(beta / inter.numel())
        slope.add_(intra_slope(), alpha=gamma / intra.numel())
        return softmax_backward(slope, both[0]).view_as(student)

    return beta * inter.mean() + gamma * intra.mean(), gradient


def _unlikeness(both: Tensor, dim: int) -> ValueAndGradient:
    """1 minus Pearson's correlation along ``dim``, and its slope in the student's probabilities."""
    vectors, lengths, still = _standardise(both, dim)
    student, teacher = vectors.unbind()
    distance = (student - teacher).square().sum(dim, keepdim=True).div_(2)
    value = distance
    if still is not None:
        value = distance.add(still[0] ^ still[1], alpha=0.5)
    return value.squeeze(dim), lambda: ((1 - distance) * student).sub_(teacher).div_(lengths[0])


def _standardise(probs: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Vectors of mean 0 and length 1 along ``dim``, their length before, and which do not vary.

    The latter become 0, of infinite length; None stands for "all vary".
    """
    mean = probs.mean(dim, keepdim=True)
    centred = probs - mean
    info = torch.finfo(probs.dtype)
    if values_can_be_read(probs) and not torch.is_grad_enabled():
        length = torch.linalg.vector_norm(centred, dim=dim, keepdim=True)
        # Above this no square of an entry that matters is 0, nor is the largest entry rounding.
        enough = torch.add(
            math.sqrt(info.tiny) / info.eps, mean, alpha=8 * info.eps * math.sqrt(probs.shape[dim])
        )
        if bool((length > enough).all()):
            return centred.div_(length), length, None
    return _standardise_scaled(centred, mean, dim)


def _standardise_scaled(centred: Tensor, mean: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """The same where some are tiny: the square of a probability of 1e-30 would be 0.

    Each is scaled by its largest entry first.
    """
    info = torch.finfo(centred.dtype)
    with torch.no_grad():
        largest = centred.abs().amax(dim, keepdim=True)
        still = largest <= (8 * info.eps) * mean + info.tiny / info.eps
        scale = largest.masked_fill(still, torch.inf)
    scaled = centred / scale
    length = scaled.square().sum(dim, keepdim=True).masked_fill(still, 1.0).sqrt()
    return scaled / length, length * scale, still
