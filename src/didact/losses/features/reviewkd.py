"""Chen et al. 2021: Distilling knowledge via knowledge review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from didact._core.errors import ShapeError
from didact.losses.kit.maps import checked_value
from didact.losses.kit.modules import (
    check_can_normalise,
    check_counts,
    check_layers,
    parameter_dtype,
    pointwise,
)
from didact.losses.kit.precision import full_precision, in_float, savable
from didact.losses.kit.registry import register_loss

_LEVELS = (4, 2, 1)


@register_loss(
    family="features",
    purpose="several_layers",
    kind="objective",
    formula="sum over stages of HCL(ABF_k(s_k, s_(k+1), ...), t_k)",
    paper="Chen et al. 2021 (knowledge review), CVPR, arXiv:2104.09044, section 3",
    layers="pairs",
)
@final
class ReviewKD(nn.Module):
    """Knowledge review: each stage of the teacher teaches this and all deeper student stages.

    From the deepest stage up, attention based fusion (ABF) mixes the student's stage k with the
    fused deeper ones; the result meets the teacher's stage k in the hierarchical context loss
    (HCL), ``sum_l w_l * mean (pool_l(s) - pool_l(t))^2 / sum_l w_l`` over the whole map (weight 1)
    and pools of 4x4, 2x2 and 1x1 (1/2, 1/4, 1/8) that are smaller than the map. The stages add up.

    All its parameters train, with the student; :meth:`trainable_parameters` lists them. Called as
    ``loss(student_features, teacher_features)`` on two lists of maps ``(batch, channels, height,
    width)``, shallow to deep; height and width may differ and are brought to the teacher's.

    Batch norm divides by the batch's deviation: maps that are alike for all samples and positions
    get a gradient of up to ``1/sqrt(1e-5) = 316`` for each such layer, which float16 may not hold.

    Args:
        student_channels: Channels of the student's stages, shallow to deep, at least two.
        teacher_channels: Channels of the teacher's stages: as many.
        mid_channels: Width of the fusion; if not given the deepest student stage's channels, at
            most 512.

    Raises:
        ShapeError: Layers or channels other than those given, different batches, no sample, or
            batch norm in training on a single value.
        DtypeError: Integer features.
        RangeError: A number of channels below 1.

    Paper: Chen et al. 2021, CVPR, arXiv:2104.09044, section 3.2, eq. 10-11 (review by residual
    fusion) and 3.3 (ABF and HCL, without equations); pooling levels and weights are the authors'
    code's.

    Example:
        >>> import torch
        >>> from didact.losses import ReviewKD
        >>> loss = ReviewKD([3, 6], [4, 8])
        >>> student = [torch.randn(2, 3, 8, 8), torch.randn(2, 6, 4, 4)]
        >>> teacher = [torch.randn(2, 4, 8, 8), torch.randn(2, 8, 4, 4)]
        >>> loss(student, teacher).shape
        torch.Size([])
    """

    def __init__(
        self,
        student_channels: Sequence[int],
        teacher_channels: Sequence[int],
        *,
        mid_channels: int | None = None,
    ) -> None:
        super().__init__()
        if len(student_channels) != len(teacher_channels) or len(student_channels) < 2:
            raise ShapeError(
                f"student_channels has {len(student_channels)} stages and teacher_channels "
                f"{len(teacher_channels)}; expected the same number, at least 2"
            )
        mid = min(512, student_channels[-1]) if mid_channels is None else mid_channels
        check_counts(
            student_channels=min(student_channels),
            teacher_channels=min(teacher_channels),
            mid_channels=mid,
        )
        self.channels = (tuple(student_channels), tuple(teacher_channels))
        last = len(student_channels) - 1
        self.fusions = nn.ModuleList(
            _Fusion(inputs, mid, outputs, deepest=k == last)
            for k, (inputs, outputs) in enumerate(
                zip(student_channels, teacher_channels, strict=True)
            )
        )

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """The fusion modules': all there are."""
        return self.parameters()

    def forward(
        self,
        student_features: Sequence[Float[Tensor, "batch _ _ _"]],
        teacher_features: Sequence[Float[Tensor, "batch _ _ _"]],
    ) -> Float[Tensor, ""]:
        """The loss; no gradient goes to ``teacher_features``."""
        check_layers(student_features, teacher_features, channels=self.channels)
        dtype = parameter_dtype(self)
        value = torch.zeros((), dtype=dtype, device=student_features[0].device)
        fused: Tensor | None = None
        for k in reversed(range(len(self.fusions))):
            student, teacher = student_features[k].to(dtype), savable(teacher_features[k], dtype)
            check_can_normalise(student, training=self.training)
            with full_precision(student):
                found, fused = self.fusions[k](student, fused, teacher.shape[2:])
            value = in_float(value) + _hierarchical_context(in_float(found), teacher)
        for teacher in teacher_features:
            checked_value(value, teacher)
        return value


class _Fusion(nn.Module):
    """ABF: two attention maps, one for this stage, one for what comes from deeper."""

    def __init__(self, inputs: int, mid: int, outputs: int, *, deepest: bool) -> None:
        super().__init__()
        self.inward = nn.Sequential(pointwise(inputs, mid), nn.BatchNorm2d(mid))
        self.outward = nn.Sequential(
            nn.Conv2d(mid, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.attention = (
            None if deepest else nn.Sequential(pointwise(2 * mid, 2, bias=True), nn.Sigmoid())
        )
        for layer in (*self.inward, *self.outward):
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight, a=1)

    def forward(
        self, student: Tensor, deeper: Tensor | None, size: torch.Size
    ) -> tuple[Tensor, Tensor]:
        here = self.inward(student)
        if self.attention is not None and deeper is not None:
            deeper = _resized(deeper, here.shape[2:])
            weights = self.attention(torch.cat([here, deeper], dim=1))
            here = here * weights[:, :1] + deeper * weights[:, 1:]
        here = _resized(here, size)
        return self.outward(here), here


def _resized(maps: Tensor, size: torch.Size) -> Tensor:
    return maps if maps.shape[2:] == size else F.interpolate(maps, tuple(size), mode="nearest")


def _hierarchical_context(student: Tensor, teacher: Tensor) -> Tensor:
    teacher = in_float(teacher)
    difference = student - teacher
    total, weights, weight = F.mse_loss(student, teacher), 1.0, 1.0
    for level in _LEVELS:
        if level < min(teacher.shape[2:]):
            weight /= 2
            pooled = F.adaptive_avg_pool2d(difference, level)
            total = total + weight * pooled.square().mean()
            weights += weight
    return total / weights
