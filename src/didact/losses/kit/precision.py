"""Losses are computed in float32 or better, whatever the network's precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.autograd import forward_ad

_AS_IT_IS = nullcontext()
_EXACT = (torch.float32, torch.float64)
# PyTorch has no public question for this. Should the private one go, "yes" is always right: the
# plain formulas serve.
_torch_func_is_active = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def in_float(tensor: Tensor) -> Tensor:
    """The tensor in float32; float32 and float64 stay as they are."""
    return tensor if tensor.dtype in _EXACT else tensor.float()


def working_dtype(tensor: Tensor) -> torch.dtype:
    """The precision of :func:`in_float`."""
    return tensor.dtype if tensor.dtype in _EXACT else torch.float32


def target_for(student: Tensor, teacher: Tensor) -> Tensor:
    """The teacher's tensor, detached, in the precision in which the student's loss is computed."""
    return teacher.detach().to(working_dtype(student))


def savable(teacher: Tensor, dtype: torch.dtype) -> Tensor:
    """The teacher's tensor, detached, in a precision, to be multiplied with what is learnt.

    A copy where inference mode has made it: autograd refuses to save such a tensor.
    """
    tensor = teacher.detach()
    made_there = not torch.compiler.is_compiling() and tensor.is_inference()
    return tensor.to(dtype, copy=made_there)


def full_precision(tensor: Tensor) -> AbstractContextManager[object]:
    """A context in which autocast does not turn matrix products back into half precision."""
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else _AS_IT_IS


def values_can_be_read(tensor: Tensor) -> bool:
    """Whether looking at values is free of charge: not on a GPU, not while tracing or mapping."""
    return (
        tensor.is_cpu
        and not torch.compiler.is_compiling()
        and not _torch_func_is_active()
        and getattr(forward_ad, "_current_level", 0) < 0
    )
