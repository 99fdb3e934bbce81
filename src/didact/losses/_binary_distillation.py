"""Rebuffi et al. 2017: iCaRL; its loss is that of LwF-MC too."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from didact.losses._card import card
from didact.losses._checks import check_labels
from didact.losses._old_classes import old_logits
from didact.losses._precision import in_float
from didact.losses._reduce import Reduction, reduce


@card(
    family="incremental",
    kind="objective",
    formula="sum over classes of BCE(sigmoid(s), q),  q = sigmoid(t) for old, one-hot for new",
    paper="Rebuffi et al. 2017, arXiv:1611.07725, algorithm 3",
)
def binary_distillation(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch old_classes"],
    labels: Int64[Tensor, "*batch"],
    *,
    average_classes: bool = False,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Classification and distillation in one: a yes-or-no question for each class.

    ``sum_c BCE(sigmoid(s_c), q_c)`` where ``q_c = sigmoid(t_c)`` for the old model's classes, on
    every sample, and ``q_c = [label = c]`` for the new ones. With stored examples this is iCaRL's
    loss, without them that of LwF-MC. It is not 0 at its minimum.

    Others train something else under these names: PyCIL takes softmax cross-entropy over all
    classes plus softmax distillation with T = 2; Avalanche averages over all output units, those
    of future classes included; FACIL takes softmax cross-entropy plus the old classes' binary
    terms alone, summed.

    Args:
        student_logits: ``(..., classes)`` of the classes seen so far, old classes first.
        teacher_logits: ``(..., old_classes)`` of the old model; no gradient goes to it.
        labels: ``(...)``, class numbers. A stored example's old label is not used: the old
            model's answer stands for it.
        average_classes: Divide by the number of classes, as the authors' code does. Then the
            weight of one class falls as classes come in.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: Different batches, more classes in the old model than in the new, or no sample.
        DtypeError: Integer logits, or labels that are not int64.
        RangeError: A label out of range.

    Paper: Rebuffi et al. 2017, arXiv:1611.07725, algorithm 3 (iCaRL) and section 4.1 (LwF-MC).

    Example:
        >>> import torch
        >>> from didact.losses import binary_distillation
        >>> zeros = torch.zeros(1, 3)
        >>> round(binary_distillation(zeros, zeros[:, :2], torch.tensor([2])).item(), 4)
        2.0794
    """
    known = old_logits(student_logits, teacher_logits).shape[-1]
    classes = student_logits.shape[-1]
    check_labels(labels, student_logits.shape[:-1], classes=classes)
    logits = in_float(student_logits)
    old_targets = in_float(teacher_logits.detach()).sigmoid().to(logits.dtype)
    new_classes = torch.arange(known, classes, device=labels.device)
    new_targets = (labels.unsqueeze(-1) == new_classes).to(logits.dtype)
    targets = torch.cat([old_targets, new_targets], dim=-1)
    each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(-1)
    return reduce(each / classes if average_classes else each, reduction, teacher=teacher_logits)
