"""Cross-entropy as PyTorch has it, without what its wrappers look at: a tenth of a small step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.softmax import is_narrow, log_softmax_of_few

_NO_LABEL = -100
_KINDS: dict[str, Any] = {"mean": 1, "sum": 2}  # numbers, which the type stubs take for words


def surprise(logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    """``F.cross_entropy`` of ``(..., classes)`` and ``(...)``, in float32.

    Args:
        logits: Of one network.
        labels: Class numbers that have been checked.
        reduction: ``"mean"`` or ``"sum"``.
    """
    logits = in_float(logits)
    if is_narrow(logits):
        return surprise_of(log_softmax_of_few(logits), labels, reduction)
    logits, labels = _rows(logits, labels)
    kind = _KINDS[reduction]
    return torch._C._nn.cross_entropy_loss(logits, labels, None, kind, _NO_LABEL, 0.0)


def surprise_of(log_probs: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    """``F.nll_loss`` likewise, for what shares the logarithms."""
    log_probs, labels = _rows(log_probs, labels)
    return torch._C._nn.nll_loss_nd(log_probs, labels, None, _KINDS[reduction], _NO_LABEL)


def _rows(values: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    if values.dim() == 2:
        return values, labels
    return values.flatten(0, -2), labels.flatten()
