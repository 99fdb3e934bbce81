"""Touvron et al. 2021: hard-label distillation (DeiT)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from didact.losses.kit.checks import both, check_labels, check_weight
from didact.losses.kit.pair import blank_masked, check_inputs
from didact.losses.kit.precision import in_float, values_can_be_read
from didact.losses.kit.reduce import Reduction, check_reduction, raise_if_not_finite, reduce
from didact.losses.kit.registry import register_loss
from didact.losses.kit.softmax import soft_log_probs


@register_loss(
    family="logits",
    purpose="decisions",
    kind="objective",
    formula="CE(softmax(s), argmax t)",
    paper="Touvron et al. 2021 (DeiT), ICML, arXiv:2012.12877, section 4, eq. 3",
)
def hard_kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Cross-entropy with the teacher's first choice as the label: no labels, no temperature.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; only its argmax is used.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        NonFiniteError: The teacher's logits hold NaN or +infinity (looked for on a CPU only).

    Paper: Touvron, Cord, Douze, Massa, Sablayrolles, Jégou 2021, Training data-efficient image
    transformers, ICML, arXiv:2012.12877, section 4, eq. 3: "we take the hard decision of the
    teacher as a true label".

    Example:
        >>> import torch
        >>> from didact.losses import hard_kd
        >>> round(hard_kd(torch.zeros(1, 4), torch.tensor([[0.0, 3.0, 1.0, 2.0]])).item(), 4)
        1.3863
    """
    check_inputs(student_logits, teacher_logits, mask=mask)
    check_reduction(reduction)
    choice = _choice(teacher_logits, mask)
    student_log_probs = soft_log_probs(blank_masked(student_logits, mask))
    return _cross_entropy(student_log_probs, choice, reduction, mask)


@register_loss(
    family="logits",
    purpose="decisions",
    kind="objective",
    formula="(1-w) CE(softmax(s), label) + w CE(softmax(s), argmax t)",
    paper="Touvron et al. 2021 (DeiT), ICML, arXiv:2012.12877, section 4, eq. 3",
)
def cross_entropy_and_hard_kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    labels: Int64[Tensor, "*batch"],
    *,
    kd_weight: float = 0.5,
    ignore_index: int = -100,
    distil_unlabelled: bool = False,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """DeiT's hard distillation: half the true label, half the teacher's first choice.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; only its argmax is used.
        labels: Class numbers, ``(...)``.
        kd_weight: Share w of the teacher's choice, 1/2 in the paper.
        ignore_index: The label of a sample that does not count: neither part looks at it, and a
            mean is over the others.
        distil_unlabelled: Let the teacher's choice count for the samples without a label too.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits, labels that are not int64, or a mask that is not boolean.
        RangeError: A label outside the classes, or ``kd_weight`` outside [0, 1].
        NonFiniteError: The teacher's logits hold NaN or +infinity (looked for on a CPU only).

    Paper: Touvron, Cord, Douze, Massa, Sablayrolles, Jégou 2021, Training data-efficient image
    transformers, ICML, arXiv:2012.12877, section 4, eq. 3: "we take the hard decision of the
    teacher as a true label".

    Example:
        >>> import torch
        >>> from didact.losses import cross_entropy_and_hard_kd
        >>> student, teacher = torch.zeros(1, 4), torch.tensor([[0.0, 3.0, 1.0, 2.0]])
        >>> round(cross_entropy_and_hard_kd(student, teacher, torch.tensor([0])).item(), 4)
        1.3863
    """
    check_inputs(student_logits, teacher_logits, mask=mask)
    classes = student_logits.shape[-1]
    complete = check_labels(
        labels, student_logits.shape[:-1], classes=classes, ignore_index=ignore_index
    )
    check_weight(kd_weight, name="kd_weight")
    check_reduction(reduction)
    labelled = mask
    if not complete:
        known = labels != ignore_index
        labelled = both(mask, known)
        labels = labels.where(known, 0)
        mask = mask if distil_unlabelled else labelled
    student_log_probs = soft_log_probs(blank_masked(student_logits, mask))
    choice = _choice(teacher_logits, mask)
    true = _cross_entropy(student_log_probs, labels, reduction, labelled)
    chosen = _cross_entropy(student_log_probs, choice, reduction, mask)
    return torch.add(true * (1 - kd_weight), chosen, alpha=kd_weight)


def _cross_entropy(
    log_probs: Tensor, classes: Tensor, reduction: Reduction, mask: Tensor | None
) -> Tensor:
    """Minus the log-probability of one class for each sample, reduced."""
    if mask is None and reduction != "none":
        return F.nll_loss(log_probs.flatten(0, -2), classes.flatten(), reduction=reduction)
    each = -log_probs.gather(-1, classes.unsqueeze(-1)).squeeze(-1)
    return reduce(each, reduction, mask)


def _choice(teacher_logits: Tensor, mask: Tensor | None) -> Tensor:
    """The number of the largest logit; NaN counts as the largest, and is named as an error."""
    seen = blank_masked(teacher_logits.detach(), mask)
    if not values_can_be_read(seen):
        return seen.argmax(-1)
    values = in_float(seen).numpy()  # whose argmax takes down to an eighth of PyTorch's time
    if not math.isfinite(values.max()):
        raise_if_not_finite(teacher_logits)
    return torch.from_numpy(values.argmax(-1))
