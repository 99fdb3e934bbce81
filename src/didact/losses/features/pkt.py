"""Passalis, Tefas 2018: Learning deep representations with probabilistic knowledge transfer."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from didact.losses.fast.features import together
from didact.losses.kit.maps import (
    directions,
    feature_pair,
    product,
    through_directions,
    unit,
)
from didact.losses.kit.registry import register_loss

# The kernel of two opposite vectors is 0, whose logarithm the loss would need.
_LEAST_KERNEL = 1e-7


@register_loss(
    family="relations",
    purpose="embedding",
    kind="match",
    formula="mean over j of KL(p(.|j; t) || p(.|j; s)),  p(i|j) ~ (1 + cos(f_i, f_j)) / 2",
    paper="Passalis and Tefas 2018, ECCV, arXiv:1803.10837",
)
def pkt(
    student_features: Float[Tensor, " batch *student_units"],
    teacher_features: Float[Tensor, " batch *teacher_units"],
) -> Float[Tensor, ""]:
    """Which sample would pick which as its neighbour: KL between the two networks' answers.

    ``mean_j sum_(i != j) p_ij log(p_ij / q_ij)``, where ``p_ij`` (teacher) and ``q_ij`` (student)
    are the cosine kernels ``(1 + cos(f_i, f_j)) / 2`` divided by their sum over ``i != j``. The
    sides may differ in all but the batch.

    Args:
        student_features: ``(batch, ...)``; everything after the batch is flattened.
        teacher_features: ``(batch, ...)``; no gradient goes to it.

    Returns:
        A scalar in nats: the samples of a batch interact. It is 0 for fewer than three samples,
        where the answer is certain. A zero vector has cosine 0 with every other.

    Raises:
        ShapeError: The batches differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Passalis and Tefas 2018, arXiv:1803.10837: cosine kernel, conditional
    probabilities, KL. The authors' code keeps a sample's kernel with itself and divides by
    ``batch^2``; a weight tuned for it (30000) is that over the batch size here.

    Example:
        >>> import torch
        >>> from didact.losses import pkt
        >>> points = torch.tensor([[1.0, 0.0], [1.0, 1.0], [-1.0, 2.0]])
        >>> pkt(3 * points, points).item() < 1e-6
        True
    """
    student, teacher = feature_pair(student_features, teacher_features, alike="batch")
    return together(student, teacher, _value_and_gradient, _divergence, scale=1 / len(student))


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    found, wanted = (_kernel(unit(side.flatten(1))) for side in (student, teacher))
    itself = torch.eye(len(student), dtype=torch.bool, device=student.device)
    student_sums = _sums(found.masked_fill(itself, 0.0))
    teacher_others = wanted.masked_fill(itself, 0.0)
    teacher_sums = _sums(teacher_others)
    log_ratio = (wanted / found).log()
    partitions = student_sums.log() - teacher_sums.log()
    return (teacher_others / teacher_sums * log_ratio).sum() + partitions.sum()


def _value_and_gradient(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
    """The kernels' diagonals are 0 in the sums and, to be divided, 1 elsewhere."""
    found, inverse = directions(student.flatten(1))
    kernel = _kernel(found)
    wanted = _kernel(directions(teacher.flatten(1))[0])
    sums, teacher_sums = _sums(kernel.fill_diagonal_(0.0)), _sums(wanted.fill_diagonal_(0.0))
    probs = wanted / teacher_sums
    ratio = wanted.div_(kernel.fill_diagonal_(1.0)).fill_diagonal_(1.0)
    partitions = sums.log().sub_(teacher_sums.log())
    value = ratio.log_().mul_(probs).sum().add_(partitions.sum())
    if gradient is not None:
        slope = sums.reciprocal() - probs.div_(kernel)
        slope.mul_((kernel - _LEAST_KERNEL).sign_()).fill_diagonal_(0.0)
        slope = product((slope + slope.T).div_(2), found)
        gradient.copy_(through_directions(slope, found, inverse).view(student.shape))
    return value


def _kernel(directions: Tensor) -> Tensor:
    return (product(directions, directions.T) / 2 + 0.5).clamp(min=_LEAST_KERNEL)


def _sums(others: Tensor) -> Tensor:
    return others.sum(1, keepdim=True).clamp(min=_LEAST_KERNEL)
