"""2x2 max pooling, which PyTorch is slow at on a CPU where no gradient is asked for."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import forward_ad


class FastMaxPool2d(nn.MaxPool2d):
    """``nn.MaxPool2d(2)``, bit for bit.

    Without a gradient to make, as in a teacher and in an evaluation, the maxima of neighbouring
    rows and then columns are faster on a CPU: a whole ``cnn`` takes 0.6 of the time in the default
    memory format, a ``vgg8`` on images of 32x32 0.8; in ``channels_last`` format it makes no
    difference. Everything else goes to PyTorch.
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
        not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        and not torch.compiler.is_compiling()
        and not _transformed(images)
        and images.is_cpu
        and not (torch.is_grad_enabled() and images.requires_grad)
        and min(images.shape[-2:]) >= 2
    )


def _transformed(images: Tensor) -> bool:
    """Whether ``torch.func`` or forward differentiation looks on, whose ties maxima share out.

    A PyTorch that cannot say so is taken to do so.
    """
    active = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)
    dual = forward_ad.unpack_dual(images)  # type: ignore[no-untyped-call]
    return bool(active()) or dual.tangent is not None
