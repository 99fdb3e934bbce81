"""What is passed for each parameter of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.i18n import Text
from didact.probe._inputs import TEACHERS, Inputs, Layout
from didact.probe._roles import Role, Space, guess

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
class Making:
    """What the value of a slot is made from."""

    inputs: Inputs
    layout: Layout
    given: Mapping[str, Any]
    seen: dict[str, Role]


def argument(slot: Slot, making: Making) -> Any:
    """The value that a slot gets."""
    inputs = making.inputs
    if slot.fixed:
        return slot.value
    if slot.role == "student":
        return _side(_in_space(inputs.student, slot.space), making.layout)
    if slot.role == "teacher":
        return _teacher(slot, making)
    if slot.role == "teacher_model":
        return Stub(inputs.teacher)
    if slot.role == "mask":
        mask = inputs.mask
        whole = torch.ones(inputs.labels.shape, dtype=torch.bool) if mask is None else mask
        return whole.to(slot.value or torch.bool)
    if slot.role == "options":
        return Options(inputs, making.given, making.seen)
    return _plain(slot, making)


def _plain(slot: Slot, making: Making) -> Any:
    inputs = making.inputs
    channels = inputs.student.shape[1]
    layers = [channels] * FEATURE_LAYERS
    values: dict[str, Any] = {
        "labels": inputs.labels,
        "temperature": inputs.temperature,
        "weight": inputs.weight,
        "index": torch.arange(inputs.student.shape[0]) % TEACHERS,
        "reduction": slot.value or "mean",
        "count": 1,
        "classes": inputs.classes,
        "width": layers if making.layout == "layers" else channels,
        "criterion": nn.CrossEntropyLoss(),
    }
    return values[slot.role]


def _teacher(slot: Slot, making: Making) -> Any:
    inputs = making.inputs
    if making.layout != "teachers":
        return _side(_in_space(inputs.teacher, slot.space), making.layout)
    distinct = inputs.teachers or (inputs.teacher,) * inputs.copies
    return [_in_space(t, slot.space) for t in distinct]


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


def what(slot: Slot, layout: Layout) -> Text:
    """A slot's binding in words."""
    if slot.fixed:
        return Text(f"fixed: {slot.value!r}"[:60], f"固定为 {slot.value!r}"[:60])
    words = {
        "student": Text("the student's {numbers}", "学生的{numbers}"),
        "teacher": Text("the teacher's {numbers}", "教师的{numbers}"),
        "labels": Text("class numbers", "类别标签"),
        "temperature": Text("temperature, varied", "温度（会变化）"),
        "weight": Text("weight, varied", "权重（会变化）"),
        "mask": Text("mask, all true unless a law masks", "掩码，默认全为真"),
        "index": Text("index of the sample", "样本下标"),
        "options": Text("an object with the options", "参数对象"),
        "reduction": Text(f"{slot.value or 'mean'!r}", f"{slot.value or 'mean'!r}"),
        "count": Text("1", "1"),
        "classes": Text("number of classes", "类别数"),
        "width": Text("number of channels", "通道数"),
        "criterion": Text("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss()"),
        "teacher_model": Text(
            "a model that returns the teacher's logits", "返回教师 logits 的模型"
        ),
        "default": Text("left at its default", "保持默认值"),
    }
    return words[slot.role].format(numbers=_numbers(slot, layout))


def _numbers(slot: Slot, layout: Layout) -> Text:
    if slot.space != "logits":
        word = slot.space.replace("_", "-")
        return Text(word, {"probs": "概率", "log-probs": "对数概率"}[word])
    words = {
        "classes": Text("logits [B, C]", " logits [B, C]"),
        "sequence": Text("logits [B, S, C]", " logits [B, S, C]"),
        "outputs": Text("output with .logits [B, C]", "输出对象（.logits [B, C]）"),
        "maps": Text("features [B, D, H, W]", "特征 [B, D, H, W]"),
        "vectors": Text("features [B, D]", "特征 [B, D]"),
        "layers": Text("list of feature maps", "特征图列表"),
        "teachers": Text("logits [B, C]", " logits [B, C]"),
    }
    if layout == "teachers" and slot.role == "teacher":
        return Text("logits, a list of [B, C]", " logits 列表 [B, C]")
    return words[layout]
