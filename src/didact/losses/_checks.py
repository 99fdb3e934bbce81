"""The checks that every loss makes once: silent broadcasting is the commonest wrong result."""

from __future__ import annotations

import torch
from torch import Tensor

from didact._core.errors import DtypeError, RangeError, ShapeError


def check_pair(student: Tensor, teacher: Tensor, *, what: str = "logits") -> None:
    """Both tensors are floating point, of one shape, with at least one sample.

    Raises:
        DtypeError: A tensor of integers.
        ShapeError: Different shapes, fewer than two dimensions, or no samples.
    """
    for side, tensor in (("student", student), ("teacher", teacher)):
        if not tensor.is_floating_point():
            raise DtypeError(
                f"{side}_{what} is {tensor.dtype}; expected floating-point {what}. "
                "Pass the network's output, not class numbers."
            )
    if student.shape != teacher.shape:
        raise ShapeError(_mismatch(student, teacher, what))
    if student.dim() < 2:
        raise ShapeError(
            f"student_{what} is {tuple(student.shape)}; expected (..., samples, classes). "
            "Add a batch dimension with unsqueeze(0)."
        )
    if student.numel() == 0:
        raise ShapeError(f"student_{what} is {tuple(student.shape)}: there is nothing to compare")


def _mismatch(student: Tensor, teacher: Tensor, what: str) -> str:
    shapes = (
        f"student_{what} is {tuple(student.shape)} and teacher_{what} is {tuple(teacher.shape)}"
    )
    if student.dim() > 1 and student.shape[:-1] == teacher.shape[:-1] and what == "logits":
        known, seen = teacher.shape[-1], student.shape[-1]
        if known < seen:
            return (
                f"{shapes}: the teacher knows {known} classes; "
                f"pass student_logits[..., :{known}] to compare the classes both know"
            )
        return (
            f"{shapes}: the student knows {seen} classes; "
            f"pass teacher_logits[..., :{seen}] to compare the classes both know"
        )
    return f"{shapes}; expected one shape for both"


def check_temperature(temperature: float | Tensor) -> None:
    """A temperature is positive. A tensor's values are not looked at: that would stop a GPU.

    Raises:
        RangeError: A number that is not above 0.
    """
    if not isinstance(temperature, Tensor) and not temperature > 0:
        raise RangeError(f"temperature is {temperature}; expected a number above 0 (4 is usual)")


def check_weight(weight: float, *, name: str) -> None:
    """A convex weight lies in [0, 1].

    Raises:
        RangeError: It does not.
    """
    if not 0 <= weight <= 1:
        raise RangeError(f"{name} is {weight}; expected a number from 0 to 1")


def check_mask(mask: Tensor | None, shape: torch.Size) -> None:
    """A mask is boolean and has one entry for each position.

    Raises:
        DtypeError: Not boolean.
        ShapeError: Another shape than the positions.
    """
    if mask is None:
        return
    if mask.dtype != torch.bool:
        raise DtypeError(f"mask is {mask.dtype}; expected bool, True where a position counts")
    if mask.shape != shape:
        raise ShapeError(
            f"mask is {tuple(mask.shape)}; expected {tuple(shape)}, one entry for each position"
        )
