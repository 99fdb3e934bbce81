"""Tung, Mori 2019: Similarity-preserving knowledge distillation."""

from __future__ import annotations

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


@register_loss(
    family="relations",
    purpose="embedding",
    kind="match",
    formula="1/b^2 * |G(t) - G(s)|_F^2,  G(f) = rows of f f^T scaled to length 1",
    paper="Tung and Mori 2019, ICCV, arXiv:1907.09682",
)
def similarity_preserving(
    student_features: Float[Tensor, " batch *student_units"],
    teacher_features: Float[Tensor, " batch *teacher_units"],
) -> Float[Tensor, ""]:
    """Samples alike for the teacher are to be alike for the student.

    ``1/b^2 * |G(t) - G(s)|_F^2`` where ``G(f)`` is the matrix of inner products between the b
    samples of the batch, each row scaled to length 1. The sides may differ in all but the batch.

    Args:
        student_features: ``(batch, ...)``; everything after the batch is flattened.
        teacher_features: ``(batch, ...)``; no gradient goes to it.

    Returns:
        A scalar: the samples of a batch interact. It is 0 for a batch of one.

    Raises:
        ShapeError: The batches differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Tung and Mori 2019, ICCV, arXiv:1907.09682.

    Example:
        >>> import torch
        >>> from didact.losses import similarity_preserving
        >>> one, two = torch.eye(2), torch.ones(2, 3)
        >>> round(similarity_preserving(one, two).item(), 4)
        0.2929
    """
    student, teacher = feature_pair(student_features, teacher_features, alike="batch")
    return together(student, teacher, _value_and_gradient, _distance, scale=1 / len(student) ** 2)


def _distance(student: Tensor, teacher: Tensor) -> Tensor:
    return (unit(_products(student)) - unit(_products(teacher))).square().sum()


def _products(features: Tensor) -> Tensor:
    rows = features.flatten(1)
    return product(rows, rows.T)


def _value_and_gradient(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
    found, inverse = directions(_products(student))
    slope = found - directions(_products(teacher))[0]
    value = slope.square().sum()
    if gradient is not None:
        slope = through_directions(slope, found, inverse).mul_(2)
        gradient.copy_(product(slope + slope.T, student.flatten(1)).view(student.shape))
    return value
