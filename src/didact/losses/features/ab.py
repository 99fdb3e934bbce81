"""Heo et al. 2019: Knowledge transfer via distillation of activation boundaries."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses.fast.features import by_samples
from didact.losses.kit.maps import feature_pair, half_squares
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss


@register_loss(
    family="features",
    purpose="one_layer",
    kind="objective",
    formula="sum over neurons of relu(m - sign(t) s)^2,  sign(t) = +1 where t > 0, else -1",
    paper="Heo et al. 2019 (activation boundaries), AAAI, arXiv:1811.03233",
)
def ab(
    student_features: Float[Tensor, " batch *units"],
    teacher_features: Float[Tensor, " batch *units"],
    *,
    margin: float = 1.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Activation boundaries: each neuron is to be on where the teacher's is, with a margin.

    ``sum_u relu(margin - g_u s_u)^2`` with ``g_u = +1`` where the teacher's response is above 0
    and ``-1`` elsewhere. Only the side of the boundary is transferred, not the size, so the loss
    is not 0 where student and teacher are equal but within the margin.

    Args:
        student_features: ``(batch, ...)``: responses before the activation function, brought to
            the teacher's shape by a connector (1x1 convolution and batch norm in the paper).
        teacher_features: Same shape, before the activation; no gradient goes to it.
        margin: How far on the right side a response must be, at least 0.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss: a scalar, or ``(batch,)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer features.
        RangeError: ``margin`` is below 0.

    Paper: Heo et al. 2019, Knowledge transfer via distillation of activation boundaries formed by
    hidden neurons, AAAI, arXiv:1811.03233 (the alternative loss for back-propagation). RepDistiller
    multiplies this sum by 0.003, and each layer before the last by 1/2 more.

    Example:
        >>> import torch
        >>> from didact.losses import ab
        >>> ab(torch.tensor([[0.5, -3.0]]), torch.tensor([[9.0, -0.1]])).item()
        0.25
    """
    if not margin >= 0:
        raise RangeError(f"margin is {margin}; expected a number from 0 (1 is the paper's)")
    student, teacher = feature_pair(student_features, teacher_features)
    formula, rows = partial(_half, margin), partial(_value_and_gradient, margin)
    return by_samples(student, teacher, rows, formula, scale=2.0, reduction=reduction)


def _half(margin: float, student: Tensor, teacher: Tensor) -> Tensor:
    wrong = F.relu(student - 2 * _is_on(teacher) * student + margin)
    return wrong.square().flatten(1).sum(1) / 2


def _value_and_gradient(
    margin: float, student: Tensor, teacher: Tensor, gradient: Tensor | None
) -> Tensor:
    is_on = _is_on(teacher)
    wrong = torch.add(student, margin, out=gradient).addcmul_(is_on, student, value=-2).relu_()
    values = half_squares(wrong)
    if gradient is not None:
        gradient.addcmul_(is_on, wrong, value=-2)
    return values


def _is_on(response: Tensor) -> Tensor:
    """1 above 0, else 0, but NaN of NaN, which is on no side and must not go unseen."""
    return response.clamp(0, 1).ceil_()
