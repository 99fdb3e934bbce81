"""One embedding for each training image, kept between batches."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from didact.losses.kit.maps import unit

# Products with the whole memory beat picking rows while the memory is not much larger than
# what a sample picks: a picked row is copied once for each sample.
_WHOLE_IS_CHEAPER = 8


@final
class MemoryBank(nn.Module):
    """Rows of length 1, ``(samples, dim)``, in a buffer; random directions at first."""

    rows: Tensor

    def __init__(self, samples: int, dim: int, *, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("rows", unit(torch.randn(samples, dim)))

    def scores(self, embeddings: Tensor, indices: Tensor) -> Tensor:
        """Inner products of ``(batch, dim)`` with the rows at ``(batch, count)``."""
        if len(self.rows) <= _WHOLE_IS_CHEAPER * indices.shape[1]:
            # A copy: the update comes before the backward pass, which needs the old rows.
            return (embeddings @ self.rows.to(embeddings.dtype, copy=True).T).gather(1, indices)
        picked = self.rows.index_select(0, indices.flatten()).to(embeddings.dtype)
        picked = picked.view(*indices.shape, -1)
        return (picked @ embeddings.unsqueeze(2)).squeeze(2)

    @torch.no_grad()
    def update(self, embeddings: Tensor, indices: Tensor) -> None:
        """Move the rows at ``(batch,)`` towards the embeddings; momentum 1 stands still."""
        if self.momentum == 1:
            return
        moved = self.rows[indices] * self.momentum + embeddings * (1 - self.momentum)
        self.rows.index_copy_(0, indices, unit(moved).to(self.rows.dtype))
