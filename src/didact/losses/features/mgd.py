"""Yang et al. 2022: Masked generative distillation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from didact._core.errors import DtypeError, RangeError, ShapeError, UsageError
from didact.losses.kit.maps import check_features, checked_value
from didact.losses.kit.modules import check_counts, check_maps, parameter_dtype, pointwise
from didact.losses.kit.precision import full_precision, in_float, savable
from didact.losses.kit.registry import register_loss

Masking = Literal["positions", "channels"]


@register_loss(
    family="features",
    purpose="one_layer",
    kind="objective",
    formula="sum over units of (t - G(keep * align(s)))^2",
    paper="Yang et al. 2022 (MGD), ECCV, arXiv:2205.01529",
)
@final
class MGD(nn.Module):
    """Masked generation: from part of the student's map, make the teacher's whole.

    ``sum_u (t_u - G(keep * align(s))_u)^2``, averaged over samples: random positions of the
    aligned student map are set to 0, and the generator ``G`` (3x3 convolution, ReLU, 3x3
    convolution) restores the teacher's. Which are kept is drawn from torch's global generator at
    each call, so ``torch.manual_seed`` repeats it; or give ``keep`` yourself.

    All its parameters train, with the student; :meth:`trainable_parameters` lists them. Called as
    ``loss(student_features, teacher_features, keep=None)`` on ``(batch, channels, height, width)``
    of one height and width; the result is a scalar.

    Args:
        student_channels: Channels of the student's layer.
        teacher_channels: Channels of the teacher's layer. Where they differ, a 1x1 convolution
            aligns the student's.
        mask_ratio: Share that is set to 0, from 0 to below 1. The authors' settings have 0.15 of
            the channels for classification, and of the positions 0.65 for one-stage detectors, 0.45
            for two-stage ones, 0.75 for segmentation.
        masking: ``"positions"``: the same for all channels, as in the paper's equations;
            ``"channels"``: whole channels, as in the authors' code for classification.

    Raises:
        ShapeError: Maps that differ in batch, height or width, whose channels differ from those
            given, or a ``keep`` that does not fit.
        DtypeError: Integer features, or a ``keep`` that is not boolean.
        RangeError: A number of channels below 1, or ``mask_ratio`` out of range.
        UsageError: ``masking`` is another word.

    Paper: Yang et al. 2022, ECCV, arXiv:2205.01529. Its weight for classification is 7e-5.

    Example:
        >>> import torch
        >>> from didact.losses import MGD
        >>> loss = MGD(3, 4)
        >>> loss(torch.randn(2, 3, 8, 8), torch.randn(2, 4, 8, 8)).shape
        torch.Size([])
    """

    def __init__(
        self,
        student_channels: int,
        teacher_channels: int,
        *,
        mask_ratio: float = 0.5,
        masking: Masking = "positions",
    ) -> None:
        super().__init__()
        check_counts(student_channels=student_channels, teacher_channels=teacher_channels)
        if not 0 <= mask_ratio < 1:
            raise RangeError(f"mask_ratio is {mask_ratio}; expected from 0 to below 1")
        if masking not in ("positions", "channels"):
            raise UsageError(f"masking is {masking!r}; expected 'positions' or 'channels'")
        self.channels = (student_channels, teacher_channels)
        self.mask_ratio = mask_ratio
        self.masking = masking
        same = student_channels == teacher_channels
        self.align: nn.Module = (
            nn.Identity() if same else pointwise(student_channels, teacher_channels, bias=True)
        )
        self.generator = nn.Sequential(
            nn.Conv2d(teacher_channels, teacher_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(teacher_channels, teacher_channels, 3, padding=1),
        )

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """The generator's and the alignment's: all there are."""
        return self.parameters()

    def draw_keep(self, teacher_features: Tensor) -> Bool[Tensor, "batch _ _ _"]:
        """What a call without ``keep`` draws: ``(batch, 1, height, width)``, or by channel."""
        batch, channels, height, width = teacher_features.shape
        shape = (
            (batch, 1, height, width) if self.masking == "positions" else (batch, channels, 1, 1)
        )
        return torch.rand(shape, device=teacher_features.device) >= self.mask_ratio

    def forward(
        self,
        student_features: Float[Tensor, "batch student_channels height width"],
        teacher_features: Float[Tensor, "batch teacher_channels height width"],
        keep: Bool[Tensor, "batch _ _ _"] | None = None,
    ) -> Float[Tensor, ""]:
        """The loss; no gradient goes to ``teacher_features``."""
        check_maps(student_features, teacher_features, channels=self.channels)
        check_features(student_features, teacher_features, alike="space")
        if keep is None:
            keep = self.draw_keep(teacher_features)
        _check_keep(keep, teacher_features)
        dtype = parameter_dtype(self)
        with full_precision(student_features):
            masked = self.align(student_features.to(dtype)) * keep.to(dtype)
            found = in_float(self.generator(masked))
        target = in_float(savable(teacher_features, dtype))
        value = F.mse_loss(found, target, reduction="sum") / len(target)
        return checked_value(value, teacher_features)


def _check_keep(keep: Tensor, teacher: Tensor) -> None:
    if keep.dtype != torch.bool:
        raise DtypeError(f"keep is {keep.dtype}; expected bool, True where the map stays")
    batch, channels, height, width = teacher.shape
    if keep.shape not in ((batch, 1, height, width), (batch, channels, 1, 1), teacher.shape):
        raise ShapeError(
            f"keep is {tuple(keep.shape)}; expected ({batch}, 1, {height}, {width}) for positions "
            f"or ({batch}, {channels}, 1, 1) for channels"
        )
