"""Yim et al. 2017: A gift from knowledge distillation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import ShapeError
from didact.losses.kit.maps import checked_value, feature_pair, product
from didact.losses.kit.reduce import Reduction, reduce
from didact.losses.kit.registry import register_loss


@register_loss(
    family="features",
    purpose="several_layers",
    kind="match",
    formula="sum over pairs of layers of |G(t) - G(s)|_F^2,  G_ij = mean over positions of a_i b_j",
    paper="Yim et al. 2017, A gift from knowledge distillation, CVPR, section 3, eq. 1-2",
    layers="pairs",
)
def fsp(
    student_features: Sequence[Float[Tensor, "batch _ *space"]],
    teacher_features: Sequence[Float[Tensor, "batch _ *space"]],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """The flow of solution procedure: how one layer's channels go with a later layer's.

    ``sum |G(t) - G(s)|_F^2`` over the consecutive pairs ``(a, b)`` of the given layers, where
    ``G_ij = 1/(h w) * sum_x a_ix b_jx``.

    Args:
        student_features: Two layers or more, shallow to deep, each ``(batch, channels, ...)``,
            all of one height and width: the first and the last layer of one stage.
        teacher_features: As many layers with the same numbers of channels; their height and width
            may be others. No gradient goes to them.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss: a scalar, or ``(batch,)`` for ``"none"``.

    Raises:
        ShapeError: Fewer than two layers, other layer counts, channels or batches on the two
            sides, layers of one side that differ in height and width, or no sample.
        DtypeError: Integer features.

    Paper: Yim et al. 2017, A gift from knowledge distillation, CVPR: the matrix (section 3.2, eq.
    1), and the loss (section 3.3, eq. 2), whose weights are all the same. RepDistiller takes the
    mean over the entries of each matrix: this value divided by the product of the two layers'
    channels.

    Example:
        >>> import torch
        >>> from didact.losses import fsp
        >>> first, last = torch.ones(1, 1, 2, 2), torch.ones(1, 3, 2, 2)
        >>> fsp([first, 2 * last], [first, last]).item()
        3.0
    """
    layers = _checked(student_features, teacher_features)
    total = torch.zeros((), device=layers[0][0].device)
    for first, last in pairwise(layers):
        positions, others = (side.shape[2:].numel() for side in first)
        wanted = _flow(first[1], last[1])
        if others != positions:
            wanted = wanted * (positions / others)
        difference = _flow(first[0], last[0]) - wanted
        total = total + difference.square().sum((1, 2)) / positions**2
    value = reduce(total, reduction)
    for _, teacher in layers:
        checked_value(value, teacher)
    return value


def _checked(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    if len(student) != len(teacher) or len(student) < 2:
        raise ShapeError(
            f"student_features has {len(student)} layers and teacher_features {len(teacher)}; "
            "expected the same number, at least 2, on both sides"
        )
    layers = [
        feature_pair(left, right, alike="channels", least_dim=3)
        for left, right in zip(student, teacher, strict=True)
    ]
    for side in (0, 1):
        for first, last in pairwise(layer[side] for layer in layers):
            _check_space(first, last)
    return layers


def _check_space(first: Tensor, last: Tensor) -> None:
    if first.shape[:1] != last.shape[:1] or first.shape[2:] != last.shape[2:]:
        raise ShapeError(
            f"consecutive layers are {tuple(first.shape)} and {tuple(last.shape)}; expected one "
            "batch, height and width. Take both from one stage, or pool the larger map"
        )


def _flow(first: Tensor, last: Tensor) -> Tensor:
    """The sum over positions, not yet their mean: a factor is cheaper at the end."""
    return product(first.flatten(2), last.flatten(2).mT)
