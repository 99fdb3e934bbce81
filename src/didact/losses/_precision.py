"""Losses are computed in float32 or better, whatever the network's precision."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

_EXACT = (torch.float32, torch.float64)
_MANY = 1000
NARROW = {"AVX512": 16, "AVX2": 8}.get(torch.backends.cpu.get_cpu_capability(), 4)
"""Numbers in one of the processor's vectors: PyTorch's softmax works off fewer classes singly."""


def in_float(tensor: Tensor) -> Tensor:
    """The tensor in float32; float32 and float64 stay as they are."""
    return tensor if tensor.dtype in _EXACT else tensor.float()


def full_precision(tensor: Tensor) -> torch.autocast:
    """A context in which autocast does not turn matrix products back into half precision."""
    return torch.autocast(tensor.device.type, enabled=False)


def soft_log_probs(logits: Tensor, temperature: float | Tensor = 1.0) -> Tensor:
    """``log softmax(logits / T)`` over the last dimension, in float32 or better."""
    logits = in_float(logits)
    if isinstance(temperature, Tensor) or temperature != 1:
        logits = logits / temperature
    return torch.log_softmax(logits, dim=-1)


def softmax(logits: Tensor) -> Tensor:
    """``torch.softmax`` over the last dimension; where nothing is differentiated, faster on few."""
    if not _is_narrow(logits):
        return torch.softmax(logits, -1)
    probs = (logits - logits.amax(-1, True)).exp_()
    return probs.div_(probs.sum(-1, True))


def log_softmax(logits: Tensor) -> Tensor:
    """``torch.log_softmax`` likewise."""
    if not _is_narrow(logits):
        return torch.log_softmax(logits, -1)
    shifted = logits - logits.amax(-1, True)
    return shifted.sub_(shifted.exp().sum(-1, True).log_())


def _is_narrow(logits: Tensor) -> bool:
    """Whether the operations that a softmax consists of take less time than PyTorch's own."""
    return (
        logits.shape[-1] < NARROW
        and logits.numel() > _MANY
        and logits.is_cpu
        and not torch.is_grad_enabled()
    )


def values_can_be_read(tensor: Tensor) -> bool:
    """Whether looking at values is free of charge: not on a GPU, not while tracing or mapping."""
    return (
        tensor.is_cpu
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
        and forward_ad._current_level < 0
    )
