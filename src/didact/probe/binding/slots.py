"""What is passed for each parameter of a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from inspect import isclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.probe.binding.batches import Batch
from didact.probe.binding.configurations import filled, options
from didact.probe.binding.context import CallContext, in_space, sides_of
from didact.probe.binding.networks import Pairs, Passing, side
from didact.probe.binding.options import Model
from didact.probe.binding.roles import Role, Space
from didact.probe.inputs.inputs import CLASSES, OF_IMAGES, SIDE, TEACHERS, Inputs, Layout, make

FEATURE_LAYERS = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter and what it gets.

    Attributes:
        name: The parameter's name.
        role: What it is.
        space: Which numbers a network's output is passed as.
        value: What the user fixed, the dataclass of an output, or that it is of two heads, the
            type of a mask, the form of a batch, of labels or of what a model returns, or the
            dimension along which a tensor holds several teachers, or the entries of a dictionary.
        fixed: Whether the user fixed it.
        positional: Whether it must be passed by position.
        space_sure: Whether the name itself says which numbers it takes.
        softened: Whether the probabilities that it gets are made at the temperature of the loss.
        sure: Whether its name or the user says what it is.
    """

    name: str
    role: Role
    space: Space = "logits"
    value: Any = None
    fixed: bool = False
    positional: bool = False
    space_sure: bool = False
    softened: bool = False
    sure: bool = False


def argument(slot: Slot, context: CallContext) -> Any:
    """The value that a slot gets."""
    return slot.value if slot.fixed else _MAKERS[slot.role](slot, context)


def _student(slot: Slot, context: CallContext) -> Any:
    student = _numbers(slot, context, context.inputs.student)
    if isclass(slot.value):
        return filled(slot.value, student, context)
    if slot.value == "heads":
        return student, student
    return side(student, context.layout, "student")


def _numbers(slot: Slot, context: CallContext, logits: Tensor) -> Tensor:
    return in_space(logits, slot.space, context.inputs.temperature if slot.softened else 1.0)


def _teacher(slot: Slot, context: CallContext) -> Any:
    inputs = context.inputs
    teacher = inputs.teacher
    if isclass(slot.value):
        return filled(slot.value, teacher, context)
    if context.ranked:
        teacher = _numbers(slot, context, teacher)
        return side(teacher.gather(-1, _ranked(inputs)), context.layout, "teacher")
    if isinstance(slot.value, int):
        stacked = [_numbers(slot, context, teacher)] * inputs.copies
        return torch.stack(stacked, slot.value)
    if context.layout != "teachers":
        return side(_numbers(slot, context, teacher), context.layout, "teacher")
    distinct = inputs.teachers or (teacher,) * inputs.copies
    return [_numbers(slot, context, t.clone()) for t in distinct]


def _both(slot: Slot, context: CallContext) -> tuple[Any, ...]:
    pair = (_student(slot, context), _teacher(replace(slot, value=None), context))
    return pair[::-1] if slot.value == "teacher_first" else pair


def _ranked(inputs: Inputs) -> Tensor:
    """All of the teacher's classes, the likeliest first."""
    return inputs.teacher.argsort(-1, descending=True)


def _labels(slot: Slot, context: CallContext) -> Tensor:
    inputs = context.inputs
    if slot.value == "points" and context.layout == "maps":
        return (
            (inputs.labels[:, None, None] + torch.arange(SIDE))
            .remainder(inputs.student.shape[1])
            .expand(-1, SIDE, -1)
        )
    if slot.space == "per_sample":
        return inputs.labels.reshape(len(inputs.labels), -1)[:, 0]
    if slot.space != "one_hot":
        return side_of_positions(inputs.labels, context)
    hot = F.one_hot(inputs.labels.clamp(min=0), inputs.classes)
    return (hot * (inputs.labels >= 0)[..., None]).to(inputs.student.dtype)


def _mask(slot: Slot, context: CallContext) -> Tensor:
    inputs = context.inputs
    mask = inputs.mask
    whole = torch.ones(inputs.labels.shape, dtype=torch.bool) if mask is None else mask
    dtype, with_channel = slot.value or (torch.bool, False)
    if slot.space == "one_hot":
        return whole[..., None].expand(inputs.teacher.shape).to(dtype)
    placed = side_of_positions(whole.to(dtype), context)
    return placed[:, None] if with_channel else placed


def _class_mask(slot: Slot, context: CallContext) -> Tensor:
    """True at the class of the label, as ``gt_mask`` of decoupled distillation, or elsewhere."""
    hot = _labels(replace(slot, space="one_hot"), context).bool()
    return ~hot if "other" in slot.name else hot


def side_of_positions(tensor: Tensor, context: CallContext) -> Tensor:
    """Labels or a mask in the layout of the outputs: ``[B, H, W]`` where these are maps."""
    if context.layout not in OF_IMAGES:
        return tensor
    return tensor.reshape(tensor.shape[0], *sides_of(tensor.shape[1], context.layout))


def _width(_slot: Slot, context: CallContext) -> Any:
    several = context.layout == "layers"
    return [context.channels] * FEATURE_LAYERS if several else context.channels


def _lengths(_slot: Slot, context: CallContext) -> Tensor:
    student = context.inputs.student
    return torch.full((student.shape[0],), student.shape[1])


def _images(_slot: Slot, context: CallContext) -> Tensor:
    return torch.zeros(context.inputs.student.shape[0], 3, dtype=context.inputs.student.dtype)


def _items(_slot: Slot, context: CallContext) -> int:
    """How many positions an optimiser step counts, over all of its micro-batches."""
    inputs = context.inputs
    counts = inputs.labels >= 0
    counts = counts if inputs.mask is None else counts & inputs.mask
    return inputs.items or max(1, int(counts.sum()))


def _beside_features(slot: Slot, context: CallContext) -> Any:
    """Features that both sides have alike, for a loss whose teacher speaks in logits too."""
    layout: Layout = slot.value or "tokens"
    given = make(layout, batch=context.inputs.student.shape[0], dtype=context.inputs.student.dtype)
    return side(given.student, layout)


def _beside_logits(_slot: Slot, context: CallContext) -> Tensor:
    """Logits of a student that is compared by its features."""
    return torch.zeros(len(context.inputs.labels), CLASSES, dtype=context.inputs.student.dtype)


_Maker = Callable[[Slot, CallContext], Any]
_MAKERS: Mapping[Role, _Maker] = {
    "student": _student,
    "teacher": _teacher,
    "labels": _labels,
    "mask": _mask,
    "class_mask": _class_mask,
    "temperature": lambda _, c: c.number("temperature"),
    "weight": lambda _, c: c.number("weight"),
    "coefficient": lambda *_: 1.0,
    "index": lambda _, c: torch.arange(c.inputs.student.shape[0]) % TEACHERS,
    "top_ids": lambda _, c: _ranked(c.inputs),
    "options": lambda s, c: options(c, s.name, s.value),
    "text": lambda s, _: s.name,
    "choice": lambda s, c: c.choices[s.name],
    "batch": lambda s, c: Batch(c) if s.value == "dict" else (_images(s, c), _labels(s, c)),
    "images": _images,
    "reduction": lambda s, _: s.value or "mean",
    "count": lambda *_: 2,
    "total": lambda *_: 4,
    "items": _items,
    "batch_size": lambda _, c: c.inputs.student.shape[0],
    "classes": lambda _, c: c.inputs.classes,
    "old_classes": lambda _, c: c.inputs.old,
    "width": _width,
    "sample_weights": lambda _, c: torch.ones(c.inputs.student.shape[0]),
    "other_loss": lambda *_: torch.tensor(1.0, dtype=torch.float64),
    "criterion": lambda *_: nn.CrossEntropyLoss(),
    "projector": lambda *_: Passing(),
    "lengths": _lengths,
    "channel_numbers": lambda _, c: torch.zeros(c.channels, dtype=c.inputs.student.dtype),
    "sink": lambda *_: {},
    "entries": lambda s, c: {each.name: argument(each, c) for each in s.value},
    "both": _both,
    "mapping": lambda *_: Pairs(),
    "teacher_model": lambda s, c: Model(c, "teacher", s.value or c.answer),
    "student_model": lambda s, c: Model(c, "student", s.value or c.answer),
    "network": lambda s, c: Model(c, "student", s.value or c.answer),
    "device": lambda *_: torch.device("cpu"),
    "ignored": lambda *_: -100,
    "beside_features": _beside_features,
    "beside_logits": _beside_logits,
    "switch": lambda *_: False,
    "absent": lambda *_: None,
}


GIVEN_ROLES = (
    "student",
    "teacher",
    "labels",
    "mask",
    "batch",
    "images",
    "temperature",
    "weight",
    "options",
    "criterion",
    "projector",
    "student_model",
    "teacher_model",
)
"""What a user may name in the place of a value."""


def given_as_role(slot: Slot, value: Any) -> Slot:
    """A slot whose value the user gave: a role by its word, as ``labels`` or ``model``, or a value.

    ``model`` is the student's where the parameter's name is not the teacher's.
    """
    word = value.replace("-", "_") if isinstance(value, str) else ""
    if word == "model":
        word = "teacher_model" if "teacher" in slot.name.lower() else "student_model"
    if word in GIVEN_ROLES:
        return replace(slot, role=word, value="dict" if word == "batch" else None)  # type: ignore[arg-type]
    return replace(slot, role="unknown", value=value, fixed=True)
