"""A loss whose parameters are bound: it can be called with crafted inputs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.binding import outputs
from didact.probe.binding.context import CallContext
from didact.probe.binding.machine import NothingDetached, one_process
from didact.probe.binding.roles import Role, Space, guess_option
from didact.probe.binding.slots import Slot
from didact.probe.binding.target import Target, call, owner_of
from didact.probe.binding.words import ROLES, what
from didact.probe.binding.written import choices, numbers_in
from didact.probe.inputs.inputs import LOGIT_LAYOUTS, OF_POSITIONS, Inputs, Layout, Sizes, make

SPACES: tuple[tuple[Space, Space], ...] = (
    ("logits", "logits"),
    ("logits", "probs"),
    ("log_probs", "probs"),
    ("probs", "probs"),
    ("log_probs", "log_probs"),
    ("logits", "log_probs"),
)
"""What the student's side and the teacher's may be, the commonest first."""
CONSTRUCTOR = Text(" (constructor)", "（构造函数）")
"""What stands behind the name of an argument of the constructor."""
_SIDES = frozenset({"student", "teacher", "labels"})
MODELS = frozenset({"student_model", "teacher_model", "network"})


@dataclass(frozen=True)
class Binding:
    """What each parameter gets.

    Attributes:
        target: The function, module or class.
        slots: The parameters of the call.
        layout: The shape of what stands for the networks' outputs.
        dtype: The precision that the loss accepts.
        given: Values that the user fixed.
        seen: The options that the loss asked for by name, and their roles.
        sizes: How many samples and classes it is called with.
        touched: The sides whose tensors the loss has changed in place.
        part: Which of the tensors that the loss returns is taken for its value.
        alone: Whether it gathers from other processes, and gets a group of one.
        told: Whether the user said the layout, so that no other one is tried.
        absent: Global names of options that exist only when the script of the loss is run.
        answer: What models return that the loss holds itself.
        as_tensors: Whether numbers are passed as tensors.
        by_trial: What options got whose names say nothing.
    """

    target: Target
    slots: tuple[Slot, ...]
    layout: Layout
    dtype: torch.dtype = torch.float64
    given: Mapping[str, Any] = field(default_factory=dict)
    seen: dict[str, Role] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=Sizes)
    touched: set[str] = field(default_factory=set)
    part: int = 0
    alone: bool = False
    told: bool = False
    absent: tuple[str, ...] = ()
    answer: str = "tensor"
    as_tensors: bool = False
    by_trial: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, inputs: Inputs) -> Tensor:
        """The loss as one number."""
        return self.detailed(inputs)[0]

    def detailed(self, inputs: Inputs) -> tuple[Tensor, list[Text]]:
        """The loss as one number, and what was done to what it returned."""
        parts = outputs.parts(self.raw(inputs))
        value, where = parts[min(self.part, len(parts) - 1)]
        number, how = outputs.scalar(value, inputs.labels.shape)
        return number, [where] if how is None else [where, how]

    def reduces(self, inputs: Inputs) -> bool:
        """Whether the loss itself makes one number."""
        return len(self.detailed(inputs)[1]) == 1

    def all_parts(self, inputs: Inputs) -> list[Tensor]:
        """Each tensor that the loss returns, as one number."""
        return [
            outputs.scalar(value, inputs.labels.shape)[0]
            for value, _ in outputs.parts(self.raw(inputs))
        ]

    def make(self, **changes: Any) -> Inputs:
        """Inputs of the layout and sizes that the loss takes."""
        return make(self.layout, self.sizes, **changes)

    def raw(self, inputs: Inputs) -> Any:
        """Whatever the loss returns."""
        cast = inputs.to(self.dtype)
        own = cast.having(student=cast.student.clone(), teacher=cast.teacher.clone())
        context = CallContext(
            own,
            self.layout,
            self.given,
            self.seen,
            self._ranked,
            self._choices,
            self._answer,
            self.as_tensors,
            numbers_in(self.target.source),
        )
        try:
            with one_process() if self.alone else nullcontext():
                return call(self.target, self.slots, context, self.absent)
        finally:
            for side in ("student", "teacher"):
                if not torch.equal(getattr(own, side).detach(), getattr(cast, side).detach()):
                    self.touched.add(side)

    def in_spaces(self, student: Space, teacher: Space, *, softened: bool = False) -> Binding:
        """The same with other kinds of numbers for the two sides."""
        wanted = {"student": student, "teacher": teacher}
        slots = tuple(
            replace(s, space=wanted[s.role], softened=softened)
            if s.role in wanted and not s.fixed
            else s
            for s in self.slots
        )
        return replace(self, slots=slots, seen={}, touched=set())

    def looks_at(self, which: str, inputs: Inputs) -> bool:
        """Whether the value is made from this side's output, be it detached or cut to nothing."""
        other = inputs.having(**{which: getattr(self.make(seed=9), which)})
        if float(self(inputs).detach()) != float(self(other).detach()):
            return True
        tensor = getattr(inputs, which).detach().clone().to(self.dtype).requires_grad_()
        with NothingDetached():
            value = self(inputs.having(**{which: tensor}))
        if not value.requires_grad:
            return False
        return torch.autograd.grad(value, tensor, allow_unused=True)[0] is not None

    @property
    def _choices(self) -> Mapping[str, str | bool]:
        source = self.target.source
        return choices(owner_of(source) or source)

    @property
    def holds_models(self) -> bool:
        """Whether it may have models that are no parameter of the call."""
        inside = any(s.role in MODELS for s in self.target.built)
        return inside or any(s.name == "self" for s in self.slots)

    @property
    def _answer(self) -> str:
        """All models of a loss answer alike."""
        return next((s.value for s in self.slots if s.role in MODELS and s.value), self.answer)

    @property
    def _ranked(self) -> bool:
        return any(slot.role == "top_ids" for slot in self.slots)

    @property
    def roles(self) -> frozenset[str]:
        """Every role that a parameter, constructor argument, attribute or option has."""
        roles: set[str] = {s.role for s in (*self.slots, *self.target.built) if not s.fixed}
        if "batch" in roles:
            pair = any(s.role == "batch" and s.value != "dict" for s in self.slots)
            roles |= {"labels"} if pair else _SIDES
        roles |= {"student", "teacher"} if "both" in roles else set()
        for slot in self.slots:
            if slot.role == "entries":
                roles |= {each.role for each in slot.value if not each.fixed}
        roles |= {*self.target.attributes.values(), *self.seen.values()}
        return frozenset(roles | {r.removesuffix("_model") for r in roles})

    @property
    def held_temperature(self) -> float | None:
        """The temperature that the user gave, which stays as it is."""
        for name, value in self.given.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and guess_option(name.rpartition(".")[2]) == "temperature":
                return float(value)
        return None

    def has(self, role: Role) -> bool:
        """Whether anything that the loss gets has this role."""
        return role in self.roles

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of the weights that are varied, each once however deep the options lie."""
        slots = (*self.slots, *self.target.built)
        found = [s.name for s in slots if s.role == "weight" and not s.fixed]
        held = {**self.target.attributes, **self.seen}
        found += [name.rpartition(".")[2] for name, role in held.items() if role == "weight"]
        return tuple(dict.fromkeys(found))

    @property
    def of_logits(self) -> bool:
        """Whether the two sides are class scores."""
        return self.layout in LOGIT_LAYOUTS

    @property
    def of_positions(self) -> bool:
        """Whether each sample has several positions."""
        return self.layout in OF_POSITIONS

    @property
    def of_raw_logits(self) -> bool:
        """Whether both sides are passed as logits, not as probabilities."""
        return self.of_logits and all(s.space in ("logits", "one_hot") for s in self.slots)

    @property
    def names_logits(self) -> bool:
        """Whether the names of both sides say that they are logits."""
        sides = [s for s in self.slots if s.role in ("student", "teacher")]
        return bool(sides) and all(s.space == "logits" and s.space_sure for s in sides)

    @property
    def names_student(self) -> bool:
        """Whether a parameter is the student's output by its own name, or by the user's word."""
        return any(s.role == "student" and s.sure for s in self.slots)

    def rows(self) -> list[tuple[str, Text]]:
        """The binding as a table."""
        found = [(f"{s.name}{CONSTRUCTOR.en}", what(s, self.layout)) for s in self.target.built]
        found += [(s.name, what(s, self.layout)) for s in self.slots]
        words = {
            "temperature": Text("temperature, varied", "温度（会变化）"),
            "weight": Text("weight, varied", "权重（会变化）"),
            "old_classes": Text("number of classes that the teacher knows", "教师认识的类别数"),
            "student": Text("the student's output", "学生的输出"),
            "teacher": Text("the teacher's output", "教师的输出"),
            "student_model": Text(
                "a model that returns the student's output", "返回学生输出的模型"
            ),
            "teacher_model": Text(
                "a model that returns the teacher's output", "返回教师输出的模型"
            ),
        }
        found += [(f".{n}", words[r]) for n, r in self.target.attributes.items()]
        found += [(name, words[r]) for name, r in self.seen.items()]
        found += [
            (n, Text("1, by trial", "1（通过试调用确定）") if v == 1 else ROLES["projector"])
            for n, v in self.by_trial.items()
        ]
        return found
