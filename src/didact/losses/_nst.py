"""Huang, Wang 2017: Like what you like, knowledge distill via neuron selectivity transfer."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from didact.losses._card import card
from didact.losses._features import feature_pair, product, reduce_features, unit
from didact.losses._reduce import Reduction


@card(
    family="features",
    kind="match",
    formula="MMD^2 between the channels' unit activation maps, kernel (x . y)^2",
    paper="Huang and Wang 2017, arXiv:1707.01219, section 4",
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

    Paper: Huang and Wang 2017, arXiv:1707.01219: section 4, MMD with the
    polynomial kernel, ``d = 2`` and ``c = 0``.

    Example:
        >>> import torch
        >>> from didact.losses import nst
        >>> maps = torch.eye(2).reshape(1, 2, 1, 2)
        >>> nst(maps, maps[:, :1]).item()
        0.5
    """
    student, teacher = feature_pair(student_features, teacher_features, alike="space", least_dim=3)
    student_maps, teacher_maps = unit(student.flatten(2)), unit(teacher.flatten(2))
    if student_maps.shape[2] <= student_maps.shape[1] + teacher_maps.shape[1]:
        return reduce_features(_by_moments(student_maps, teacher_maps), reduction, teacher)
    return reduce_features(_by_kernels(student_maps, teacher_maps), reduction, teacher)


def _by_moments(student: Tensor, teacher: Tensor) -> Tensor:
    """The same number from the ``(positions, positions)`` second moments: few positions."""
    moments = [product(maps.mT, maps) / maps.shape[1] for maps in (student, teacher)]
    return (moments[0] - moments[1]).square().sum((1, 2))


def _by_kernels(student: Tensor, teacher: Tensor) -> Tensor:
    """From the kernels between channels: many positions."""
    both = _mean_kernel(teacher, teacher) + _mean_kernel(student, student)
    total = both - 2 * _mean_kernel(student, teacher)
    return total - total.detach().clamp(max=0)  # rounding may end below 0; the gradient stays


def _mean_kernel(left: Tensor, right: Tensor) -> Tensor:
    return product(left, right.mT).square().mean((1, 2))
