"""The functions that a loss is made of."""

from __future__ import annotations

LOSSES = frozenset(
    {
        "kl_div", "mse_loss", "l1_loss", "smooth_l1_loss", "cross_entropy", "cosine_similarity",
        "cosine_embedding_loss", "huber_loss", "normalize", "backward",
    }
)  # fmt: skip
