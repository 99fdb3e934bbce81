"""The usual objective, labels and teacher together, in one pass over the logits."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from didact.losses.fast.kl_rows import Plan, fast_kl
from didact.losses.kit.checks import both, check_labels, check_weight
from didact.losses.kit.pair import blank_masked, check_inputs, classes_last
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import Reduction, check_reduction, raise_if_teacher_not_finite
from didact.losses.kit.registry import register_loss
from didact.losses.logits.kd import plain_kd


@register_loss(
    family="logits",
    purpose="start",
    kind="objective",
    formula="(1-w) CE(softmax(s), label) + w T^2 KL(softmax(t/T) || softmax(s/T))",
    paper="Hinton et al. 2015, arXiv:1503.02531, section 2",
)
def cross_entropy_and_kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    labels: Int64[Tensor, "*batch"],
    *,
    kd_weight: float = 0.9,
    temperature: float = 4.0,
    ignore_index: int = -100,
    distil_unlabelled: bool = False,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
    inplace: bool = False,
    class_dim: int = -1,
) -> Float[Tensor, ...]:
    """``(1-w) * cross-entropy + w * kd``, in one pass over the logits on a CPU.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        labels: Class numbers, ``(...)``.
        kd_weight: Share w of the distillation, from 0 to 1.
        temperature: T > 0, of the distillation alone.
        ignore_index: The label of a sample that does not count, such as padding or a prompt:
            neither part looks at it, and a mean is over the others.
        distil_unlabelled: Let the teacher's part count the samples without a label too, as for
            unlabelled images: its mean is over all samples, that of the cross-entropy over those
            with a label.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``, for both parts.
        inplace: Let the gradient overwrite ``student_logits``; see :func:`kd` for when this is
            legal.
        class_dim: The dimension of the classes: 1 for maps ``(batch, classes, height, width)``,
            whose every pixel is a sample then.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits, labels that are not int64, or a mask that is not boolean.
        RangeError: A label outside the classes, ``kd_weight`` outside [0, 1], or ``temperature``
            not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).
        UsageError: ``inplace`` where it is not legal, or an unknown ``reduction``.

    Paper: Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 2.

    Example:
        >>> import torch
        >>> from didact.losses import cross_entropy_and_kd
        >>> logits, labels = torch.zeros(2, 4), torch.tensor([0, 1])
        >>> round(cross_entropy_and_kd(logits, logits, labels, kd_weight=0.5).item(), 4)
        0.6931
    """
    student_logits = classes_last(student_logits, class_dim, name="student_logits")
    teacher_logits = classes_last(teacher_logits, class_dim, name="teacher_logits")
    check_inputs(student_logits, teacher_logits, temperature=temperature, mask=mask)
    classes = student_logits.shape[-1]
    complete = check_labels(
        labels, student_logits.shape[:-1], classes=classes, ignore_index=ignore_index
    )
    check_weight(kd_weight, name="kd_weight")
    check_reduction(reduction)

    if not complete and not distil_unlabelled:
        mask = both(mask, labels != ignore_index)

    def plain(student: Tensor) -> Tensor:
        if complete and mask is None and reduction != "none":
            rows = in_float(student).flatten(0, -2)
            hard = F.cross_entropy(rows, labels.flatten(), reduction=reduction)
        else:
            hard = _cross_entropy(student, labels, ignore_index, reduction, mask)
        soft = plain_kd(student, teacher_logits, temperature, reduction, mask)
        return (1 - kd_weight) * hard + kd_weight * soft

    plan = Plan(
        temperature,
        soft=kd_weight,
        hard=1 - kd_weight,
        labels=labels,
        ignore_index=ignore_index,
        mask=mask,
    )
    value = fast_kl(plan, student_logits, (teacher_logits,), plain, reduction, inplace=inplace)
    raise_if_teacher_not_finite(value, teacher_logits)
    return value


def _cross_entropy(
    logits: Tensor, labels: Tensor, ignore_index: int, reduction: Reduction, mask: Tensor | None
) -> Tensor:
    if mask is not None:
        labels = labels.masked_fill(~mask, ignore_index)
    each = F.cross_entropy(
        in_float(blank_masked(logits, mask)).flatten(0, -2),
        labels.flatten(),
        ignore_index=ignore_index,
        reduction="none" if reduction == "none" else "sum",
    )
    if reduction == "none":
        return each.view(labels.shape)
    return each if reduction == "sum" else each / (labels != ignore_index).sum().clamp(min=1)
