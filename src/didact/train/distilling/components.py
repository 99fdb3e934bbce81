"""From settings and objects to the components of a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from didact._core.errors import DidactError, UsageError
from didact.data import Data
from didact.nn import Teacher
from didact.train.distilling.build_losses import build_losses
from didact.train.distilling.examine import examine
from didact.train.distilling.losses import LossLike, choose_losses
from didact.train.distilling.objective import StepOutputs
from didact.train.distilling.seed_run import Components, loss_context_of, objective_of
from didact.train.distilling.settings import AUTO, DistillSettings
from didact.train.loop.data import DataReader, data_of
from didact.train.loop.evaluate import cached_logits
from didact.train.loop.models import ModelLike, ModelSource, checked, find_model

REHEARSED_SAMPLES = 8

T = TypeVar("T")
LossEntry = LossLike | tuple[LossLike, float]


@dataclass(frozen=True)
class UserInputs:
    """What the user gave, names or objects; it can be sent to another process if they can."""

    student: ModelLike
    teachers: Sequence[ModelLike]
    losses: Sequence[LossEntry]
    data: DataReader

    @classmethod
    def named(cls, chosen: DistillSettings) -> UserInputs:
        """Where everything has a name, the settings are enough."""
        return cls(chosen.student, chosen.teacher, list(chosen.loss), DataReader(chosen.data))


def build_components(chosen: DistillSettings, given: UserInputs) -> Components:
    """Find what the settings name; the objects are those that were given instead of names.

    Raises:
        DidactError: A name, file or loss that cannot be used.
    """
    wanted = given.teachers if {"teacher", "distilled"} & set(chosen.arms) else ()
    weights = chosen.teacher_weights or (1.0,) * len(wanted)
    return Components(
        load_data=partial(data_of, chosen, given.data),
        student=find_model(given.student, role="student"),
        teachers=[
            _as_told(find_model(one, role="teacher"), chosen, number)
            for number, one in enumerate(wanted)
        ],
        teacher_weights=[weight / sum(weights) for weight in weights],
        losses=choose_losses(given.losses, chosen.loss_options),
    )


def _as_told(source: ModelSource, chosen: DistillSettings, number: int) -> ModelSource:
    """A teacher with the inputs that the settings give it."""
    text = _one_of(chosen.teacher_normalise, number)
    size = _one_of(chosen.teacher_input_size or (source.input_size,), number)
    normalise = source.normalise if text == AUTO else text
    if text == AUTO and not source.trained:
        normalise = "data"  # it is trained here
    return replace(source, normalise=normalise, input_size=size)


def _one_of(values: Sequence[T], number: int) -> T:
    return values[number] if len(values) > 1 else values[0]


def try_components(
    components: Components, chosen: DistillSettings
) -> tuple[DistillSettings, list[str]]:
    """Find out what cannot work before a folder is made and time is spent.

    Returns:
        The settings with every teacher's normalisation, and what is to be said of the teachers.

    Raises:
        DidactError: Data that cannot be read, models that do not fit it, a teacher that knows
            nothing of it.
    """
    data = components.load_data(chosen.seeds[0])
    if not len(data.validation):
        raise UsageError(f"{data.name} has no validation split; give --validation 0.1")
    components, notes = examine(components, data, chosen)
    teachers = [Teacher(checked(source, data, role="teacher")) for source in components.teachers]
    if chosen.augment != "none" and any(cached_logits(one) is not None for one in teachers):
        raise UsageError(
            f"cached logits are those of the images as they are, and --augment {chosen.augment} "
            "changes the images; leave it out, or give the teacher itself"
        )
    student = checked(components.student, data, role="student")
    if "distilled" in chosen.arms:
        _rehearse(student, teachers, components, chosen, data)
    if not any(source.trained for source in components.teachers):
        return chosen, notes
    found = [
        source.normalise if isinstance(source.normalise, str) else AUTO
        for source in components.teachers
    ]
    return chosen.changed(teacher_normalise=tuple(found)), notes


def reduced(precision: str) -> AbstractContextManager[object]:
    """The run's precision on the CPU, where things are tried."""
    kinds = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    kind = kinds.get(precision)
    return nullcontext() if kind is None else torch.autocast("cpu", dtype=kind)


def _rehearse(
    student: nn.Module,
    teachers: Sequence[Teacher],
    components: Components,
    chosen: DistillSettings,
    data: Data,
) -> None:
    """Compute the objective once on random images.

    Raises:
        UsageError: A loss fails, or its value is not one number that depends on the student.
    """
    count = min(REHEARSED_SAMPLES, chosen.batch_size)
    images = torch.randn(count, *data.image_shape)
    classes = data.num_classes
    labels = torch.arange(count) % classes
    built = build_losses(
        components.losses, loss_context_of(student, teachers[0], components, chosen, data)
    )
    objective = objective_of(built, components, chosen)
    try:
        with reduced(chosen.precision):
            teachers_logits = [
                teacher(images) if cached_logits(teacher) is None else torch.randn(count, classes)
                for teacher in teachers
            ]
            student_logits = student(images).float()
        outputs = StepOutputs(student_logits, teachers_logits, labels, labels, built.features())
        terms = objective(outputs, 1.0)
    except DidactError:
        raise
    except Exception as error:
        names = ", ".join(choice.name for choice in components.losses)
        raise UsageError(
            f"the loss {names} fails on logits {tuple(student(images).shape)}: "
            f"{type(error).__name__}: {error}"
        ) from error
    finally:
        built.remove()
    for name, value in terms.items():
        if not isinstance(value, Tensor) or value.dim() != 0:
            got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise UsageError(f"loss {name!r} returns {got}; expected one number, a scalar tensor")
        if not value.requires_grad:
            raise UsageError(
                f"loss {name!r} does not depend on the student: no gradient reaches it. "
                "Look for detach(), .data, .item(), no_grad or argmax in it"
            )
