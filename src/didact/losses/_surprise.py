"""Cross-entropy as PyTorch has it, without what its wrappers look at: a tenth of a small step.

Over a few classes PyTorch's softmax works off one number at a time, and its parts are faster.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from didact.losses._fused import can_fuse
from didact.losses._gradient_node import with_gradient
from didact.losses._precision import NARROW, in_float
from didact.losses._reduce import Reduction

_NO_LABEL = -100
_MANY = 2048  # logits: from here on the parts of a softmax over few classes pay
_KINDS: dict[str, Any] = {"mean": 1, "sum": 2}  # numbers, which the type stubs take for words


def surprise(logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    """``F.cross_entropy`` of ``(..., classes)`` and ``(...)``, in float32.

    Args:
        logits: Of one network.
        labels: Class numbers that have been checked.
        reduction: ``"mean"`` or ``"sum"``.
    """
    logits, labels = _rows(in_float(logits), labels)
    if logits.shape[-1] < NARROW and logits.numel() > _MANY and can_fuse(logits, (labels,)):
        return _of_few_classes(logits, labels, reduction)
    return _plain(logits, labels, reduction)


def _plain(logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    kind = _KINDS[reduction]
    return torch._C._nn.cross_entropy_loss(logits, labels, None, kind, _NO_LABEL, 0.0)


def _of_few_classes(logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    places = labels.unsqueeze(-1)
    share = 1 / len(labels) if reduction == "mean" else 1.0

    def make(student: Tensor) -> tuple[Tensor, Tensor, float]:
        shifted = student - student.amax(-1, True)
        own = shifted.gather(-1, places)
        powers = shifted.exp_()
        total = powers.sum(-1, True)
        value = total.log().sub_(own).sum().mul_(share)
        gradient = powers.mul_(share / total)
        return value, gradient.scatter_add_(-1, places, own.fill_(-share)), 1.0

    return with_gradient(logits, make, lambda student: _plain(student, labels, reduction))


def surprise_of(log_probs: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    """``F.nll_loss`` likewise, for what shares the logarithms."""
    log_probs, labels = _rows(log_probs, labels)
    return torch._C._nn.nll_loss_nd(log_probs, labels, None, _KINDS[reduction], _NO_LABEL)


def _rows(values: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    if values.dim() == 2:
        return values, labels
    return values.flatten(0, -2), labels.flatten()
