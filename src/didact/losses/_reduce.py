"""From one number per sample to the value of the loss."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from didact._core.errors import UsageError

Reduction = Literal["mean", "sum", "none"]


def reduce(per_sample: Tensor, reduction: Reduction, mask: Tensor | None = None) -> Tensor:
    """Average, add up or leave alone; ``mean`` divides by the number of unmasked positions.

    Args:
        per_sample: One value for each position, any shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        mask: True where a position counts, same shape as ``per_sample``. Masked positions are
            zero under ``"none"``.

    Raises:
        UsageError: ``reduction`` is another word.
    """
    if reduction not in ("mean", "sum", "none"):
        raise UsageError(
            f"reduction is {reduction!r}; expected 'mean' (over samples), 'sum' or 'none'. "
            "PyTorch's 'batchmean' is called 'mean' here."
        )
    if mask is not None:
        per_sample = per_sample.masked_fill(~mask, 0.0)
    if reduction == "none":
        return per_sample
    total = per_sample.sum()
    if reduction == "sum":
        return total
    if mask is None:
        return total / per_sample.numel()
    return total / mask.sum().clamp(min=1)
