"""The old model in fewer steps, where its logits are rounded anyway."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.nn import Teacher, fold_batch_norm


def in_bfloat16(images: Tensor) -> bool:
    """Whether a network that is given the images now computes in bfloat16, under autocast."""
    device = images.device.type
    on = torch.is_autocast_enabled(device)
    return on and torch.get_autocast_dtype(device) == torch.bfloat16


def folded(teacher: Teacher, images: Tensor) -> Teacher:
    """A teacher of the same function with its batch norms folded into the convolutions.

    The one that is given where it has no batch norm, or is no network that can be folded.
    """
    norm = nn.modules.batchnorm._BatchNorm
    if not any(isinstance(module, norm) for module in teacher.modules()):
        return teacher
    channels, height, width = images.shape[1:]
    try:
        return Teacher(fold_batch_norm(teacher, (channels, height, width)), copy=False)
    except ModelError:
        return teacher
