"""The checks that every metric makes: a wrong shape must not become a plausible number."""

from __future__ import annotations

import torch
from torch import Tensor

from didact._core.errors import DtypeError, NonFiniteError, RangeError, ShapeError


def flat_logits(logits: Tensor, *, name: str = "logits") -> Tensor:
    """The logits as ``(samples, classes)`` in float64 on the CPU, checked.

    Raises:
        DtypeError: Not floating point.
        ShapeError: No class dimension, or no sample.
        NonFiniteError: NaN or infinity among them.
    """
    if not logits.is_floating_point():
        raise DtypeError(
            f"{name} is {logits.dtype}; expected floating-point logits, not class numbers"
        )
    if logits.dim() < 2 or logits.numel() == 0:
        raise ShapeError(
            f"{name} is {tuple(logits.shape)}; expected (..., samples, classes), none of them 0"
        )
    flat = logits.detach().reshape(-1, logits.shape[-1]).cpu().to(torch.float64)
    if not bool(torch.isfinite(flat).all()):
        bad = int((~torch.isfinite(flat).all(dim=-1)).sum())
        raise NonFiniteError(
            f"{name} has NaN or infinity in {bad} of {len(flat)} samples; "
            "the model diverged, or its input was not finite"
        )
    return flat


def logits_and_labels(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Both flat, one label for each sample, each label a class.

    Raises:
        DtypeError: Labels that are not integers, or logits that are.
        ShapeError: Not one label for each sample.
        RangeError: A label outside the classes.
        NonFiniteError: NaN or infinity among the logits.
    """
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise DtypeError(f"labels is {labels.dtype}; expected integers, one class per sample")
    if labels.shape != logits.shape[:-1]:
        raise ShapeError(
            f"labels is {tuple(labels.shape)} and logits is {tuple(logits.shape)}; "
            f"expected labels of {tuple(logits.shape[:-1])}, one class per sample"
        )
    flat = flat_logits(logits)
    classes = flat.shape[-1]
    targets = labels.detach().reshape(-1).cpu().to(torch.int64)
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= classes:
        raise RangeError(
            f"labels go from {low} to {high}; expected 0 to {classes - 1} for {classes} classes. "
            "Leave unlabelled samples out before measuring."
        )
    return flat, targets
