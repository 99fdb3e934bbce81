"""Heo et al. 2019: A comprehensive overhaul of feature distillation."""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import ShapeError
from didact.losses.fast.features import by_samples
from didact.losses.kit.checks import check_floating
from didact.losses.kit.maps import feature_pair, half_squares
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss

# Below this share of negative responses the conditional mean is numerically 0/0; the authors'
# value there is three standard deviations below zero.
_FEW_NEGATIVES = 1e-3
# A channel whose weight was pruned to 0 is constant.
_LEAST_STD = 1e-6


@register_loss(
    family="features",
    purpose="one_layer",
    kind="match",
    formula="sum over units of (s - r)^2, but 0 where s <= r <= 0;  r = max(t, E[t | t < 0])",
    paper="Heo et al. 2019 (overhaul), ICCV, arXiv:1904.01866",
)
def ofd(
    student_features: Float[Tensor, "batch channels *space"],
    teacher_features: Float[Tensor, "batch channels *space"],
    *,
    norm_weight: Float[Tensor, " channels"],
    norm_bias: Float[Tensor, " channels"],
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """The overhaul: margin ReLU on the teacher, partial L2 distance.

    ``sum_u (s_u - r_u)^2``, but 0 where ``s_u <= r_u <= 0``: where the teacher is off, a student
    that is further off is right too. ``r = max(t, m)``, where the margin ``m`` of a channel is the
    mean of its negative responses, ``E[x | x < 0]`` for ``x ~ Normal(bias, |weight|)`` of the
    batch norm that they come from: ``bias - |weight| * pdf(z) / cdf(-z)``, ``z = bias / |weight|``
    (and ``-3 |weight|`` where fewer than one response in 1000 is negative).

    Args:
        student_features: ``(batch, channels, ...)`` before the ReLU, brought to the teacher's
            channels by a connector (1x1 convolution and batch norm in the paper).
        teacher_features: Same shape, before the ReLU; no gradient goes to it.
        norm_weight: ``(channels,)``: the weight of the teacher's batch norm before that ReLU.
        norm_bias: ``(channels,)``: its bias. Neither gets a gradient.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss: a scalar, or ``(batch,)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, there is no sample, or the batch norm does not fit.
        DtypeError: Integer features, weight or bias.

    Paper: Heo et al. 2019, ICCV, arXiv:1904.01866: margin ReLU (with its
    margin from the batch norm) and partial L2 distance. The
    authors' code sums over units too and weights the loss with 0.001.

    Example:
        >>> import torch
        >>> from didact.losses import ofd
        >>> student, teacher = torch.tensor([[1.0, -9.0]]), torch.tensor([[3.0, -5.0]])
        >>> ofd(student, teacher, norm_weight=torch.ones(2), norm_bias=torch.zeros(2)).item()
        4.0
    """
    student, teacher = feature_pair(student_features, teacher_features)
    margin = _margin(norm_weight.detach(), norm_bias.detach(), student)
    margin = margin.view(-1, *[1] * (student.dim() - 2))
    formula, rows = partial(_half, margin), partial(_value_and_gradient, margin)
    return by_samples(student, teacher, rows, formula, scale=2.0, reduction=reduction)


def _half(margin: Tensor, student: Tensor, teacher: Tensor) -> Tensor:
    response = torch.maximum(teacher, margin)
    settled = (student <= response) & (response <= 0)
    distance = (student - response).square().masked_fill(settled, 0.0)
    return distance.flatten(1).sum(1) / 2


def _value_and_gradient(
    margin: Tensor, student: Tensor, teacher: Tensor, gradient: Tensor | None
) -> Tensor:
    response = torch.maximum(teacher, margin)
    gap = torch.sub(student, response, out=gradient)
    # Above the least gap that counts: any where the response is above 0, elsewhere none below 0.
    least = response.clamp_(0, 1).ceil_().mul_(torch.finfo(response.dtype).min)
    return half_squares(torch.maximum(gap, least, out=gap))


def _margin(weight: Tensor, bias: Tensor, student: Tensor) -> Tensor:
    for name, tensor in (("norm_weight", weight), ("norm_bias", bias)):
        check_floating(tensor, name=name)
        if tensor.shape != student.shape[1:2]:
            raise ShapeError(
                f"{name} is {tuple(tensor.shape)}; expected ({student.shape[1]},), one number for "
                "each channel of teacher_features"
            )
    std = weight.to(student.dtype).abs().clamp(min=_LEAST_STD)
    mean = bias.to(student.dtype)
    z = mean / std
    negative = torch.special.ndtr(-z)
    density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
    usual = mean - std * density / negative.clamp(min=_FEW_NEGATIVES)
    return torch.where(negative > _FEW_NEGATIVES, usual, -3 * std)
