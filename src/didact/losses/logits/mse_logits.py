"""Ba and Caruana 2014; Kim et al. 2021: regression of the logits."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses.kit.pair import blank_masked, check_inputs
from didact.losses.kit.precision import in_float, savable
from didact.losses.kit.reduce import (
    Reduction,
    check_reduction,
    raise_if_teacher_not_finite,
    reduce,
    reduction_divisor,
)
from didact.losses.kit.registry import register_loss


@register_loss(
    family="logits",
    purpose="start",
    kind="match",
    formula="sum_c (s_c - t_c)^2",
    paper="Kim et al. 2021, arXiv:2105.08919; Ba and Caruana 2014, arXiv:1312.6184",
)
def mse_logits(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Squared distance of the logits: summed over classes, averaged over samples.

    Twice the limit of :func:`kd` for T to infinity, times the number of classes, where both sides
    have mean 0 (Hinton et al. 2015, section 2.1). The class sum makes the gradient of a sample
    independent of how many classes there are; divide by the classes for ``F.mse_loss``.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        A scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Kim, Oh, Kim, Cho, Yun 2021, Comparing Kullback-Leibler divergence and mean
    squared error loss in knowledge distillation, IJCAI, arXiv:2105.08919.

    Example:
        >>> import torch
        >>> from didact.losses import mse_logits
        >>> mse_logits(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]])).item()
        5.0
    """
    check_inputs(student_logits, teacher_logits, mask=mask)
    check_reduction(reduction)
    student = in_float(blank_masked(student_logits, mask))
    teacher = savable(teacher_logits, student.dtype)
    if mask is None and reduction != "none":
        total = F.mse_loss(student, teacher, reduction="sum")
        value = total / reduction_divisor(student, reduction)
    else:
        value = reduce((student - teacher).square().sum(-1), reduction, mask)
    raise_if_teacher_not_finite(value, teacher_logits)
    return value
