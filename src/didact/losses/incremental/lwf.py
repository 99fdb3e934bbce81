"""Li, Hoiem 2016: Learning without forgetting."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses.kit.old_classes import old_logits
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss
from didact.losses.logits.kd import kd


@register_loss(
    family="incremental",
    purpose="old_outputs",
    kind="divergence",
    formula="T^2 * KL(softmax(t/T) || softmax(s[:o]/T)),  o = classes of the old model",
    paper="Li and Hoiem 2016, ECCV, arXiv:1606.09282, section 3, eq. 2-4",
)
def lwf(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch old_classes"],
    *,
    temperature: float = 2.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, " ..."]:
    """Yesterday's answers on today's images: KD on the classes that the old model knows.

    ``T^2 * KL(softmax(t/T) || softmax(s[..., :o]/T))``: the first ``o`` of the student's classes,
    ``o`` being as many as the old model has. The new classes' logits get no gradient.

    The classification term beside it must look at the new classes alone,
    ``cross_entropy(student_logits[:, o:], labels - o)``: over all classes, without stored
    examples, it pushes the old classes down and the whole becomes plain fine-tuning.

    Args:
        student_logits: ``(..., classes)``: old classes first, as a growing classifier has them.
        teacher_logits: ``(..., old_classes)`` of the old model; no gradient goes to it.
        temperature: T > 0, 2 in the paper.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: Different batches, more classes in the old model than in the new, or no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.

    Paper: Li and Hoiem 2016, ECCV, arXiv:1606.09282, section 3, eq. 2-4. They write the
    cross-entropy, which has the same gradient but for the factor ``T^2`` of Hinton et al. that is
    used throughout this library: the paper's weight of 1 is ``1/T^2`` here.

    Example:
        >>> import torch
        >>> from didact.losses import lwf
        >>> lwf(torch.tensor([[1.0, 0.0, 9.0]]), torch.tensor([[1.0, 0.0]])).item()
        0.0
    """
    old = old_logits(student_logits, teacher_logits)
    return kd(old, teacher_logits, temperature=temperature, reduction=reduction, mask=mask)
