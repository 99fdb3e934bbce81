"""Huang, Wang 2017: Like what you like, knowledge distill via neuron selectivity transfer."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from didact.losses.fast.features import by_samples
from didact.losses.kit.maps import (
    directions,
    feature_pair,
    half_squares,
    product,
    through_directions,
    unit,
)
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss


@register_loss(
    family="features",
    purpose="one_layer",
    kind="match",
    formula="MMD^2 between the channels' unit activation maps, kernel (x . y)^2",
    paper="Huang and Wang 2017, arXiv:1707.01219",
)
def nst(
    student_features: Float[Tensor, "batch student_channels *space"],
    teacher_features: Float[Tensor, "batch teacher_channels *space"],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Which patterns the channels select: maximum mean discrepancy with a polynomial kernel.

    ``mean_cc' k(t_c, t_c') + mean_cc' k(s_c, s_c') - 2 mean_cc' k(s_c, t_c')`` with
    ``k(x, y) = (x . y)^2`` and each channel's map scaled to length 1 over the positions. The
    numbers of channels may differ.

    Args:
        student_features: ``(batch, channels, ...)`` with at least one dimension of space.
        teacher_features: Same batch and space; no gradient goes to it.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss: a scalar, or ``(batch,)`` for ``"none"``. A map of zeros stays zeros.

    Raises:
        ShapeError: Batch or space differ, there is no dimension of space, or no sample.
        DtypeError: Integer features.

    Paper: Huang and Wang 2017, arXiv:1707.01219: MMD with the
    polynomial kernel, ``d = 2`` and ``c = 0``.

    Example:
        >>> import torch
        >>> from didact.losses import nst
        >>> maps = torch.eye(2).reshape(1, 2, 1, 2)
        >>> round(nst(maps, maps[:, :1]).item(), 4)
        0.5
    """
    student, teacher = feature_pair(student_features, teacher_features, alike="space", least_dim=3)
    return by_samples(student, teacher, _value_and_gradient, _discrepancy, reduction=reduction)


def _discrepancy(student: Tensor, teacher: Tensor) -> Tensor:
    student_maps, teacher_maps = unit(student.flatten(2)), unit(teacher.flatten(2))
    if _few_positions(student, teacher):
        return _excess(student_maps, teacher_maps).square().sum((1, 2))
    both = _mean_square(_kernel(teacher_maps)) + _mean_square(_kernel(student_maps))
    total = both - 2 * _mean_square(_kernel(student_maps, teacher_maps))
    return total - total.detach().clamp(max=0)  # rounding may end below 0; the gradient stays


def _value_and_gradient(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
    student_maps, inverse = directions(student.flatten(2))
    teacher_maps, _ = directions(teacher.flatten(2))
    by = _by_moments if _few_positions(student, teacher) else _by_kernels
    values, slope = by(student_maps, teacher_maps)
    if gradient is not None:
        in_maps = slope().mul_(4 / student.shape[1])
        gradient.copy_(through_directions(in_maps, student_maps, inverse).view(student.shape))
    return values


def _by_moments(student: Tensor, teacher: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    excess = _excess(student, teacher)
    return half_squares(excess).mul_(2), lambda: product(student, excess)


def _by_kernels(student: Tensor, teacher: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    own, between = _kernel(student), _kernel(student, teacher)
    both = _mean_square(_kernel(teacher)) + _mean_square(own)
    values = (both - 2 * _mean_square(between)).clamp_(min=0)
    return (
        values,
        lambda: product(own / own.shape[2], student) - product(between / between.shape[2], teacher),
    )


def _few_positions(student: Tensor, teacher: Tensor) -> bool:
    """Whether second moments are smaller than the kernels between channels."""
    return student.shape[2:].numel() <= student.shape[1] + teacher.shape[1]


def _excess(student: Tensor, teacher: Tensor) -> Tensor:
    """The student's ``(positions, positions)`` second moments less the teacher's.

    The sum of their squares is the discrepancy: ``sum_cc' (x_c . y_c')^2 = tr(X'X Y'Y)``.
    """
    return _moments(student) - _moments(teacher)


def _moments(maps: Tensor) -> Tensor:
    return product(maps.mT, maps) / maps.shape[1]


def _kernel(left: Tensor, right: Tensor | None = None) -> Tensor:
    return product(left, (left if right is None else right).mT)


def _mean_square(kernel: Tensor) -> Tensor:
    return kernel.square().mean((1, 2))
