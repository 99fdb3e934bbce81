"""Several teachers at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

from torch import Tensor, nn

from didact._core.errors import ModelError, RangeError, ShapeError, UsageError
from didact.nn.inspection.dry_run import output_shape
from didact.nn.teachers.teacher import Frozen, Teacher


class Teachers(Frozen):
    """Several teachers with weights; called on a batch, it gives the list of their logits.

    Args:
        models: At least one model; each that is not a :class:`Teacher` yet becomes one.
        weights: One positive number for each teacher; they are divided by their sum. Without
            them every teacher counts the same.

    Attributes:
        weights: The weights, positive, of sum 1.

    Raises:
        ModelError: There is no teacher.
        UsageError: There are more or fewer weights than teachers.
        RangeError: A weight is not a positive finite number.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from didact.nn import Teachers
        >>> teachers = Teachers([nn.Linear(4, 3), nn.Linear(4, 3)], weights=[3, 1])
        >>> teachers.weights, [tuple(logits.shape) for logits in teachers(torch.zeros(2, 4))]
        ((0.75, 0.25), [(2, 3), (2, 3)])
    """

    def __init__(self, models: Sequence[nn.Module], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        if len(models) == 0:
            raise ModelError("Teachers([]) has no teacher; give at least one model")
        self.teachers = nn.ModuleList(
            model if isinstance(model, Teacher) else Teacher(model) for model in models
        )
        self.weights = _normalised(weights, len(models))

    def __len__(self) -> int:
        return len(self.teachers)

    def __iter__(self) -> Iterator[Teacher]:
        return (cast("Teacher", teacher) for teacher in self.teachers)

    def __getitem__(self, index: int) -> Teacher:
        return cast("Teacher", self.teachers[index])

    def forward(self, *args: Any, **kwargs: Any) -> list[Tensor]:
        """The logits of every teacher, in order, each ``(batch, classes)``.

        Raises:
            ShapeError: The teachers do not give the same shape.
        """
        teachers_logits: list[Tensor] = [teacher(*args, **kwargs) for teacher in self.teachers]
        shapes = [tuple(logits.shape) for logits in teachers_logits]
        if len(set(shapes)) > 1:
            raise ShapeError(
                f"the teachers' logits have the shapes {', '.join(map(str, shapes))}; "
                "expected one shape: they must know the same classes"
            )
        return teachers_logits


def _normalised(weights: Sequence[float] | None, count: int) -> tuple[float, ...]:
    if weights is None:
        return (1.0 / count,) * count
    if len(weights) != count:
        raise UsageError(f"got {len(weights)} weights for {count} teachers; give one for each")
    for weight in weights:
        if not (math.isfinite(weight) and weight > 0):
            raise RangeError(f"a teacher's weight is {weight}; expected a finite number above 0")
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def check_same_classes(
    student: nn.Module, *teachers: nn.Module, image_shape: tuple[int, ...]
) -> int:
    """Refuse teachers that do not fit the student; the models are left undisturbed.

    Args:
        student: The student.
        teachers: Teachers, each a model, a :class:`Teacher` or a :class:`Teachers`.
        image_shape: ``(channels, height, width)`` of the images both will see.

    Returns:
        The number of classes they share.

    Raises:
        ModelError: A model does not take such images, or a teacher's classes are not as many as
            the student's.
    """
    classes = output_shape(student, image_shape, what="the student")[-1]
    single = [t for group in teachers for t in (group if isinstance(group, Teachers) else [group])]
    for number, teacher in enumerate(single, start=1):
        what = "the teacher" if len(single) == 1 else f"teacher {number} of {len(single)}"
        known = output_shape(teacher, image_shape, what=what)[-1]
        if known != classes:
            raise ModelError(
                f"{what} knows {known} classes and the student {classes}; expected the same "
                "classes in both: choose a teacher trained on the student's data"
            )
    return classes
