"""Castro et al. 2018: End-to-end incremental learning."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import ShapeError
from didact.losses.kit.old_classes import old_logits
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss
from didact.losses.logits.kd import kd


@register_loss(
    family="incremental",
    purpose="old_outputs",
    kind="divergence",
    formula="sum over old heads f of T^2 * KL(softmax(t_f/T) || softmax(s_f/T))",
    paper="Castro et al. 2018, ECCV, arXiv:1807.09536, section 3.2, eq. 1-3",
)
def eeil(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch old_classes"],
    *,
    head_sizes: Sequence[int],
    temperature: float = 2.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """KD head by head: each step's classes are one softmax of their own.

    ``sum_f T^2 * KL(softmax(t_f/T) || softmax(s_f/T))`` over the old heads, where head f holds
    ``head_sizes[f]`` consecutive classes. With one head it is :func:`lwf`; with several, the sizes
    of the heads relative to each other are not transferred.

    Args:
        student_logits: ``(..., classes)``, old classes first.
        teacher_logits: ``(..., old_classes)`` of the old model; no gradient goes to it.
        head_sizes: Classes of each old step, in order; they add up to ``old_classes``.
        temperature: T > 0, 2 in the paper.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: ``head_sizes`` do not add up to the old classes, different batches, more
            classes in the old model than in the new, or no sample.
        DtypeError: Integer logits.
        RangeError: ``temperature`` is not above 0.

    Paper: Castro et al. 2018, End-to-end incremental learning, ECCV, arXiv:1807.09536, section 3.2,
    eq. 1-3 (the sum over the old classification layers). The paper writes the cross-entropy, which
    has the same gradient but for the factor ``T^2``: its weight of 1 is ``1/T^2`` here.

    Example:
        >>> import torch
        >>> from didact.losses import eeil
        >>> teacher = torch.tensor([[1.0, 0.0, 5.0, 5.0]])
        >>> student = torch.tensor([[3.0, 2.0, 0.0, 0.0, 7.0]])
        >>> eeil(student, teacher, head_sizes=[2, 2]).item() < 1e-6
        True
    """
    old = old_logits(student_logits, teacher_logits)
    sizes = list(head_sizes)
    if sum(sizes) != old.shape[-1] or not all(size > 0 for size in sizes):
        raise ShapeError(
            f"head_sizes is {sizes}; expected numbers above 0 that add up to the "
            f"{old.shape[-1]} classes of teacher_logits"
        )
    if len(set(sizes)) == 1:
        shape = (*old.shape[:-1], len(sizes), sizes[0])
        value = kd(
            old.reshape(shape),
            teacher_logits.reshape(shape),
            temperature=temperature,
            reduction=reduction,
        )
        if reduction == "none":
            return value.sum(-1)
        return value * len(sizes) if reduction == "mean" else value
    losses = [
        kd(student, teacher, temperature=temperature, reduction=reduction)
        for student, teacher in zip(
            torch.split(old, sizes, -1), torch.split(teacher_logits, sizes, -1), strict=True
        )
    ]
    return torch.stack(losses).sum(0)
