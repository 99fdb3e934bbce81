"""Softmax and its logarithm over the last dimension, and the way back through them."""

from __future__ import annotations

import torch
from torch import Tensor

from didact.losses.kit.precision import in_float


def soft_log_probs(logits: Tensor, temperature: float | Tensor = 1.0) -> Tensor:
    """``log softmax(logits / T)``, in float32 or better."""
    logits = in_float(logits)
    if isinstance(temperature, Tensor) or temperature != 1:
        logits = logits / temperature
    return torch.log_softmax(logits, -1)


def log_softmax_and_softmax(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities."""
    log_probs = torch.log_softmax(logits, -1)
    return log_probs, log_probs.exp()


def softmax_backward(slope: Tensor, probs: Tensor) -> Tensor:
    """The gradient of logits, from that of their probabilities."""
    return log_softmax_backward(slope * probs, probs)


def log_softmax_backward(slope: Tensor, probs: Tensor) -> Tensor:
    """The gradient of logits, from that of their log-probabilities; it overwrites ``slope``."""
    return slope.addcmul_(probs, slope.sum(-1, True), value=-1)
