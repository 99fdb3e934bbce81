"""Douillard et al. 2020: PODNet, pooled outputs distillation."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from didact.losses.fast.features import by_samples
from didact.losses.incremental.lucir import cosine_distance
from didact.losses.kit.maps import (
    directions,
    feature_pair,
    half_squares,
    safe_sqrt,
    through_directions,
    unit,
)
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss

_PAPER = "Douillard et al. 2020 (PODNet), ECCV, arXiv:2004.13513"


@register_loss(
    family="incremental",
    purpose="old_features",
    kind="match",
    formula="|p(s)/|p(s)| - p(t)/|p(t)||,  p(f) = f^2 summed over height, and over width",
    paper=f"{_PAPER}, POD-spatial",
)
def podnet_spatial(
    student_features: Float[Tensor, "batch channels height width"],
    teacher_features: Float[Tensor, "batch channels height width"],
    *,
    squared: bool = False,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Pooled outputs of one layer: column sums and row sums stay as they were.

    ``|p(s)/|p(s)| - p(t)/|p(t)||`` where ``p(f)`` holds, for each channel, the squared features
    summed over the width and those summed over the height.

    Args:
        student_features: ``(batch, channels, height, width)``, the end of a stage.
        teacher_features: Same shape, of the old model; no gradient goes to it.
        squared: The squared distance, as in the paper's equations, in place of the distance that
            the authors' code takes.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss of one layer; the paper's is the mean over the stages. A scalar, or ``(batch,)``
        for ``"none"``. Where both sides are equal the gradient is 0.

    Raises:
        ShapeError: The shapes differ, are not of four dimensions, or there is no sample.
        DtypeError: Integer features.

    Paper: Douillard et al. 2020, arXiv:2004.13513, POD-spatial as the sum of
    POD-width and POD-height; squaring and normalising as in the authors' code. Its weight is
    ``3 * sqrt(seen / new)`` classes on CIFAR-100, where the default distance was tuned.

    Example:
        >>> import torch
        >>> from didact.losses import podnet_spatial
        >>> left, right = torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)
        >>> left[0, 0], right[0, 1] = 1.0, 3.0
        >>> round(podnet_spatial(left, right).item(), 4)
        1.4142
    """
    student, teacher = feature_pair(student_features, teacher_features, least_dim=4)
    formula, rows = partial(_distance, squared), partial(_spatial_rows, squared)
    return by_samples(student, teacher, rows, formula, reduction=reduction)


def _distance(squared: bool, student: Tensor, teacher: Tensor) -> Tensor:
    distance = (unit(_pooled(student)) - unit(_pooled(teacher))).square().sum(1)
    return distance if squared else safe_sqrt(distance)


def _pooled(features: Tensor) -> Tensor:
    energy = features.square()
    return torch.cat([energy.sum(3).flatten(1), energy.sum(2).flatten(1)], dim=1)


def _spatial_rows(
    squared: bool, student: Tensor, teacher: Tensor, gradient: Tensor | None
) -> Tensor:
    found, inverse = directions(_pooled(student))
    slope = found - directions(_pooled(teacher))[0]
    values = half_squares(slope).mul_(2)
    if not squared:
        values.sqrt_()
        slope.div_(values.unsqueeze(1)).nan_to_num_(0.0)
    if gradient is not None:
        at_pools = through_directions(slope, found, inverse).mul_(4 if squared else 2)
        batch, channels, height, width = student.shape
        by_row, by_column = torch.split(at_pools, [channels * height, channels * width], 1)
        by_row = by_row.reshape(batch, channels, height, 1)
        by_column = by_column.reshape(batch, channels, 1, width)
        torch.add(by_row, by_column, out=gradient).mul_(student)
    return values


@register_loss(
    family="incremental",
    purpose="old_features",
    kind="match",
    formula="1 - cos(s, t)",
    paper=f"{_PAPER}, POD-flat",
)
def podnet_flat(
    student_features: Float[Tensor, batch * units],
    teacher_features: Float[Tensor, batch * units],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """The final embedding keeps its direction: ``1 - cos(s, t)``.

    Args:
        student_features: ``(batch, ...)``, the input of the cosine classifier.
        teacher_features: Same shape, of the old model; no gradient goes to it.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss, from 0 to 2: a scalar, or ``(batch,)`` for ``"none"``. A feature of zeros has no
        direction: it counts 1/2 and gets no gradient.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Douillard et al. 2020, arXiv:2004.13513, POD-flat; half the squared
    distance of the unit vectors, as in the authors' code. Its weight is ``sqrt(seen / new)``.

    Example:
        >>> import torch
        >>> from didact.losses import podnet_flat
        >>> podnet_flat(torch.tensor([[1.0, 0.0]]), torch.tensor([[-2.0, 0.0]])).item()
        2.0
    """
    return cosine_distance(student_features, teacher_features, reduction)
