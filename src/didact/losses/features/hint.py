"""Romero et al. 2015: FitNets, hints for thin deep nets."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from didact.losses.fast.features import by_samples
from didact.losses.kit.maps import feature_pair, half_squares
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss


@register_loss(
    family="features",
    purpose="one_layer",
    kind="match",
    formula="mean over units of (r(s) - t)^2",
    paper="Romero et al. 2015 (FitNets), ICLR, arXiv:1412.6550, section 2.2, eq. 3",
)
def hint(
    student_features: Float[Tensor, " batch *units"],
    teacher_features: Float[Tensor, " batch *units"],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Squared difference from the teacher's hint layer: ``mean_u (s_u - t_u)^2``.

    The student's features have the teacher's shape: pass them through a regressor ``r`` first
    (a 1x1 convolution or a linear layer, trained with the student).

    Args:
        student_features: ``(batch, ...)``, after the regressor.
        teacher_features: Same shape; no gradient goes to it.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss, in squared feature units: a scalar, or ``(batch,)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Romero et al. 2015, FitNets, ICLR, arXiv:1412.6550, section 2.2, eq. 3: half the sum over
    the units, which is this value times half their number. The mean is what the field trains, and
    its usual weight (100) belongs to it.

    Example:
        >>> import torch
        >>> from didact.losses import hint
        >>> hint(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])).item()
        2.0
    """
    student, teacher = feature_pair(student_features, teacher_features)
    scale = 2 / student.shape[1:].numel()
    return by_samples(
        student, teacher, _value_and_gradient, _half, scale=scale, reduction=reduction
    )


def _half(student: Tensor, teacher: Tensor) -> Tensor:
    return (student - teacher).square().flatten(1).sum(1) / 2


def _value_and_gradient(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
    return half_squares(torch.sub(student, teacher, out=gradient))
