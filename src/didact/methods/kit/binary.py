"""iCaRL's loss, also for the first task, in which there is no old model."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from didact.losses import binary_distillation


def binary_loss(logits: Tensor, teacher_logits: Tensor | None, labels: Tensor) -> Tensor:
    """``sum_c BCE(sigmoid(z_c), q_c)``, averaged over samples.

    Args:
        logits: ``(samples, classes)``.
        teacher_logits: ``(samples, old_classes)``; None in the first task, where every class has
            its one-hot target.
        labels: ``(samples,)``, columns.
    """
    if teacher_logits is not None:
        return binary_distillation(logits, teacher_logits, labels)
    targets = F.one_hot(labels, logits.shape[-1]).to(logits.dtype)
    total = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    return total / len(labels)
