"""Rebuffi et al. 2017: iCaRL; its loss is that of LwF-MC too."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from didact.losses.fast.features import by_samples
from didact.losses.kit.checks import check_labels
from didact.losses.kit.old_classes import check_old_logits
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss

# e^-40 is below the rounding of 40, in float64 too.
_SOFTPLUS_IS_LINEAR = 40


@register_loss(
    family="incremental",
    purpose="old_outputs",
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

    Paper: Rebuffi et al. 2017, arXiv:1611.07725, algorithm 3; LwF-MC is its baseline.

    Example:
        >>> import torch
        >>> from didact.losses import binary_distillation
        >>> zeros = torch.zeros(1, 3)
        >>> round(binary_distillation(zeros, zeros[:, :2], torch.tensor([2])).item(), 4)
        2.0794
    """
    check_old_logits(student_logits, teacher_logits)
    classes = student_logits.shape[-1]
    check_labels(labels, student_logits.shape[:-1], classes=classes)
    logits, teacher = in_float(student_logits), teacher_logits.detach()
    scale = 1 / classes if average_classes else 1.0
    return by_samples(
        logits,
        teacher,
        partial(_value_and_gradient, labels),
        partial(_by_sample, labels),
        scale=scale,
        reduction=reduction,
        on_logits=True,
    )


def _targets(labels: Tensor, student: Tensor, teacher: Tensor) -> Tensor:
    old_targets = in_float(teacher).sigmoid().to(student.dtype)
    new_classes = student.shape[-1] - teacher.shape[-1]
    if not new_classes:
        return old_targets
    targets = torch.zeros_like(student).scatter(-1, labels.unsqueeze(-1), 1.0)
    return torch.cat([old_targets, targets.narrow(-1, teacher.shape[-1], new_classes)], dim=-1)


def _by_sample(labels: Tensor, student: Tensor, teacher: Tensor) -> Tensor:
    targets = _targets(labels, student, teacher)
    return F.binary_cross_entropy_with_logits(student, targets, reduction="none").sum(-1)


def _value_and_gradient(
    labels: Tensor, student: Tensor, teacher: Tensor, gradient: Tensor | None
) -> Tensor:
    targets = torch.zeros_like(student) if gradient is None else gradient.zero_()
    targets.scatter_(-1, labels.unsqueeze(-1), 1.0)
    targets[..., : teacher.shape[-1]] = in_float(teacher).sigmoid()
    each = F.softplus(student, threshold=_SOFTPLUS_IS_LINEAR)
    value = each.addcmul_(targets, student, value=-1).sum()  # log(1 + e^s) - q s
    if gradient is not None:
        torch.sub(torch.sigmoid(student, out=each), targets, out=gradient)
    return value
