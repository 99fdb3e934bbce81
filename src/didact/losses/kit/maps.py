"""What the losses on features share: one check, one precision, and products that stay in it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from didact._core.errors import ShapeError
from didact.losses.kit.checks import check_floating
from didact.losses.kit.precision import full_precision, in_float
from didact.losses.kit.reduce import raise_if_teacher_not_finite

Alike = Literal["shape", "space", "channels", "batch"]
_FEW = 1 << 16


def feature_pair(
    student: Tensor, teacher: Tensor, *, alike: Alike = "shape", least_dim: int = 2
) -> tuple[Tensor, Tensor]:
    """Check both sides; give them back in float32 or float64, the teacher detached.

    Args:
        student: ``(batch, ...)``.
        teacher: ``(batch, ...)``.
        alike: What both must share: the whole ``"shape"``; batch and ``"space"``; batch and
            ``"channels"``; the ``"batch"`` alone.
        least_dim: The least number of dimensions.

    Raises:
        DtypeError: A tensor of integers.
        ShapeError: The shapes do not fit together, or there is nothing to compare.
    """
    check_features(student, teacher, alike=alike, least_dim=least_dim)
    student, teacher = in_float(student), in_float(teacher.detach())
    if student.dtype == teacher.dtype:
        return student, teacher
    dtype = torch.promote_types(student.dtype, teacher.dtype)
    return student.to(dtype), teacher.to(dtype)


def check_features(
    student: Tensor, teacher: Tensor, *, alike: Alike = "shape", least_dim: int = 2
) -> None:
    """The checks of :func:`feature_pair`, without the conversion."""
    if (
        isinstance(student, Tensor)
        and isinstance(teacher, Tensor)
        and student.is_floating_point()
        and teacher.is_floating_point()
        and least_dim <= min(student.dim(), teacher.dim())
        and _fits(student, teacher, alike)
        and student.numel()
        and teacher.numel()
    ):
        return
    for side, tensor in (("student", student), ("teacher", teacher)):
        check_floating(tensor, name=f"{side}_features")
        if tensor.dim() < least_dim:
            raise ShapeError(
                f"{side}_features is {tuple(tensor.shape)}; expected at least {least_dim} "
                f"dimensions: {_layout(least_dim)}"
            )
        if tensor.numel() == 0:
            raise ShapeError(
                f"{side}_features is {tuple(tensor.shape)}, an empty batch; expected at "
                "least one sample. Skip the step when nothing is left of a batch."
            )
    if not _fits(student, teacher, alike):
        raise ShapeError(
            f"student_features is {tuple(student.shape)} and teacher_features is "
            f"{tuple(teacher.shape)}; {_advice(alike)}"
        )


def _layout(least_dim: int) -> str:
    return "(batch, channels, height, width)" if least_dim > 2 else "(batch, ...)"


def _fits(student: Tensor, teacher: Tensor, alike: Alike) -> bool:
    if alike == "shape":
        return student.shape == teacher.shape
    if alike == "space":
        return student.shape[:1] == teacher.shape[:1] and student.shape[2:] == teacher.shape[2:]
    known = 2 if alike == "channels" else 1
    return student.shape[:known] == teacher.shape[:known]


def _advice(alike: Alike) -> str:
    return {
        "shape": "expected one shape for both. Bring the student's to the teacher's with a "
        "projector (a 1x1 convolution or a linear layer), or pool the larger map",
        "space": "expected one batch and one height and width for both; the channels may differ. "
        "Pool the larger map with torch.nn.functional.adaptive_avg_pool2d",
        "channels": "expected one batch and one number of channels for both; height and width may "
        "differ. Bring the student's channels to the teacher's with a 1x1 convolution",
        "batch": "expected the same samples on both sides: one batch size",
    }[alike]


def checked_value(value: Tensor, teacher: Tensor) -> Tensor:
    """The value, unless it is not finite because the teacher's features are not.

    Raises:
        NonFiniteError: That.
    """
    raise_if_teacher_not_finite(value, teacher, name="teacher_features")
    return value


def product(left: Tensor, right: Tensor) -> Tensor:
    """``left @ right`` in the precision of its arguments, also under autocast."""
    with full_precision(left):
        return left @ right


def unit(vectors: Tensor, dim: int = -1) -> Tensor:
    """Vectors scaled to Euclidean length 1; a zero vector stays zero and gets no gradient."""
    length = torch.linalg.vector_norm(vectors, dim=dim, keepdim=True)
    zero = length == 0
    inverse: Tensor = length.masked_fill(zero, 1.0).reciprocal().masked_fill(zero, 0.0)
    return vectors * inverse


def directions(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`unit` over the last dimension, and the inverse lengths; not to be differentiated."""
    inverse = inverse_length(vectors)
    return vectors * inverse, inverse


def inverse_length(vectors: Tensor) -> Tensor:
    """``1 / length`` over the last dimension; 0 of a zero vector; not to be differentiated."""
    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    inverse: Tensor = length.reciprocal().masked_fill_(length == 0, 0.0)
    return inverse


def through_directions(slope: Tensor, found: Tensor, inverse: Tensor) -> Tensor:
    """From the slope in :func:`directions` to that in the vectors; overwrites the former."""
    along = torch.linalg.vecdot(slope, found).unsqueeze(-1)
    return slope.addcmul_(found, along, value=-1).mul_(inverse)


def half_squares(difference: Tensor) -> Tensor:
    """Half the squared length of each sample, ``(batch,)``; not to be differentiated."""
    if difference.numel() <= _FEW:  # fewer operations; of more numbers, fewer passes
        return difference.flatten(1).square().sum(1).mul_(0.5)
    length: Tensor = torch.linalg.vector_norm(difference.flatten(1), dim=1)
    return length.square_().mul_(0.5)


def safe_sqrt(squared: Tensor) -> Tensor:
    """Square root whose gradient at 0 is 0, not infinity."""
    zero = squared == 0
    return squared.masked_fill(zero, 1.0).sqrt().masked_fill(zero, 0.0)
