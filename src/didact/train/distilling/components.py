"""From settings and objects to the components of a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import DidactError, UsageError, words_of
from didact.data import Data, Mixing
from didact.nn import Teacher
from didact.train.distilling.build_losses import build_losses
from didact.train.distilling.examine import examine
from didact.train.distilling.hooks import Hooks
from didact.train.distilling.losses import LossLike, choose_losses
from didact.train.distilling.objective import StepOutputs
from didact.train.distilling.seed_run import Components, loss_context_of, objective_of
from didact.train.distilling.settings import AUTO, DistillSettings
from didact.train.distilling.tasks import TASKS, label_loss_of, refuse_loss, sampling_of
from didact.train.loop.data import DataReader, data_of
from didact.train.loop.evaluate import cached_logits
from didact.train.loop.loggers import find_loggers
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
    hooks: Hooks = field(default_factory=Hooks)

    @classmethod
    def named(cls, chosen: DistillSettings) -> UserInputs:
        """Where everything has a name, the settings are enough."""
        return cls(chosen.student, chosen.teacher, list(chosen.loss), DataReader(chosen.data))


def settled(chosen: DistillSettings, given: UserInputs) -> tuple[DistillSettings, UserInputs]:
    """The same where the task is that of the data, and the loss that of the task.

    Raises:
        DidactError: Data that cannot be read.
    """
    task = TASKS[given.data(chosen, chosen.seeds[0]).task]
    if list(given.losses) == [AUTO]:
        given = replace(given, losses=[task.default_loss])
        chosen = chosen.changed(loss=(task.default_loss,))
    return chosen.changed(task=task.name), given


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
        hooks=replace(given.hooks, factories=find_loggers(chosen.log)),
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
    task, mixed = TASKS[data.task], max(chosen.mixup, chosen.cutmix) > 0
    for choice in components.losses:
        one_class = "labels" in choice.inputs and not choice.labels_optional
        refuse_loss(choice.name, task, one_class=one_class, mixed=mixed)
    label_loss_of(data, chosen.class_weight)
    sampling_of(data, data.train.labels, chosen.sampling)
    Mixing(chosen.mixup, chosen.cutmix).draw(data.train.labels[:1], data.image_shape, 0, 0)
    components, notes = examine(components, data, chosen)
    teachers = [Teacher(checked(source, data, role="teacher")) for source in components.teachers]
    if chosen.varied and any(cached_logits(one) is not None for one in teachers):
        which = f"--augment {chosen.augment}" if chosen.augment != "none" else "mixing"
        raise UsageError(
            f"cached logits are those of the images as they are, and {which} "
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
    labels = data.train.labels[:count].cpu()
    count, indices = len(labels), torch.arange(len(labels))
    images = images[:count]
    if max(chosen.mixup, chosen.cutmix) > 0 and not labels.is_floating_point():
        labels = F.one_hot(labels, classes).float()
    label_loss = label_loss_of(data, chosen.class_weight)
    standard = label_loss.standard
    built = build_losses(
        components.losses, loss_context_of(student, teachers[0], components, chosen, data)
    )
    objective = objective_of(built, components, chosen, label_loss)
    try:
        with reduced(chosen.precision):
            teachers_logits = [
                standard(teacher(images))
                if cached_logits(teacher) is None
                else torch.randn(count, classes)
                for teacher in teachers
            ]
            student_logits = standard(student(images).float())
        outputs = StepOutputs(
            student_logits, teachers_logits, standard(labels), indices, built.features()
        )
        terms = objective(outputs, 1.0)
    except DidactError:
        raise
    except (Exception, SystemExit) as error:  # a loss that exits would end the run as if well
        names = ", ".join(choice.name for choice in components.losses)
        raise UsageError(
            f"the loss {names} fails on logits {tuple(student(images).shape)}: "
            f"{type(error).__name__}: {words_of(error)}"
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
