"""Ridge regression onto one-hot labels from sums that can be added to, task after task."""

from __future__ import annotations

import torch
from torch import Tensor


def ridge_classifier(gram: Tensor, moments: Tensor, penalty: float) -> Tensor:
    """``W = (G + penalty I)^-1 C``, ``(width, classes)``.

    Args:
        gram: ``G = sum_i h_i h_i^T``, ``(width, width)``.
        moments: ``C = sum_i h_i y_i^T`` with one-hot ``y_i``, ``(width, classes)``.
        penalty: Above 0.
    """
    regular = gram + penalty * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    factor, failed = torch.linalg.cholesky_ex(regular)
    if bool(failed):  # a penalty below the rounding error of a matrix without full rank
        inverse: Tensor = torch.linalg.pinv(regular, hermitian=True)
        return inverse @ moments
    return torch.cholesky_solve(moments, factor)
