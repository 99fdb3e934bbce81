"""The features that a loss compares: which modules are tapped, and the projector between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from didact._core.errors import DidactError, UsageError
from didact.nn import MODELS, Projector, Tap, feature_shapes, find_module, inner_model, tap

Features = Tensor | list[Tensor]
Try = Callable[[Features, Features], object]
TRIED_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class TappedModel:
    """Where features are taken: a model, its name, and the modules that the user named, if any.

    Attributes:
        model: The model.
        name: Under which didact's list has it, if it does.
        layers: Module paths.
        role: ``"student"`` or ``"teacher"``.
        before_relu: Take batch norms where none are named: what they give has not met its ReLU.
    """

    model: nn.Module
    name: str
    layers: tuple[str, ...] | None
    role: str
    before_relu: bool = False

    def stages(self) -> list[str]:
        """Module paths to try, the deepest first.

        Raises:
            UsageError: None was named and the model is not one of didact's own.
        """
        if self.layers is not None:
            return list(reversed(self.layers))
        if self.before_relu:
            return self._batch_norms()
        if self.name in MODELS:
            return list(reversed(MODELS[self.name].feature_paths))
        raise UsageError(
            f"a feature loss needs to know where the {self.role} {self.name} is tapped; "
            f"give --{self.role}-layer with a module path, as in named_modules()"
        )

    def _batch_norms(self) -> list[str]:
        named = inner_model(self.model).named_modules()
        found = [path for path, module in named if isinstance(module, _BatchNorm)]
        if not found:
            raise UsageError(
                f"the {self.role} {self.name} has no batch norm, and this loss takes features "
                f"before the ReLU; name a layer with --{self.role}-layer, or take another loss"
            )
        return list(reversed(found))

    def norm(self, path: str) -> dict[str, Tensor]:
        """Weight and bias of the batch norm at a path.

        Raises:
            UsageError: It is none.
        """
        module = find_module(inner_model(self.model), path)
        if not isinstance(module, _BatchNorm) or module.weight is None:
            raise UsageError(
                f"{path} of the {self.role} is a {type(module).__name__}; this loss takes what a "
                "batch norm with weight and bias gives, before the ReLU"
            )
        return {"norm_weight": module.weight.detach(), "norm_bias": module.bias.detach()}

    def shapes(self, image_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The shape of each stage's output for one image, from a run that changes nothing."""
        return feature_shapes(self.model, self.stages(), image_shape)


class FeaturePair:
    """Taps on both models for one loss.

    Args:
        student: Where the student is tapped.
        teacher: Where the teacher is tapped.
        paths: The modules, in the student and in the teacher.
        projector: Brings the student's features to the teacher's shape; a ``ModuleList`` with one
            for each module where there are several.
        several: Whether the loss takes lists of features.
    """

    def __init__(
        self,
        student: TappedModel,
        teacher: TappedModel,
        paths: tuple[Sequence[str], Sequence[str]],
        projector: nn.Module | None = None,
        *,
        several: bool = False,
    ) -> None:
        self.projector = projector
        self._several = several
        self._student_taps = [tap(student.model, path) for path in paths[0]]
        self.teacher_paths = tuple(paths[1])
        self._teacher_taps = [tap(teacher.model, path) for path in paths[1]]

    def pair(self) -> tuple[Features, Features]:
        """The features of the last forward of both, the student's projected."""
        if self._several:
            own, wanted = _values(self._student_taps), _values(self._teacher_taps)
            if isinstance(self.projector, nn.ModuleList):
                own = [project(one) for project, one in zip(self.projector, own, strict=True)]
            return own, wanted
        student_features = _value(self._student_taps[0])
        if self.projector is not None:
            student_features = self.projector(student_features)
        return student_features, _value(self._teacher_taps[0])

    def remove(self) -> None:
        """Take the taps off both models."""
        for one in (*self._student_taps, *self._teacher_taps):
            one.remove()


def one_pair(
    student: TappedModel,
    teacher: TappedModel,
    image_shape: tuple[int, ...],
    attempt: Try,
    loss: str,
) -> FeaturePair:
    """The deepest pair of stages that the loss takes, with a projector where it needs one.

    Raises:
        UsageError: The loss takes the features of no pair of stages.
    """
    own, wanted = student.shapes(image_shape), teacher.shapes(image_shape)
    reason: Exception | None = None
    for student_path, teacher_path in zip(own, wanted, strict=False):
        shapes = own[student_path], wanted[teacher_path]
        for projected in (shapes[0], shapes[1]):
            try:
                attempt(_random(projected), _random(shapes[1]))
            except (DidactError, RuntimeError, TypeError, ValueError, IndexError) as error:
                reason = error
                continue
            projector = None
            if projected != shapes[0]:
                device = next(student.model.parameters()).device
                projector = Projector(*shapes).to(device)
            return FeaturePair(student, teacher, ([student_path], [teacher_path]), projector)
    raise UsageError(
        f"loss {loss!r} takes the features of none of {', '.join(own)} (student) with "
        f"{', '.join(wanted)} (teacher): {reason}. Name others with --student-layer and "
        "--teacher-layer"
    ) from reason


def all_maps(place: TappedModel, image_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The stages that give feature maps, from the first to the last, with their shapes."""
    found = place.shapes(image_shape)
    maps = {path: found[path] for path in reversed(list(found)) if len(found[path]) == 4}
    if not maps:
        raise UsageError(
            f"the {place.role} {place.name} has no feature maps, which this loss compares; "
            "take a convolutional network"
        )
    return maps


def _values(taps: Sequence[Tap]) -> list[Tensor]:
    return [_value(one) for one in taps]


def _value(tapped: Tap) -> Tensor:
    """In float32, as projectors and losses compute, whatever the networks do."""
    value = tapped.value
    return value.float() if value.is_floating_point() else value


def _random(shape: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(TRIED_SAMPLES, *shape[1:], generator=generator, requires_grad=True)
