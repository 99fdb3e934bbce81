"""Distillation on the old classes as the incremental papers write it: without the factor T^2."""

from __future__ import annotations

from torch import Tensor

from didact import losses


def softened_kl(logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """``KL(softmax(t/T) || softmax(s[old]/T))``, the mean over samples.

    It has the gradient of the papers' soft cross-entropy. Where a paper balances it against the
    classification with a fixed share, a factor ``T**2`` would be another share.
    """
    return losses.lwf(logits, teacher_logits, temperature=temperature) / temperature**2
