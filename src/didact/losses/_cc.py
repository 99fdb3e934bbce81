"""Peng et al. 2019: Correlation congruence for knowledge distillation."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses._card import card
from didact.losses._features import feature_pair, judged, product, unit


@card(
    family="relations",
    kind="match",
    formula="1/b^2 * |C(t) - C(s)|_F^2,  C_ij = sum_p exp(-2g) (2g)^p / p! * cos(f_i, f_j)^p",
    paper="Peng et al. 2019, arXiv:1904.01802, section 3",
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

    Paper: Peng et al. 2019, arXiv:1904.01802, section 3: the congruence, its loss, the
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
    difference = _correlation(teacher, gamma, order) - _correlation(student, gamma, order)
    return judged(difference.square().mean(), teacher)


def _correlation(features: Tensor, gamma: float, order: int) -> Tensor:
    directions = unit(features.flatten(1))
    cosines = product(directions, directions.T)
    weights = [
        math.exp(-2 * gamma) * (2 * gamma) ** p / math.factorial(p) for p in range(order + 1)
    ]
    total = cosines * weights[order] + weights[order - 1]
    for weight in reversed(weights[: order - 1]):
        total = total * cosines + weight
    return total
