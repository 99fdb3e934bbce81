"""2x2 max pooling, which PyTorch is slow at on a CPU where no gradient is asked for."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import forward_ad


class Halve(nn.MaxPool2d):
    """``nn.MaxPool2d(2)``, bit for bit.

    Without a gradient to make, as in a teacher and in an evaluation, the maxima of neighbouring
    rows and then columns on a CPU are 3 times as fast in ``channels_last`` format, and 10 to 20
    times in the default one. Everything else goes to PyTorch.
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` to half the height and width, rounded down."""
        if not _takes_maxima(images):
            return F.max_pool2d(images, 2)
        height, width = (side // 2 * 2 for side in images.shape[-2:])
        above, below = images[..., 0:height:2, :width], images[..., 1:height:2, :width]
        rows = torch.maximum(above, below)
        return torch.maximum(rows[..., 0::2], rows[..., 1::2])


def _takes_maxima(images: Tensor) -> bool:
    return (
        torch._C._get_tracing_state() is None
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
        and forward_ad._current_level < 0  # whose maximum halves the slope of a tie
        and images.is_cpu
        and not (torch.is_grad_enabled() and images.requires_grad)
        and min(images.shape[-2:]) >= 2
    )
