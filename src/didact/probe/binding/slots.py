"""What is passed for each parameter of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.probe.binding.roles import Role, Space, guess
from didact.probe.inputs.inputs import TEACHERS, Inputs, Layout

_NO_DEFAULT = Parameter.empty
FEATURE_LAYERS = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter and what it gets.

    Attributes:
        name: The parameter's name.
        role: What it is.
        space: Which numbers a network's output is passed as.
        value: What the user fixed, or the type of a mask.
        fixed: Whether the user fixed it.
        positional: Whether it must be passed by position.
    """

    name: str
    role: Role
    space: Space = "logits"
    value: Any = None
    fixed: bool = False
    positional: bool = False


class Outputs(dict[str, Tensor]):
    """What many models return: a dict whose entries are attributes; every name is the logits."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__(logits=logits)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("__"):
            raise AttributeError(name)
        return self["logits"]


class Options:
    """A ``params`` or ``args`` object: it answers by name, as an attribute or an item."""

    def __init__(self, inputs: Inputs, given: Mapping[str, Any], seen: dict[str, Role]) -> None:
        self._inputs, self._given, self._seen = inputs, given, seen

    def __getattr__(self, name: str) -> Any:
        if name in self._given:
            return self._given[name]
        bare = guess(Parameter(name, Parameter.KEYWORD_ONLY)).role
        if self._inputs.old is not None and bare == "old_classes":
            self._seen[name] = bare
            return self._inputs.old
        role = guess(Parameter(name, Parameter.KEYWORD_ONLY, default=1.0)).role
        if name.startswith("__") or role not in ("temperature", "weight"):
            raise AttributeError(f"the options have no {name!r}; pass --arg {name}=VALUE")
        self._seen[name] = role
        return self._inputs.temperature if role == "temperature" else self._inputs.weight

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def get(self, name: str, default: Any = None) -> Any:
        """As a dict's."""
        try:
            return getattr(self, name)
        except AttributeError:
            return default


class Stub(nn.Module):
    """A model that answers every input with the same logits."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, *_inputs: Any, **_options: Any) -> Tensor:
        """The logits."""
        return self.logits


@dataclass(frozen=True)
class CallContext:
    """What the value of a slot is made from."""

    inputs: Inputs
    layout: Layout
    given: Mapping[str, Any]
    seen: dict[str, Role]


def argument(slot: Slot, context: CallContext) -> Any:
    """The value that a slot gets."""
    inputs = context.inputs
    if slot.fixed:
        return slot.value
    if slot.role == "student":
        return _side(_in_space(inputs.student, slot.space), context.layout)
    if slot.role == "teacher":
        return _teacher(slot, context)
    if slot.role in ("teacher_model", "student_model"):
        return Stub(inputs.teacher if slot.role == "teacher_model" else inputs.student)
    if slot.role == "mask":
        mask = inputs.mask
        whole = torch.ones(inputs.labels.shape, dtype=torch.bool) if mask is None else mask
        return whole.to(slot.value or torch.bool)
    if slot.role == "options":
        return Options(inputs, context.given, context.seen)
    return _plain(slot, context)


def _plain(slot: Slot, context: CallContext) -> Any:
    inputs = context.inputs
    channels = inputs.student.shape[1]
    layers = [channels] * FEATURE_LAYERS
    values: dict[str, Any] = {
        "labels": _labels(slot, inputs),
        "device": torch.device("cpu"),
        "temperature": inputs.temperature,
        "weight": inputs.weight,
        "index": torch.arange(inputs.student.shape[0]) % TEACHERS,
        "reduction": slot.value or "mean",
        "count": 1,
        "classes": inputs.classes,
        "old_classes": inputs.old,
        "width": layers if context.layout == "layers" else channels,
        "criterion": nn.CrossEntropyLoss(),
    }
    return values[slot.role]


def _labels(slot: Slot, inputs: Inputs) -> Tensor:
    if slot.space != "one_hot":
        return inputs.labels
    hot = F.one_hot(inputs.labels.clamp(min=0), inputs.classes)
    return (hot * (inputs.labels >= 0)[..., None]).to(inputs.student.dtype)


def _teacher(slot: Slot, context: CallContext) -> Any:
    inputs = context.inputs
    if context.layout != "teachers":
        return _side(_in_space(inputs.teacher, slot.space), context.layout)
    distinct = inputs.teachers or (inputs.teacher,) * inputs.copies
    return [_in_space(t.clone(), slot.space) for t in distinct]


def _in_space(logits: Tensor, space: Space) -> Tensor:
    if space == "probs":
        return logits.softmax(-1)
    return logits.log_softmax(-1) if space == "log_probs" else logits


def _side(tensor: Tensor, layout: Layout) -> Any:
    if layout == "outputs":
        return Outputs(tensor)
    if layout == "layers":
        return [tensor, F.avg_pool2d(tensor, 2), tensor.mean((2, 3), keepdim=True)]
    return tensor
