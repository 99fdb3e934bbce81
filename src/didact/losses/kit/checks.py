"""The checks that every loss makes once: silent broadcasting is the commonest wrong result."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import torch
from torch import Tensor

from didact._core.errors import DtypeError, RangeError, ShapeError
from didact.losses.kit.precision import values_can_be_read


def check_pair(student: Tensor, teacher: Tensor, *, what: str = "logits") -> None:
    """Both tensors are floating point, of one shape, with at least one sample.

    Raises:
        DtypeError: A tensor of integers.
        ShapeError: Different shapes, fewer than two dimensions, or no samples.
    """
    if (
        isinstance(student, Tensor)
        and isinstance(teacher, Tensor)
        and student.shape == teacher.shape
        and student.dim() > 1
        and student.numel()
        and student.is_floating_point()
        and teacher.is_floating_point()
    ):
        return
    check_tensor(student, name=f"student_{what}")
    check_floating(teacher, name=f"teacher_{what}")
    if student.shape != teacher.shape:
        raise ShapeError(_mismatch(student, teacher, what))


def check_tensor(tensor: Tensor, *, name: str) -> None:
    """The tensor is floating point, ``(..., samples, classes)``, with at least one sample.

    Raises:
        DtypeError: A tensor of integers.
        ShapeError: Fewer than two dimensions, or no samples.
    """
    check_floating(tensor, name=name)
    if tensor.dim() < 2:
        raise ShapeError(
            f"{name} is {tuple(tensor.shape)}; expected (..., samples, classes). "
            "Add a batch dimension with unsqueeze(0)."
        )
    if tensor.numel() == 0:
        raise ShapeError(
            f"{name} is {tuple(tensor.shape)}, an empty batch; expected at least one sample and "
            "one class. Skip the step when nothing is left of a batch."
        )


def check_is_tensor(value: object, *, name: str) -> None:
    """It is a tensor, not what a network may put around it.

    Raises:
        DtypeError: It is not.
    """
    if isinstance(value, Tensor):
        return
    if isinstance(getattr(value, "logits", None), Tensor):
        advice = "Pass its .logits"
    elif isinstance(value, Mapping):
        held = ", ".join(map(repr, value)) or "nothing"
        advice = f"Pass one of its entries, such as output['logits']; it holds {held}"
    elif isinstance(value, (tuple, list)):
        advice = "Pass one of its entries, such as output[0]"
    else:
        advice = "Pass the network's output, such as output.logits of a transformers model"
    raise DtypeError(f"{name} is {type(value).__name__}; expected a tensor. {advice}.")


def check_floating(tensor: Tensor, *, name: str) -> None:
    """It is a tensor, of floating-point numbers.

    Raises:
        DtypeError: It is not.
    """
    check_is_tensor(tensor, name=name)
    if not tensor.is_floating_point():
        raise DtypeError(
            f"{name} is {tensor.dtype}; expected floating-point numbers. "
            "Pass the network's output, not class numbers."
        )


def _mismatch(student: Tensor, teacher: Tensor, what: str) -> str:
    shapes = (
        f"student_{what} is {tuple(student.shape)} and teacher_{what} is {tuple(teacher.shape)}"
    )
    if what != "logits" or student.shape[:-1] != teacher.shape[:-1] or not teacher.dim():
        return f"{shapes}; expected one shape for both. Nothing is broadcast."
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


def check_temperature(temperature: float | Tensor) -> None:
    """A temperature is positive. A tensor's values are not looked at: that would stop a GPU.

    Raises:
        RangeError: A number that is not above 0.
    """
    if not isinstance(temperature, Tensor) and not _is_positive(temperature):
        raise RangeError(f"temperature is {temperature}; expected a number above 0 (4 is usual)")


def _is_positive(value: float) -> bool:
    """Whether it is a number above 0 that a float can hold; a text and None are none."""
    try:
        return 0 < value <= sys.float_info.max
    except TypeError:
        return False


def check_weight(weight: float, *, name: str) -> None:
    """A convex weight lies in [0, 1].

    Raises:
        RangeError: It does not.
    """
    if not 0 <= weight <= 1:
        raise RangeError(f"{name} is {weight}; expected a number from 0 to 1")


def check_positive(value: float, *, name: str) -> None:
    """A factor is a finite number that is not negative.

    Raises:
        RangeError: It is negative, infinite or NaN.
    """
    if not 0 <= value < float("inf"):
        raise RangeError(f"{name} is {value}; expected a number from 0 up")


def check_mask(mask: Tensor | None, shape: torch.Size) -> None:
    """A mask is boolean and has one entry for each position.

    Raises:
        DtypeError: Not boolean.
        ShapeError: Another shape than the positions.
    """
    if mask is None:
        return
    if not isinstance(mask, Tensor):
        raise DtypeError(
            f"mask is {type(mask).__name__}; expected a boolean tensor, True where a position "
            "counts"
        )
    if mask.dtype != torch.bool:
        raise DtypeError(
            f"mask is {mask.dtype}; expected bool, True where a position counts. "
            "Pass attention_mask.bool() if it is a mask of 0 and 1."
        )
    if mask.shape != shape:
        raise ShapeError(
            f"mask is {tuple(mask.shape)}; expected {tuple(shape)}, one entry for each position"
        )


def both(mask: Tensor | None, known: Tensor) -> Tensor:
    """Where a mask and a second one say that a position counts."""
    return known if mask is None else mask & known


def check_label_kind(
    labels: Tensor, shape: torch.Size, *, name: str = "labels", of: str = "class"
) -> None:
    """Labels are whole numbers, one for each position; which numbers is not looked at.

    Raises:
        DtypeError: Not int64.
        ShapeError: Another shape than the positions.
    """
    if labels.dtype != torch.int64:
        raise DtypeError(f"{name} is {labels.dtype}; expected int64 {of} numbers, {name}.long()")
    if labels.shape != shape:
        raise ShapeError(
            f"{name} is {tuple(labels.shape)}; expected {tuple(shape)}, one {of} number for each "
            f"position (not one-hot){_where_classes_may_be(labels, shape)}"
        )


def _where_classes_may_be(labels: Tensor, shape: torch.Size) -> str:
    """What to do where labels ``(batch, height, width)`` meet maps ``(batch, classes, ...)``."""
    if labels.dim() == len(shape) > 1 and labels.shape[:-1] == shape[:1] + shape[2:]:
        return ". If the classes are dimension 1 of the logits, pass logits.movedim(1, -1)"
    return ""


def check_labels(
    labels: Tensor,
    shape: torch.Size,
    *,
    classes: int,
    ignore_index: int | None = None,
    name: str = "labels",
    of: str = "class",
) -> bool:
    """Labels are class numbers, one for each position. Their range is looked at on the CPU only.

    Returns:
        Whether it was seen that no position is without a label.

    Raises:
        DtypeError: Not int64.
        ShapeError: Another shape than the positions.
        RangeError: A label below 0 or not below ``classes``, unless it is ``ignore_index``.
    """
    check_label_kind(labels, shape, name=name, of=of)
    if not values_can_be_read(labels):
        return False
    low, high = (int(bound) for bound in torch.aminmax(labels))
    if low >= 0 and high < classes:
        return True
    wrong = (labels < 0) | (labels >= classes)
    if ignore_index is not None:
        wrong &= labels != ignore_index
    if bool(wrong.any()):
        raise RangeError(
            f"{name} holds {int(labels[wrong][0])}; expected {of} numbers from 0 to {classes - 1}"
            + ("" if ignore_index is None else f", or {ignore_index} for 'no label'")
        )
    return False
