"""Zagoruyko, Komodakis 2017: Paying more attention to attention."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses.fast.features import by_samples
from didact.losses.kit.maps import (
    directions,
    feature_pair,
    half_squares,
    through_directions,
    unit,
)
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss


@register_loss(
    family="features",
    purpose="one_layer",
    kind="match",
    formula="mean over positions of (a(s)/|a(s)| - a(t)/|a(t)|)^2,  a(f) = sum_c |f_c|^p",
    paper="Zagoruyko and Komodakis 2017, arXiv:1612.03928, section 3.1, eq. 2",
)
def attention_transfer(
    student_features: Float[Tensor, "batch student_channels *space"],
    teacher_features: Float[Tensor, "batch teacher_channels *space"],
    *,
    power: float = 2.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Where the network looks: distance of the normalised spatial attention maps.

    ``mean_x (a(s)_x / |a(s)| - a(t)_x / |a(t)|)^2`` with ``a(f)_x = sum_c |f_cx|^p``: summed over
    channels, normalised to length 1 over the positions of a sample. The numbers of channels may
    differ; the size of the features does not matter, only where they are large.

    Args:
        student_features: ``(batch, channels, ...)`` with at least one dimension of space.
        teacher_features: Same batch and space; no gradient goes to it.
        power: ``p > 0``, 2 in section 4.1.1. A larger one looks at peaks only.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss: a scalar, or ``(batch,)`` for ``"none"``. A map of zeros stays zeros.

    Raises:
        ShapeError: Batch or space differ, there is no dimension of space, or no sample.
        DtypeError: Integer features.
        RangeError: ``power`` is not above 0.

    Paper: Zagoruyko and Komodakis 2017, arXiv:1612.03928, section 3.1, eq. 2; "sum of squared
    attention mapping function" in section 4.1.1, with a weight of "10^3 divided by number of
    elements" of the map and the batch. The equation's norm is not squared; as in the authors' code
    the distance is squared and averaged over positions; the weight of 1000 that they use belongs to
    that.

    Example:
        >>> import torch
        >>> from didact.losses import attention_transfer
        >>> left, right = torch.zeros(1, 1, 1, 2), torch.zeros(1, 3, 1, 2)
        >>> left[..., 0], right[..., 1] = 5.0, 1.0
        >>> round(attention_transfer(left, right).item(), 4)
        1.0
    """
    if not power > 0:
        raise RangeError(f"power is {power}; expected a number above 0 (2 is usual)")
    student, teacher = feature_pair(student_features, teacher_features, alike="space", least_dim=3)
    scale = 2 / student.shape[2:].numel()
    formula, rows = partial(_half, power), partial(_value_and_gradient, power)
    return by_samples(student, teacher, rows, formula, scale=scale, reduction=reduction)


def _half(power: float, student: Tensor, teacher: Tensor) -> Tensor:
    found, wanted = unit(_attention(student, power)), unit(_attention(teacher, power))
    return (found - wanted).square().sum(1) / 2


def _attention(features: Tensor, power: float) -> Tensor:
    peaks = features.square() if power == 2 else features.abs().pow(power)
    return peaks.sum(1).flatten(1)


def _value_and_gradient(
    power: float, student: Tensor, teacher: Tensor, gradient: Tensor | None
) -> Tensor:
    found, inverse = directions(_attention(student, power))
    slope = found - directions(_attention(teacher, power))[0]
    values = half_squares(slope)
    if gradient is not None:
        at_positions = through_directions(slope, found, inverse).mul_(power)
        peaks = student if power == 2 else student.abs().pow_(power - 1).mul_(student.sign())
        torch.mul(peaks, at_positions.view_as(student[:, :1]), out=gradient)
    return values
