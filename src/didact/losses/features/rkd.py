"""Park et al. 2019: Relational knowledge distillation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from didact.losses.fast.features import together
from didact.losses.kit.maps import checked_value, feature_pair, product
from didact.losses.kit.pairwise import distances, gram, squared_distances
from didact.losses.kit.registry import register_loss

_PAPER = "Park et al. 2019, CVPR, arXiv:1904.05068"


@register_loss(
    family="relations",
    purpose="embedding",
    kind="match",
    formula="mean over pairs of huber(|s_i - s_j| / mean - |t_i - t_j| / mean)",
    paper=f"{_PAPER}, section 3.2.1, eq. 5-8",
)
def rkd_distance(
    student_features: Float[Tensor, " batch *student_units"],
    teacher_features: Float[Tensor, " batch *teacher_units"],
) -> Float[Tensor, ""]:
    """Distances between samples, in units of their mean, as the teacher has them.

    ``mean_ij huber(d(s)_ij - d(t)_ij)`` with ``d(f)_ij = |f_i - f_j| / mean |f_k - f_l|``, the
    mean over pairs of different samples, and ``huber(e) = e^2/2`` for ``|e| <= 1``, else
    ``|e| - 1/2``. The sides may differ in all but the batch.

    Args:
        student_features: ``(batch, ...)``; everything after the batch is flattened.
        teacher_features: ``(batch, ...)``; no gradient goes to it.

    Returns:
        A scalar: the samples of a batch interact. It is 0 for a batch of one, and equal points
        give no gradient to their distance.

    Raises:
        ShapeError: The batches differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Park et al. 2019, CVPR, arXiv:1904.05068, section 3.2.1, eq. 5-8. The mean runs over all
    ``batch^2`` ordered pairs, as in the authors' code, and the mean distance over all pairs of
    different samples, those at one point included: a student that collapses has smaller units.

    Example:
        >>> import torch
        >>> from didact.losses import rkd_distance
        >>> points = torch.tensor([[0.0], [1.0], [3.0]])
        >>> rkd_distance(7 * points, points).item()
        0.0
    """
    student, teacher = _flattened(student_features, teacher_features)
    scale = 1 / len(student) ** 2
    return together(student, teacher, _distance_rows, _distance_formula, scale=scale)


@register_loss(
    family="relations",
    purpose="embedding",
    kind="match",
    formula="mean over triplets of huber(cos(s_i s_j s_k) - cos(t_i t_j t_k))",
    paper=f"{_PAPER}, section 3.2.2, eq. 9",
)
def rkd_angle(
    student_features: Float[Tensor, " batch *student_units"],
    teacher_features: Float[Tensor, " batch *teacher_units"],
) -> Float[Tensor, ""]:
    """Angles between triplets of samples, as the teacher has them.

    ``mean_ijk huber(a(s)_ijk - a(t)_ijk)`` where ``a(f)_ijk`` is the cosine of the angle at
    ``f_j`` between the directions to ``f_i`` and to ``f_k``. The sides may differ in all but the
    batch.

    Args:
        student_features: ``(batch, ...)``; everything after the batch is flattened.
        teacher_features: ``(batch, ...)``; no gradient goes to it.

    Returns:
        A scalar: the samples of a batch interact. It is 0 for fewer than three samples; between
        equal points there is no direction, and the cosine counts as 0 without gradient. Memory
        grows with ``batch^3``, not with the size of the features.

    Raises:
        ShapeError: The batches differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Park et al. 2019, CVPR, arXiv:1904.05068, section 3.2.2, eq. 9. The mean runs over all
    ``batch^3`` ordered triplets, as in the authors' code.

    Example:
        >>> import torch
        >>> from didact.losses import rkd_angle
        >>> corner = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
        >>> turned = torch.tensor([[0.0, 2.0], [0.0, 0.0], [-2.0, 0.0]])
        >>> abs(round(rkd_angle(turned, corner).item(), 6))
        0.0
    """
    student, teacher = _flattened(student_features, teacher_features)
    return checked_value(F.smooth_l1_loss(_cosines(student), _cosines(teacher)), teacher)


@register_loss(
    family="relations",
    purpose="embedding",
    kind="match",
    formula="distance_weight * rkd_distance + angle_weight * rkd_angle",
    paper=f"{_PAPER}, section 4.2",
)
def rkd(
    student_features: Float[Tensor, " batch *student_units"],
    teacher_features: Float[Tensor, " batch *teacher_units"],
    *,
    distance_weight: float = 25.0,
    angle_weight: float = 50.0,
) -> Float[Tensor, ""]:
    """Both relations: ``distance_weight * rkd_distance + angle_weight * rkd_angle``.

    Args:
        student_features: ``(batch, ...)``; everything after the batch is flattened.
        teacher_features: ``(batch, ...)``; no gradient goes to it.
        distance_weight: Weight of :func:`rkd_distance`.
        angle_weight: Weight of :func:`rkd_angle`, twice the other in both of the paper's settings.

    Returns:
        A scalar: the samples of a batch interact.

    Raises:
        ShapeError: The batches differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Park et al. 2019, CVPR, arXiv:1904.05068: weights 25 and 50 for classification (section
    4.2), 1 and 2 for metric learning (section 4.1).

    Example:
        >>> import torch
        >>> from didact.losses import rkd
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]])
        >>> rkd(points, points).item()
        0.0
    """
    student, teacher = _flattened(student_features, teacher_features)
    distance = rkd_distance(student, teacher)
    return distance_weight * distance + angle_weight * rkd_angle(student, teacher)


def _flattened(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    student, teacher = feature_pair(student, teacher, alike="batch")
    return student.flatten(1), teacher.flatten(1)


def _distance_formula(student: Tensor, teacher: Tensor) -> Tensor:
    found, wanted = _relative_distances(student), _relative_distances(teacher)
    return F.smooth_l1_loss(found, wanted, reduction="sum")


def _distance_rows(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
    found, equal, points = distances(student)
    wanted = distances(teacher)[0]
    mean = _mean_distance(found)
    relative = found / mean
    error = relative.sub(wanted.div_(_mean_distance(wanted)))
    slope = error.clamp(-1, 1)  # of the Huber loss
    value = torch.dot(slope.flatten(), error.sub_(slope, alpha=0.5).flatten())
    if gradient is not None:
        through_mean = torch.dot(slope.flatten(), relative.flatten()) / _pairs(found)
        by_distance = slope.sub_(through_mean).div_(found.mul_(mean)).masked_fill_(equal, 0.0)
        by_distance = by_distance.to(points.dtype)
        total = by_distance.sum(1, keepdim=True)
        torch.sub(total * points, product(by_distance, points), out=gradient).mul_(2)
    return value


def _mean_distance(distances: Tensor) -> Tensor:
    """The mean over pairs of different samples; 1 where all samples are one point."""
    mean = distances.sum() / _pairs(distances)
    return mean.masked_fill(mean == 0, 1.0)


def _pairs(distances: Tensor) -> int:
    """Ordered pairs of different samples, at least 1."""
    return max(1, len(distances) * (len(distances) - 1))


def _relative_distances(points: Tensor) -> Tensor:
    squared, equal = squared_distances(gram(points))
    distances = squared.to(points.dtype).sqrt().masked_fill(equal, 0.0)
    return distances / _mean_distance(distances)


def _cosines(points: Tensor) -> Tensor:
    """``(j, i, k)``: the cosine at j between the directions to i and to k."""
    products = gram(points)
    squared, equal = squared_distances(products)
    inverse = squared.to(points.dtype).rsqrt().masked_fill(equal, 0.0)
    corner = products.diagonal().reshape(-1, 1, 1)
    dots = (products - products.unsqueeze(2)) - (products.unsqueeze(1) - corner)
    return dots.to(points.dtype) * (inverse.unsqueeze(2) * inverse.unsqueeze(1))
