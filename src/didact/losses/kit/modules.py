"""What the losses with parameters share: layers, and the checks of their inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import RangeError, ShapeError
from didact.losses.kit.maps import check_features


def pointwise(inputs: int, outputs: int, *, bias: bool = False) -> nn.Conv2d:
    """A 1x1 convolution."""
    return nn.Conv2d(inputs, outputs, 1, bias=bias)


def bottleneck(inputs: int, hidden: int, outputs: int) -> list[nn.Module]:
    """1x1, 3x3, 1x1 convolutions; batch norm and ReLU after the first two."""
    return [
        pointwise(inputs, hidden),
        nn.BatchNorm2d(hidden),
        nn.ReLU(),
        nn.Conv2d(hidden, hidden, 3, padding=1, bias=False),
        nn.BatchNorm2d(hidden),
        nn.ReLU(),
        pointwise(hidden, outputs),
    ]


def parameter_dtype(module: nn.Module) -> torch.dtype:
    """The precision that a module computes in: that of its parameters."""
    return next(module.parameters()).dtype


def trainable(*modules: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters of the given modules, one after the other."""
    for module in modules:
        yield from module.parameters()


def check_counts(**counts: int) -> None:
    """Numbers of channels, samples or layers are at least 1.

    Raises:
        RangeError: One is not.
    """
    for name, count in counts.items():
        if count < 1:
            raise RangeError(f"{name} is {count}; expected at least 1")


def check_maps(student: Tensor, teacher: Tensor, *, channels: tuple[int, int]) -> None:
    """Both are ``(batch, channels, height, width)`` with the channels the module was built for.

    Raises:
        DtypeError: Integer features.
        ShapeError: Other channels, other dimensions, different batches, or no sample.
    """
    check_features(student, teacher, alike="batch", least_dim=4)
    for side, tensor, expected in (
        ("student", student, channels[0]),
        ("teacher", teacher, channels[1]),
    ):
        if tensor.dim() != 4 or tensor.shape[1] != expected:
            raise ShapeError(
                f"{side}_features is {tuple(tensor.shape)}; expected (batch, {expected}, height, "
                f"width): the module was built for {expected} channels on this side"
            )


def check_units(student: Tensor, teacher: Tensor, *, dims: tuple[int, int]) -> None:
    """Both are one batch, and have the units that the module was built for, once flattened.

    Raises:
        DtypeError: Integer features.
        ShapeError: Other units, different batches, or no sample.
    """
    check_features(student, teacher, alike="batch")
    for side, tensor, expected in (("student", student, dims[0]), ("teacher", teacher, dims[1])):
        if tensor.shape[1:].numel() != expected:
            raise ShapeError(
                f"{side}_features is {tuple(tensor.shape)}; expected {expected} units for each "
                "sample: the module was built for these"
            )


def check_layers(
    student: Sequence[Tensor],
    teacher: Sequence[Tensor],
    *,
    channels: tuple[Sequence[int], Sequence[int]],
) -> None:
    """Lists of maps, one for each layer that the module was built for, all of one batch.

    Raises:
        DtypeError: Integer features.
        ShapeError: Other layer counts or channels, different batches, or no sample.
    """
    for side, maps, expected in (
        ("student", student, channels[0]),
        ("teacher", teacher, channels[1]),
    ):
        if len(maps) != len(expected):
            raise ShapeError(
                f"{side}_features has {len(maps)} layers; the module was built for {len(expected)}"
            )
        for tensor, count in zip(maps, expected, strict=True):
            check_maps(tensor, teacher[0], channels=(count, channels[1][0]))
    check_maps(student[0], teacher[0], channels=(channels[0][0], channels[1][0]))


def check_can_normalise(features: Tensor, *, training: bool) -> None:
    """Batch norm in training needs more than one value for each channel.

    Raises:
        ShapeError: There is one.
    """
    if training and features.shape[0] * features.shape[2:].numel() < 2:
        raise ShapeError(
            f"student_features is {tuple(features.shape)}: batch norm cannot be trained on one "
            "value for each channel. Use drop_last=True, or call .eval() on the loss"
        )


def same_space(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """The larger of two maps average-pooled to the smaller one's height and width."""
    (height, width), (teacher_height, teacher_width) = student.shape[2:], teacher.shape[2:]
    size = (min(height, teacher_height), min(width, teacher_width))
    return shrunk(student, size), shrunk(teacher, size)


def shrunk(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Average-pooled to a height and width; as it is, where it has them."""
    return maps if tuple(maps.shape[2:]) == size else F.adaptive_avg_pool2d(maps, size)
