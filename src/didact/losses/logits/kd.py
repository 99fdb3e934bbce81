"""Hinton, Vinyals, Dean 2015: Distilling the knowledge in a neural network.

Which way a call takes:

| call | way |
|---|---|
| fewer logits than ``kl_rows.SMALL``, not ``inplace`` | ``plain_kd``: operations count |
| a training step on a CPU | ``fast_kl``: value and gradient in one pass over the logits |
| the same without a gradient | ``fast_kl``: the value alone, by the same arithmetic |
| double backward (``create_graph=True``) | ``plain_kd``, differentiated |
| a GPU, ``torch.compile``, ``torch.func``, a learnt temperature | ``plain_kd`` |
"""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses.fast.kl_rows import Plan, fast_kl
from didact.losses.kit.pair import check_inputs, classes_last, log_probs
from didact.losses.kit.reduce import (
    Reduction,
    check_reduction,
    raise_if_teacher_not_finite,
    reduce_classes,
)
from didact.losses.kit.registry import register_loss


@register_loss(
    family="logits",
    purpose="start",
    kind="divergence",
    formula="T^2 * KL(softmax(t/T) || softmax(s/T))",
    paper="Hinton et al. 2015, arXiv:1503.02531, section 2",
)
def kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float | Tensor = 4.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
    inplace: bool = False,
    class_dim: int = -1,
) -> Float[Tensor, ...]:
    """Distillation on softened distributions: ``T^2 * KL(softmax(t/T) || softmax(s/T))``.

    Of many logits on a CPU, value and gradient are made in one pass. Few logits, double backward,
    ``torch.func``, ``torch.compile``, other devices and a learnt temperature get the plain formula,
    by themselves.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        temperature: T > 0. The factor ``T^2`` keeps the gradient's size nearly independent of T.
            A tensor, to learn it, is not checked and gets a gradient.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.
        inplace: Let the gradient overwrite ``student_logits``, which spares the last large
            buffer: worth it for logits of many megabytes. Legal where nothing reads the logits
            afterwards: not you (accuracy, another loss), and not the layer that made them
            in its own backward (a linear layer does not;
            PyTorch raises an error where one does). Not for leaf tensors, a second backward pass
            or double backward. Without effect where the plain formula serves.
        class_dim: The dimension of the classes: 1 for maps ``(batch, classes, height, width)``,
            whose every pixel is a sample then.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).
        UsageError: ``inplace`` where it is not legal, or an unknown ``reduction``.

    Paper: Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 2.

    Example:
        >>> import torch
        >>> from didact.losses import kd
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]])
        >>> kd(logits, logits).item()
        0.0
    """
    student_logits = classes_last(student_logits, class_dim, name="student_logits")
    teacher_logits = classes_last(teacher_logits, class_dim, name="teacher_logits")
    check_inputs(student_logits, teacher_logits, temperature=temperature, mask=mask)
    check_reduction(reduction)
    value = kd_unchecked(
        student_logits, teacher_logits, temperature, reduction, mask, inplace=inplace
    )
    raise_if_teacher_not_finite(value, teacher_logits)
    return value


def kd_unchecked(
    student_logits: Tensor,
    teacher_logits: Tensor,
    temperature: float | Tensor,
    reduction: Reduction,
    mask: Tensor | None = None,
    *,
    inplace: bool = False,
) -> Tensor:
    """:func:`kd` without its checks, for losses that have made them."""

    def plain(student: Tensor) -> Tensor:
        return plain_kd(student, teacher_logits, temperature, reduction, mask)

    if isinstance(temperature, Tensor):
        return plain(student_logits)
    plan = Plan(temperature, mask=mask)
    return fast_kl(plan, student_logits, (teacher_logits,), plain, reduction, inplace=inplace)


def plain_kd(
    student_logits: Tensor,
    teacher_logits: Tensor,
    temperature: float | Tensor,
    reduction: Reduction,
    mask: Tensor | None = None,
) -> Tensor:
    """The formula by differentiable operations."""
    student_log_probs, teacher_log_probs = log_probs(
        student_logits, teacher_logits, temperature=temperature, mask=mask
    )
    divergence = teacher_log_probs.exp() * (teacher_log_probs - student_log_probs)
    return reduce_classes(divergence, reduction, mask, factor=temperature**2)
