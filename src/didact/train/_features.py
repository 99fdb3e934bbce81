"""The features that a feature loss compares: one module of the student, one of the teacher."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from didact._core.errors import ShapeError, UsageError
from didact.data import Data
from didact.nn import MODELS, Projector, feature_shapes, tap
from didact.train._losses import needs_features
from didact.train._objective import DistillationTerm
from didact.train._settings import DistillSettings


class FeaturePair:
    """Taps on both models, and a projector where a loss needs equal shapes.

    Args:
        student: The student, not wrapped.
        teacher: The teacher.
        paths: Module paths in the student and in the teacher.
        terms: The losses; those on features are tried once on random features.
        data: What the models are trained on.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module,
        paths: tuple[str, str],
        terms: Sequence[DistillationTerm],
        data: Data,
    ) -> None:
        shapes = (
            feature_shapes(student, [paths[0]], data.image_shape)[paths[0]],
            feature_shapes(teacher, [paths[1]], data.image_shape)[paths[1]],
        )
        self.projector: nn.Module | None = None
        if any(not _takes(term, shapes) for term in terms):
            device = next(student.parameters()).device
            self.projector = Projector(*shapes).to(device)
        self._student_tap = tap(student, paths[0])
        self._teacher_tap = tap(teacher, paths[1])

    def pair(self) -> tuple[Tensor, Tensor]:
        """The features of the last forward of both, the student's projected."""
        student_features = self._student_tap.value
        if self.projector is not None:
            student_features = self.projector(student_features)
        return student_features, self._teacher_tap.value

    def remove(self) -> None:
        """Take the taps off both models."""
        self._student_tap.remove()
        self._teacher_tap.remove()


def feature_path(layer: str | None, model_name: str, *, role: str) -> str:
    """The module to tap: the one that was asked for, else the model's penultimate feature.

    Raises:
        UsageError: None was asked for and the model is not one of didact's own.
    """
    if layer is not None:
        return layer
    if model_name in MODELS:
        return MODELS[model_name].embedding
    raise UsageError(
        f"a feature loss needs to know where the {role} {model_name} is tapped; "
        f"give --{role}-layer with a module path, as in named_modules()"
    )


def features_of(
    student: nn.Module,
    teacher: nn.Module,
    terms: Sequence[DistillationTerm],
    settings: DistillSettings,
    names: tuple[str, str],
    data: Data,
) -> FeaturePair | None:
    """The taps that the losses need, or None where no loss looks at features."""
    if not needs_features(terms):
        return None
    student_name, teacher_name = names
    paths = (
        feature_path(settings.student_layer, student_name, role="student"),
        feature_path(settings.teacher_layer, teacher_name, role="teacher"),
    )
    return FeaturePair(student, teacher, paths, terms, data)


def _takes(term: DistillationTerm, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> bool:
    """Whether a feature loss compares features of these shapes as they are."""
    wanted = {"student_features", "teacher_features"}
    if not wanted <= set(term.inputs) or shapes[0] == shapes[1]:
        return True
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.rand(4, *shape[1:], generator=generator) for shape in shapes)
    arguments = {term.inputs["student_features"]: student, term.inputs["teacher_features"]: teacher}
    try:
        term.function(**arguments, **term.options)
    except ShapeError:
        return False
    except (TypeError, IndexError):
        return True  # it needs more than features; it is tried on the first batch
    return True
