"""Liu et al. 2021: Exploring inter-channel correlation for diversity-preserved distillation."""

from __future__ import annotations

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
    formula="1/c * |G(t) - G(s)|_F^2,  G(f) = rows of the channels' inner products, length 1",
    paper="Liu et al. 2021 (ICKD), ICCV, arXiv:2202.03680",
)
def ickd(
    student_features: Float[Tensor, "batch channels *student_space"],
    teacher_features: Float[Tensor, "batch channels *teacher_space"],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """How the channels of one sample go together: diversity and redundancy.

    ``1/c * |G(t) - G(s)|_F^2`` where ``G(f)`` holds the inner products between the c channels'
    maps, each row scaled to length 1. Height and width may differ.

    Args:
        student_features: ``(batch, channels, ...)``, brought to the teacher's channels by a 1x1
            convolution and batch norm.
        teacher_features: Same batch and channels; no gradient goes to it.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss: a scalar, or ``(batch,)`` for ``"none"``. A map of zeros stays zeros.

    Raises:
        ShapeError: Batch or channels differ, there is no dimension of space, or no sample.
        DtypeError: Integer features.

    Paper: Liu et al. 2021, ICCV, arXiv:2202.03680. Rows of length 1 and the division by c
    are the released code's, to which the published weight of 2.5 belongs.

    Example:
        >>> import torch
        >>> from didact.losses import ickd
        >>> apart, together = torch.eye(2).reshape(1, 2, 1, 2), torch.ones(1, 2, 1, 1)
        >>> round(ickd(apart, together).item(), 4)
        0.5858
    """
    student, teacher = feature_pair(
        student_features, teacher_features, alike="channels", least_dim=3
    )
    scale = 2 / student.shape[1]
    return by_samples(
        student, teacher, _value_and_gradient, _half, scale=scale, reduction=reduction
    )


def _half(student: Tensor, teacher: Tensor) -> Tensor:
    found, wanted = unit(_products(student)), unit(_products(teacher))
    return (found - wanted).square().sum((1, 2)) / 2


def _products(features: Tensor) -> Tensor:
    maps = features.flatten(2)
    return product(maps, maps.mT)


def _value_and_gradient(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
    found, inverse = directions(_products(student))
    slope = found - directions(_products(teacher))[0]
    values = half_squares(slope)
    if gradient is not None:
        slope = through_directions(slope, found, inverse)
        maps = product(slope + slope.mT, student.flatten(2))
        gradient.copy_(maps.view(student.shape))
    return values
