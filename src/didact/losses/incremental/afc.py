"""Kang et al. 2022: Class-incremental learning with adaptive feature consolidation."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import DtypeError, ShapeError
from didact.losses.fast.features import by_samples
from didact.losses.kit.maps import feature_pair
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss


@register_loss(
    family="incremental",
    purpose="old_features",
    kind="match",
    formula="sum over channels of importance_c * |s_c - t_c|^2",
    paper="Kang et al. 2022 (AFC), CVPR, arXiv:2204.00895",
)
def afc(
    student_features: Float[Tensor, "batch channels *space"],
    teacher_features: Float[Tensor, "batch channels *space"],
    *,
    importance: Float[Tensor, " channels"],
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Adaptive feature consolidation: channels stay where the old loss would notice.

    ``sum_c importance_c * |s_c - t_c|^2``, for one layer.

    Args:
        student_features: ``(batch, channels, ...)``.
        teacher_features: Same shape, of the old model; no gradient goes to it.
        importance: ``(channels,)``, at least 0: the mean over the old step's samples of the
            squared gradient ``|dL/dt_c|^2`` of its loss with respect to the channel. The paper
            scales it to mean 1 within a layer. No gradient goes to it.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss: a scalar, or ``(batch,)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, ``importance`` does not fit, or there is no sample.
        DtypeError: Integer features or importance.

    Paper: Kang, Park and Han 2022, Class-incremental learning by knowledge distillation with
    adaptive feature consolidation, CVPR, arXiv:2204.00895: the discrepancy loss and the importance
    that bounds the increase of the old loss. The released code trains another loss: it squares each
    channel's map, scales it to length 1 over the positions, takes the distance of the two, not
    squared, and the mean over channels. There is no factor between the two.

    Example:
        >>> import torch
        >>> from didact.losses import afc
        >>> left, right = torch.tensor([[1.0, 1.0]]), torch.tensor([[3.0, 4.0]])
        >>> afc(left, right, importance=torch.tensor([1.0, 0.5])).item()
        8.5
    """
    student, teacher = feature_pair(student_features, teacher_features)
    if not importance.is_floating_point():
        raise DtypeError(f"importance is {importance.dtype}; expected floating-point numbers")
    if importance.shape != student.shape[1:2]:
        raise ShapeError(
            f"importance is {tuple(importance.shape)}; expected ({student.shape[1]},), one number "
            "for each channel"
        )
    weights = importance.detach().to(student.dtype).view(-1, *[1] * (student.dim() - 2))
    formula, rows = partial(_half, weights), partial(_value_and_gradient, weights)
    return by_samples(student, teacher, rows, formula, scale=2.0, reduction=reduction)


def _half(weights: Tensor, student: Tensor, teacher: Tensor) -> Tensor:
    return ((student - teacher).square() * weights).flatten(1).sum(1) / 2


def _value_and_gradient(
    weights: Tensor, student: Tensor, teacher: Tensor, gradient: Tensor | None
) -> Tensor:
    change = student - teacher
    weighted = torch.mul(change, weights, out=gradient)
    return change.mul_(weighted).flatten(1).sum(1).mul_(0.5)
