"""Peng et al. 2019: Correlation congruence for knowledge distillation."""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import RangeError
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
    formula="1/b^2 * |C(t) - C(s)|_F^2,  C_ij = sum_p exp(-2g) (2g)^p / p! * cos(f_i, f_j)^p",
    paper="Peng et al. 2019 (correlation congruence), ICCV, arXiv:1904.01802",
)
def cc(
    student_features: Float[Tensor, " batch *student_units"],
    teacher_features: Float[Tensor, " batch *teacher_units"],
    *,
    gamma: float = 0.4,
    order: int = 2,
) -> Float[Tensor, ""]:
    """Correlations between samples, as the teacher has them.

    ``1/b^2 * |C(t) - C(s)|_F^2`` where ``C_ij`` is the Gaussian kernel
    ``exp(-gamma |f_i - f_j|^2)`` of the unit features, expanded to ``order`` P:
    ``sum_(p=0..P) exp(-2 gamma) (2 gamma)^p / p! * cos(f_i, f_j)^p``. The sides may differ in all
    but the batch.

    Args:
        student_features: ``(batch, ...)``; everything after the batch is flattened.
        teacher_features: ``(batch, ...)``; no gradient goes to it.
        gamma: Width of the kernel, above 0.
        order: P, at least 1: order 0 would not see the features.

    Returns:
        A scalar: the samples of a batch interact. It is 0 for a batch of one. A zero vector has
        cosine 0 with every other.

    Raises:
        ShapeError: The batches differ, or there is no sample.
        DtypeError: Integer features.
        RangeError: ``gamma`` is not above 0, or ``order`` is below 1.

    Paper: Peng et al. 2019, ICCV, arXiv:1904.01802: the congruence, its loss, the
    Gaussian kernel and its Taylor series (gamma 0.4 and P = 2 are the paper's). The widely
    copied ``mean |d_i| . |d_(i+1)|`` over neighbours in the batch is not this loss.

    Example:
        >>> import torch
        >>> from didact.losses import cc
        >>> points = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
        >>> cc(5 * points, points).item() < 1e-12
        True
    """
    if not gamma > 0:
        raise RangeError(f"gamma is {gamma}; expected a number above 0 (0.4 is the paper's)")
    if order < 1:
        raise RangeError(f"order is {order}; expected at least 1 (2 is the paper's)")
    student, teacher = feature_pair(student_features, teacher_features, alike="batch")
    weights = [
        math.exp(-2 * gamma) * (2 * gamma) ** p / math.factorial(p) for p in range(order + 1)
    ]
    formula, rows = partial(_distance, weights), partial(_value_and_gradient, weights)
    return together(student, teacher, rows, formula, scale=1 / len(student) ** 2)


def _distance(weights: list[float], student: Tensor, teacher: Tensor) -> Tensor:
    found, wanted = (
        _polynomial(weights, _cosines(unit(side.flatten(1)))) for side in (student, teacher)
    )
    return (found - wanted).square().sum()


def _value_and_gradient(
    weights: list[float], student: Tensor, teacher: Tensor, gradient: Tensor | None
) -> Tensor:
    found, inverse = directions(student.flatten(1))
    cosines = _cosines(found)
    wanted = _cosines(directions(teacher.flatten(1))[0])
    excess = _polynomial(weights, cosines).sub_(_polynomial(weights, wanted))
    value = excess.square().sum()
    if gradient is not None:
        derivative = [p * weight for p, weight in enumerate(weights)][1:]
        slope = excess.mul_(_polynomial(derivative, cosines))
        slope = product(slope.mul_(4), found)  # the matrix is symmetric: both sides of a pair
        gradient.copy_(through_directions(slope, found, inverse).view(student.shape))
    return value


def _cosines(directions: Tensor) -> Tensor:
    return product(directions, directions.T)


def _polynomial(weights: list[float], x: Tensor) -> Tensor:
    """``sum_p weights_p x^p`` by Horner's rule."""
    total = torch.full_like(x, weights[-1])
    for weight in reversed(weights[:-1]):
        total = total * x + weight
    return total
