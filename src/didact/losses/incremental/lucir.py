"""Hou et al. 2019: Learning a unified classifier incrementally via rebalancing."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses.fast.features import by_samples
from didact.losses.kit.checks import check_labels, check_tensor
from didact.losses.kit.maps import feature_pair, half_squares, inverse_length, unit
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss

_PAPER = "Hou et al. 2019 (LUCIR), CVPR, section 3"


def cosine_distance(student: Tensor, teacher: Tensor, reduction: Reduction) -> Tensor:
    """``1 - cos``, exactly 0 for equal vectors; a zero vector is at 1/2 of others."""
    student, teacher = feature_pair(student, teacher)
    return by_samples(student, teacher, _cosine_rows, _half, reduction=reduction)


def _half(student: Tensor, teacher: Tensor) -> Tensor:
    return (unit(student.flatten(1)) - unit(teacher.flatten(1))).square().sum(1) / 2


def _cosine_rows(student: Tensor, teacher: Tensor, gradient: Tensor | None) -> Tensor:
    own, other = inverse_length(student.flatten(1)), inverse_length(teacher.flatten(1))
    place = gradient if student.dim() == 2 else None
    slope = torch.mul(student.flatten(1), own, out=place)
    slope.addcmul_(teacher.flatten(1), other, value=-1)
    values = half_squares(slope)
    if gradient is not None:
        # The part of the slope along the student: of unit vectors 1 - cos, the loss itself.
        along = values.unsqueeze(1) + (own.sign() - other.sign()) / 2
        slope.addcmul_(student.flatten(1), along * own, value=-1)
        slope.mul_(own)
        if place is None:
            gradient.copy_(slope.view(student.shape))
    return values


@register_loss(
    family="incremental",
    purpose="old_features",
    kind="match",
    formula="1 - cos(s, t)",
    paper=f"{_PAPER}.3, eq. 6",
)
def lucir_less_forget(
    student_features: Float[Tensor, " batch *units"],
    teacher_features: Float[Tensor, " batch *units"],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Less-forget constraint: the features keep their direction, ``1 - cos(s, t)``.

    Args:
        student_features: ``(batch, ...)``, the input of the cosine classifier.
        teacher_features: Same shape, of the old model; no gradient goes to it.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss, from 0 to 2: a scalar, or ``(batch,)`` for ``"none"``. A feature of zeros has no
        direction: it counts 1/2 and gets no gradient.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Hou et al. 2019, CVPR, section 3.3, eq. 6. Its weight is 5 on CIFAR-100 and 10 on
    ImageNet (section 4.1), times ``sqrt(old / new)`` classes in the authors' code; eq. 7 prints the
    inverse of that ratio.

    Example:
        >>> import torch
        >>> from didact.losses import lucir_less_forget
        >>> value = lucir_less_forget(torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
        >>> round(value.item(), 4)
        1.0
    """
    return cosine_distance(student_features, teacher_features, reduction)


@register_loss(
    family="incremental",
    purpose="new_apart",
    kind="objective",
    formula="mean over the K hardest new classes n of relu(m - s_label + s_n), old samples only",
    paper=f"{_PAPER}.4, eq. 8",
)
def lucir_margin(
    student_logits: Float[Tensor, "*batch classes"],
    labels: Int64[Tensor, "*batch"],
    *,
    old_classes: int,
    margin: float = 0.5,
    negatives: int = 2,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Inter-class separation: a stored example stays nearer to its class than to new ones.

    ``mean_k relu(margin - s_label + s_k)`` over the ``negatives`` new classes with the highest
    scores, for samples of old classes; samples of new classes do not count.

    Args:
        student_logits: ``(..., classes)``: cosines from -1 to 1, before the learned scale; old
            classes first.
        labels: ``(...)``, class numbers.
        old_classes: How many of the classes are old, from 1 to ``classes - 1``.
        margin: The wanted distance of the cosines, at least 0.
        negatives: How many new classes are pushed away; all, if there are fewer.
        reduction: ``"mean"`` over the samples of old classes (0 if there are none), ``"sum"`` or
            ``"none"`` (0 for samples of new classes).

    Returns:
        The loss: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The labels do not fit, or there is no sample.
        DtypeError: Integer scores, or labels that are not int64.
        RangeError: A label, ``old_classes``, ``margin`` or ``negatives`` out of range.

    Paper: Hou et al. 2019, CVPR, section 3.4, eq. 8 (margin 0.5, K = 2 in section 4.1). The paper's
    equation adds up over the K classes; the authors' code takes their mean, and so does this.

    Example:
        >>> import torch
        >>> from didact.losses import lucir_margin
        >>> scores = torch.tensor([[0.5, 0.25, -1.0]])
        >>> lucir_margin(scores, torch.tensor([0]), old_classes=1).item()
        0.125
    """
    check_tensor(student_logits, name="student_logits")
    classes = student_logits.shape[-1]
    check_labels(labels, student_logits.shape[:-1], classes=classes)
    if not 0 < old_classes < classes:
        raise RangeError(
            f"old_classes is {old_classes}; expected from 1 to {classes - 1}, one less than the "
            "classes of student_logits"
        )
    if not margin >= 0:
        raise RangeError(f"margin is {margin}; expected a number from 0 up (0.5 is the paper's)")
    if negatives < 1:
        raise RangeError(f"negatives is {negatives}; expected at least 1 (2 is the paper's)")
    scores = in_float(student_logits)
    old = torch.less(labels, old_classes)
    options = (old_classes, min(negatives, classes - old_classes), margin)
    formula, rows = partial(_margin, *options), partial(_margin_rows, old, *options)
    return by_samples(scores, labels, rows, formula, reduction=reduction, on_logits=True, mask=old)


def _margin(
    old_classes: int, negatives: int, margin: float, scores: Tensor, labels: Tensor
) -> Tensor:
    own = scores.gather(-1, labels.unsqueeze(-1))
    hardest = scores[..., old_classes:].topk(negatives, dim=-1).values
    return F.relu(margin - own + hardest).mean(-1)


def _margin_rows(
    old: Tensor,
    old_classes: int,
    negatives: int,
    margin: float,
    scores: Tensor,
    labels: Tensor,
    gradient: Tensor | None,
) -> Tensor:
    own = scores.gather(-1, labels.unsqueeze(-1))
    hardest, which = scores[..., old_classes:].topk(negatives, dim=-1)
    wrong = (hardest - own).add_(margin).relu_().masked_fill_(~old.unsqueeze(-1), 0.0)
    if gradient is not None:
        push = wrong.sign().div_(negatives)
        gradient.zero_()
        gradient.scatter_(-1, labels.unsqueeze(-1), push.sum(-1, keepdim=True).neg_())
        gradient[..., old_classes:].scatter_add_(-1, which, push)
    return wrong.mean(-1)
