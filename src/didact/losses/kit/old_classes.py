"""The classes that the old model knows, among those of the grown one."""

from __future__ import annotations

from torch import Tensor

from didact._core.errors import ShapeError
from didact.losses.kit.checks import check_floating, check_tensor


def old_logits(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """The student's logits of the old classes, the first ones of the last dimension.

    Raises:
        DtypeError: Integer logits.
        ShapeError: Different batches, more old classes than classes, or no sample.
    """
    check_old_logits(student_logits, teacher_logits)
    return student_logits[..., : teacher_logits.shape[-1]]


def check_old_logits(student_logits: Tensor, teacher_logits: Tensor) -> None:
    """The checks of :func:`old_logits` alone."""
    if (
        isinstance(student_logits, Tensor)
        and isinstance(teacher_logits, Tensor)
        and student_logits.is_floating_point()
        and teacher_logits.is_floating_point()
        and student_logits.shape[:-1] == teacher_logits.shape[:-1]
        and student_logits.dim() > 1
        and student_logits.numel()
        and 0 < teacher_logits.shape[-1] <= student_logits.shape[-1]
    ):
        return
    check_tensor(student_logits, name="student_logits")
    check_floating(teacher_logits, name="teacher_logits")
    shapes = (
        f"student_logits is {tuple(student_logits.shape)} and teacher_logits is "
        f"{tuple(teacher_logits.shape)}"
    )
    if student_logits.shape[:-1] != teacher_logits.shape[:-1]:
        raise ShapeError(f"{shapes}; expected the same samples for both. Nothing is broadcast.")
    known = teacher_logits.shape[-1]
    if not 0 < known <= student_logits.shape[-1]:
        raise ShapeError(
            f"{shapes}: the old model has {known} classes and the new one "
            f"{student_logits.shape[-1]}; expected at least one old class and no more than the new "
            "model has. Grow the classifier before training, old classes first."
        )
