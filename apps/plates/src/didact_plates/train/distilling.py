"""A teacher's frames for a student: ``didact.losses.kd`` on each frame's logits."""

from __future__ import annotations

import torch
from torch import Tensor

from didact.losses import kd
from didact_plates.reader.network import PlateNet
from didact_plates.synthetic.examples import NO_LABEL
from didact_plates.train.fitting import Batch, Loss, LossOf, plain_loss


def distilled_loss(teacher: PlateNet, *, temperature: float, weight: float) -> LossOf:
    """``(1 - weight) * plain + weight * T² KL(teacher || student)``, mean over the frames.

    Lines that nobody labelled (photographs of plates without their text) learn from the teacher
    alone.

    Args:
        teacher: Trained before; not changed.
        temperature: T, of both softmaxes.
        weight: How much the teacher counts, 0..1.
    """
    teacher = teacher.eval().requires_grad_(requires_grad=False)

    def of(ctc: bool) -> Loss:
        plain = plain_loss(ctc)

        def loss(outputs: tuple[Tensor, Tensor], batch: Batch) -> Tensor:
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                wanted = teacher(batch.lines)[0].float()
            soft = kd(outputs[0].flatten(0, 1), wanted.flatten(0, 1), temperature=temperature)
            told = (batch.texts[:, 0] > 0) | (batch.colours != NO_LABEL)
            if not told.any():
                return soft
            known = batch.where(told)
            return (1 - weight) * plain((outputs[0][told], outputs[1][told]), known) + weight * soft

        return loss

    return of
