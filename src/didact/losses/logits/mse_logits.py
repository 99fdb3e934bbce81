"""Ba and Caruana 2014; Kim et al. 2021: regression of the logits."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from didact.losses.fast.fused import can_fuse
from didact.losses.fast.gradient_node import with_gradient
from didact.losses.fast.small import SMALL
from didact.losses.kit.pair import blank_masked, check_inputs
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import (
    Reduction,
    check_reduction,
    is_finite,
    name_not_finite,
    reduce,
    summed_over,
)
from didact.losses.kit.registry import card

_SUM = 2  # PyTorch's number of the reduction, which its type stubs take for a word


@card(
    family="logits",
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
    if mask is None and reduction != "none" and can_fuse(student_logits, (teacher_logits,)):
        value = _squares(student_logits, in_float(teacher_logits.detach()), reduction)
        if not is_finite(value):
            name_not_finite(teacher_logits)
        return value
    student, teacher = in_float(blank_masked(student_logits, mask)), in_float(teacher_logits)
    per_sample = (student - teacher.detach()).square().sum(-1)
    return reduce(per_sample, reduction, mask, teacher=teacher_logits)


def _squares(student_logits: Tensor, teacher: Tensor, reduction: Reduction) -> Tensor:
    factor = 1 / summed_over(student_logits, reduction)
    if 2 * student_logits.numel() <= SMALL:
        return _plain_squares(student_logits, teacher) * factor

    def make(student: Tensor) -> tuple[Tensor, Tensor, float]:
        gap = in_float(student) - teacher
        flat = gap.view(-1)
        return flat.dot(flat).mul_(factor), gap, 2 * factor

    return with_gradient(
        student_logits, make, lambda student: _plain_squares(student, teacher) * factor
    )


def _plain_squares(student: Tensor, teacher: Tensor) -> Tensor:
    """``F.mse_loss`` without its broadcasting, which takes a tenth of a small step."""
    return torch._C._nn.mse_loss(in_float(student), teacher, _SUM)  # type: ignore[arg-type]
