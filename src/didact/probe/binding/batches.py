"""What stands for a batch."""

from __future__ import annotations

from typing import Any

import torch

from didact._core.words import words
from didact.probe.binding.context import CallContext, in_space
from didact.probe.binding.networks import side
from didact.probe.binding.roles import SPARSE, Guess, guess_name

_LABELS_LAST = [(word,) for word in ("label", "labels")]
"""``teacher_label`` of a batch: class numbers for the teacher's tokens."""


class Batch(dict[str, Any]):
    """A batch as a dictionary: its entries are found by what their names say."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        count = context.inputs.labels
        mask = context.inputs.mask
        super().__init__(
            input_ids=count.clamp(min=0),
            attention_mask=torch.ones_like(count) if mask is None else mask.long(),
            labels=count,
        )

    def __missing__(self, name: str) -> Any:
        given = self._context.given
        key = next((k for k in given if k.endswith(f".{name}")), None)
        guessed = Guess("labels") if words(name)[-1:] in _LABELS_LAST else guess_name(name)
        role: str = guessed.role if key is None else str(given[key])
        inputs = self._context.inputs
        if role in ("student", "teacher"):
            found = side(in_space(getattr(inputs, role), guessed.space), self._context.layout)
            several = guessed.plural and (role == "teacher" or "list" in name)
            return [found] * inputs.copies if several else found
        if role == "labels":
            return inputs.labels
        if role in ("temperature", "weight"):
            return getattr(inputs, role)
        if role == "mask":
            return dict.__getitem__(self, "attention_mask")
        if role == "unknown" and any(w in name for w in ("image", "pixel", "input", "x")):
            return torch.zeros(inputs.student.shape[0], 3, dtype=inputs.student.dtype)
        raise KeyError(f"{name!r} of the batch; pass --arg batch.{name}=ROLE")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """As a dict's; an entry that no name explains is not there."""
        if set(words(name)) & SPARSE:  # they come from a cache, where there is one
            return default
        try:
            return self[name]
        except KeyError:
            return default

    def pop(self, name: str, *default: Any) -> Any:
        """As :meth:`get`; the batch is made anew for each call."""
        found = self[name] if not default else self.get(name, default[0])
        dict.pop(self, name, None)
        return found

    def to(self, *_where: Any, **_options: Any) -> Batch:
        """It is there already."""
        return self
