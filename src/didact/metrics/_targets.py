"""What the metrics of several labels and of numbers look at first."""

from __future__ import annotations

import torch
from torch import Tensor

from didact._core.errors import NonFiniteError, ShapeError


def scores_and_targets(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Both in float64 on the CPU.

    Raises:
        ShapeError: Not two-dimensional and of one shape, or no sample.
        NonFiniteError: NaN or infinity.
    """
    if scores.shape != targets.shape or scores.dim() != 2 or not scores.numel():
        raise ShapeError(
            f"the model gives {tuple(scores.shape)} and the targets are {tuple(targets.shape)}; "
            "expected (samples, outputs) of both"
        )
    both = scores.detach().double().cpu(), targets.detach().double().cpu()
    if not all(bool(torch.isfinite(one).all()) for one in both):
        raise NonFiniteError("the outputs or targets hold NaN or infinity; expected numbers")
    return both
