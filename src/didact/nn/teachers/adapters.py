"""Projectors: from the student's features to the shape of the teacher's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import ModelError, ShapeError, UsageError
from didact.nn.inspection.dry_run import ImageShape, dry_run
from didact.nn.teachers.taps import taps

ProjectorKind = Literal["linear", "conv", "mlp"]


def feature_shapes(
    model: nn.Module, paths: Sequence[str], example: Tensor | ImageShape
) -> dict[str, tuple[int, ...]]:
    """The shapes of features, from one run that leaves the model as it was.

    The run is in eval mode without gradients; training flags, buffers and random state are the
    same afterwards.

    Args:
        model: The model.
        paths: Modules, as for :func:`didact.nn.tap`.
        example: A batch for the model, or ``(channels, height, width)`` for one blank image.

    Returns:
        For each path the shape of its output, batch dimension first.

    Raises:
        UnknownNameError: The model has no such module.
        ModelError: The model does not take such images, or does not reach a module.

    Example:
        >>> from didact.nn import build_model, feature_shapes
        >>> model = build_model("resnet8", image_shape=(3, 32, 32), num_classes=10)
        >>> feature_shapes(model, ["layer2", "embedding"], (3, 32, 32))
        {'layer2': (1, 32, 16, 16), 'embedding': (1, 64)}
    """
    with taps(model, paths) as features:
        dry_run(model, example)
        return {path: tuple(feature.shape) for path, feature in features.items()}


class Projector(nn.Module):
    """Maps the student's feature to the teacher's shape; trains with the student.

    ``(batch, channels, h, w)`` goes through 1x1 convolutions, ``(batch, ..., channels)`` through
    linear layers; a feature map is averaged to the teacher's height and width where it is larger
    and interpolated where it is smaller.

    Args:
        student_shape: The student's feature with its batch dimension.
        teacher_shape: The teacher's, with as many dimensions.
        kind: ``"linear"`` or ``"conv"``: one layer. ``"mlp"``: two with ReLU between them.

    Raises:
        ShapeError: The shapes have different numbers of dimensions, or fewer than two, or of
            positions that are no feature map's.
        UsageError: ``kind`` is none of the three, or does not fit the shape.

    Paper: Romero et al. 2015, arXiv:1412.6550, section 2.2 (the regressor).

    Example:
        >>> import torch
        >>> from didact.nn import Projector
        >>> project = Projector((1, 16, 8, 8), (1, 64, 4, 4), kind="conv")
        >>> project(torch.zeros(2, 16, 8, 8)).shape
        torch.Size([2, 64, 4, 4])
    """

    def __init__(
        self,
        student_shape: Sequence[int],
        teacher_shape: Sequence[int],
        *,
        kind: ProjectorKind | None = None,
    ) -> None:
        super().__init__()
        student, teacher = tuple(student_shape), tuple(teacher_shape)
        if len(student) != len(teacher) or len(student) < 2:
            raise ShapeError(
                f"the student's feature is {student} and the teacher's {teacher}; expected two "
                "feature maps or two vectors: pool one of them, or tap another module"
            )
        self.is_map = len(student) == 4
        if not self.is_map and student[1:-1] != teacher[1:-1]:
            raise ShapeError(
                f"the student's feature is {student} and the teacher's {teacher}, as (batch, "
                "positions, channels); expected as many positions: bring them to one number "
                "first, or pool them"
            )
        if min(*student[1:], *teacher[1:]) < 1:
            raise ShapeError(
                f"the student's feature is {student} and the teacher's {teacher}; expected no "
                "dimension of size 0"
            )
        chosen = _kind(kind, is_map=self.is_map)
        channel = 1 if self.is_map else -1
        self.layers = _layers(student[channel], teacher[channel], chosen, is_map=self.is_map)
        self.side = (teacher[2], teacher[3]) if self.is_map else None

    def forward(self, student_features: Tensor) -> Tensor:
        """The student's features in the teacher's shape."""
        features: Tensor = self.layers(student_features)
        if self.side is None or tuple(features.shape[2:]) == self.side:
            return features
        if math.prod(features.shape[2:]) > math.prod(self.side):
            return F.adaptive_avg_pool2d(features, self.side)
        return F.interpolate(features, size=self.side, mode="bilinear", align_corners=False)


def _kind(kind: ProjectorKind | None, *, is_map: bool) -> ProjectorKind:
    if kind is None:
        return "conv" if is_map else "linear"
    if kind not in get_args(ProjectorKind):
        raise UsageError(f"kind is {kind!r}; expected 'linear', 'conv' or 'mlp'")
    if (kind == "conv") is not is_map and kind != "mlp":
        shape = "feature maps (batch, channels, h, w)" if is_map else "vectors (batch, channels)"
        raise UsageError(f"kind is {kind!r} and the features are {shape}; expected another kind")
    return kind


def _layers(inputs: int, outputs: int, kind: ProjectorKind, *, is_map: bool) -> nn.Sequential:
    widths = [inputs, outputs, outputs] if kind == "mlp" else [inputs, outputs]
    layers: list[nn.Module] = []
    for left, right in pairwise(widths):
        layers.append(nn.Conv2d(left, right, 1) if is_map else nn.Linear(left, right))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers[:-1])


def projectors(
    student: nn.Module,
    teacher: nn.Module,
    pairs: Sequence[tuple[str, str]],
    example: Tensor | ImageShape,
    *,
    kind: ProjectorKind | None = None,
) -> nn.ModuleList:
    """One projector for each pair of modules, sized by a run that disturbs neither model.

    Args:
        student: The student.
        teacher: The teacher.
        pairs: ``(path in the student, path in the teacher)``.
        example: A batch, or ``(channels, height, width)``.
        kind: As for :class:`Projector`.

    Raises:
        ModelError: There is no pair, or a model does not take such images.
        UnknownNameError: A model has no such module.

    Example:
        >>> from didact.nn import build_model, projectors
        >>> student = build_model("resnet8", image_shape=(3, 32, 32), num_classes=10)
        >>> teacher = build_model("resnet8x4", image_shape=(3, 32, 32), num_classes=10)
        >>> projectors(student, teacher, [("layer3", "layer3")], (3, 32, 32))[0].layers[0]
        Conv2d(64, 256, kernel_size=(1, 1), stride=(1, 1))
    """
    if len(pairs) == 0:
        raise ModelError("there is no pair of modules; give at least one (student, teacher) path")
    own = feature_shapes(student, list(dict.fromkeys(s for s, _ in pairs)), example)
    wanted = feature_shapes(teacher, list(dict.fromkeys(t for _, t in pairs)), example)
    return nn.ModuleList(Projector(own[s], wanted[t], kind=kind) for s, t in pairs)
