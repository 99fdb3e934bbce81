"""Ahn et al. 2019: Variational information distillation for knowledge transfer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from didact._core.errors import RangeError
from didact.losses.kit.maps import check_features, checked_value
from didact.losses.kit.modules import check_counts, check_maps, parameter_dtype, pointwise
from didact.losses.kit.precision import full_precision, in_float, savable
from didact.losses.kit.registry import register_loss

_LEAST_VARIANCE = 1e-5


@register_loss(
    family="features",
    purpose="one_layer",
    kind="objective",
    formula="mean over units of ((t - mu(s))^2 / v_c + log v_c) / 2,  v = softplus(a) + 1e-5",
    paper="Ahn et al. 2019 (VID), CVPR, arXiv:1904.05835",
)
@final
class VID(nn.Module):
    """A lower bound on the information that the student's features hold about the teacher's.

    ``mean_u ((t_u - mu(s)_u)^2 / v_c + log v_c) / 2``: the teacher's features under a Gaussian
    whose mean a small network predicts from the student's and whose variance
    ``v_c = softplus(a_c) + 1e-5`` is learned for each channel. The constant ``log(2 pi) / 2`` is
    left out; the loss can be negative.

    All its parameters train, with the student: the regressor ``mu`` (three 1x1 convolutions) and
    ``a``; :meth:`trainable_parameters` lists them. Called as
    ``loss(student_features, teacher_features)`` on ``(batch, channels, height, width)`` of one
    height and width; the result is a scalar.

    Args:
        student_channels: Channels of the student's layer.
        teacher_channels: Channels of the teacher's layer.
        hidden_channels: Between the convolutions; the teacher's channels if not given.
        initial_variance: What ``v`` starts from, above 1e-5.

    Raises:
        ShapeError: Maps that differ in batch, height or width, or whose channels differ from
            those given.
        DtypeError: Integer features.
        RangeError: A number of channels below 1, or ``initial_variance`` out of range.

    Paper: Ahn et al. 2019, CVPR, arXiv:1904.05835 (the variance by channel, its
    softplus; the regressor and the start of 5 are the authors' code's).

    Example:
        >>> import torch
        >>> from didact.losses import VID
        >>> loss = VID(3, 4)
        >>> loss(torch.randn(2, 3, 8, 8), torch.randn(2, 4, 8, 8)).shape
        torch.Size([])
    """

    def __init__(
        self,
        student_channels: int,
        teacher_channels: int,
        *,
        hidden_channels: int | None = None,
        initial_variance: float = 5.0,
    ) -> None:
        super().__init__()
        hidden = teacher_channels if hidden_channels is None else hidden_channels
        check_counts(
            student_channels=student_channels,
            teacher_channels=teacher_channels,
            hidden_channels=hidden,
        )
        if not initial_variance > _LEAST_VARIANCE:
            raise RangeError(
                f"initial_variance is {initial_variance}; expected above {_LEAST_VARIANCE}"
            )
        self.channels = (student_channels, teacher_channels)
        self.regressor = nn.Sequential(
            pointwise(student_channels, hidden),
            nn.ReLU(),
            pointwise(hidden, hidden),
            nn.ReLU(),
            pointwise(hidden, teacher_channels),
        )
        start = initial_variance - _LEAST_VARIANCE
        before_softplus = start + math.log(-math.expm1(-start))
        self.raw_variance = nn.Parameter(torch.full((teacher_channels,), before_softplus))

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """The regressor's parameters and the variances: all there are."""
        return self.parameters()

    def forward(
        self,
        student_features: Float[Tensor, "batch student_channels height width"],
        teacher_features: Float[Tensor, "batch teacher_channels height width"],
    ) -> Float[Tensor, ""]:
        """The loss; no gradient goes to ``teacher_features``."""
        check_maps(student_features, teacher_features, channels=self.channels)
        check_features(student_features, teacher_features, alike="space")
        dtype = parameter_dtype(self)
        teacher = in_float(savable(teacher_features, dtype))
        with full_precision(student_features):
            mean = in_float(self.regressor(student_features.to(dtype)))
        variance = F.softplus(in_float(self.raw_variance)) + _LEAST_VARIANCE
        errors = (teacher - mean).square().mean((0, 2, 3))
        value = ((errors / variance + variance.log()) / 2).mean()
        return checked_value(value, teacher_features)
