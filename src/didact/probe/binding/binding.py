"""A loss whose parameters are bound: it can be called with crafted inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.binding import outputs as _outputs
from didact.probe.binding.roles import Role
from didact.probe.binding.slots import CallContext, Slot
from didact.probe.binding.target import Target, call
from didact.probe.binding.words import what
from didact.probe.inputs.inputs import LOGIT_LAYOUTS, Inputs, Layout, Sizes, make


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
    """

    target: Target
    slots: tuple[Slot, ...]
    layout: Layout
    dtype: torch.dtype = torch.float64
    given: Mapping[str, Any] = field(default_factory=dict)
    seen: dict[str, Role] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=Sizes)
    touched: set[str] = field(default_factory=set)

    def __call__(self, inputs: Inputs) -> Tensor:
        """The loss as one number."""
        return self.detailed(inputs)[0]

    def detailed(self, inputs: Inputs) -> tuple[Tensor, list[Text]]:
        """The loss as one number, and what was done to what it returned."""
        value, where = _outputs.pick(self.raw(inputs))
        number, how = _outputs.scalar(value, inputs.labels.shape)
        return number, [where] if how is None else [where, how]

    def make(self, **changes: Any) -> Inputs:
        """Inputs of the layout and sizes that the loss takes."""
        return make(self.layout, self.sizes, **changes)

    def raw(self, inputs: Inputs) -> Any:
        """Whatever the loss returns."""
        cast = inputs.to(self.dtype)
        own = cast.having(student=cast.student.clone(), teacher=cast.teacher.clone())
        try:
            return call(
                self.target, self.slots, CallContext(own, self.layout, self.given, self.seen)
            )
        finally:
            for side in ("student", "teacher"):
                if not torch.equal(getattr(own, side).detach(), getattr(cast, side).detach()):
                    self.touched.add(side)

    def has(self, role: Role) -> bool:
        """Whether a parameter, constructor argument, attribute or option has this role."""
        roles = {s.role for s in (*self.slots, *self.target.built) if not s.fixed}
        roles |= {"teacher"} if "teacher_model" in roles else set()
        return role in roles | set(self.target.attributes.values()) | set(self.seen.values())

    @property
    def of_logits(self) -> bool:
        """Whether the two sides are class scores."""
        return self.layout in LOGIT_LAYOUTS

    def rows(self) -> list[tuple[str, Text]]:
        """The binding as a table."""
        found = [(f"{s.name} (constructor)", what(s, self.layout)) for s in self.target.built]
        found += [(s.name, what(s, self.layout)) for s in self.slots]
        words = {
            "temperature": Text("temperature, varied", "温度（会变化）"),
            "weight": Text("weight, varied", "权重（会变化）"),
            "old_classes": Text("number of classes that the teacher knows", "教师认识的类别数"),
        }
        found += [(f".{n}", words[r]) for n, r in self.target.attributes.items()]
        options = next((s.name for s in self.slots if s.role == "options"), "")
        found += [(f"{options}.{n}", words[r]) for n, r in self.seen.items()]
        return found
