"""What one call of a loss is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from didact.probe.binding.roles import Role, Space
from didact.probe.inputs.inputs import OF_POSITIONS, Inputs, Layout

LAYERS = 13
"""Hidden states of a transformer of twelve blocks, the embedding first."""


@dataclass(frozen=True)
class CallContext:
    """What the value of a slot is made from.

    Attributes:
        inputs: The crafted inputs.
        layout: Their shape.
        given: What the user fixed, by parameter, or by dotted name for a part of one.
        seen: The options that the loss asked for by dotted name, and their roles.
        ranked: Whether the teacher speaks of its likeliest classes, with their numbers beside.
        choices: For each name that the code compares with texts, the first of these; False for a
            bare condition.
        answer: What the models return that no parameter is, as one of ``ANSWERS``.
        as_tensors: Whether numbers are passed as tensors.
        numbers: The names that the code uses where only a number can stand.
    """

    inputs: Inputs
    layout: Layout
    given: Mapping[str, Any]
    seen: dict[str, Role]
    ranked: bool = False
    choices: Mapping[str, str | bool] = field(default_factory=dict)
    answer: str = "tensor"
    as_tensors: bool = False
    numbers: frozenset[str] = frozenset()

    def number(self, which: str) -> Any:
        """The temperature or the weight, as a tensor where the loss asks for one."""
        value = getattr(self.inputs, which)
        return torch.tensor(value, dtype=self.inputs.student.dtype) if self.as_tensors else value

    @property
    def channels(self) -> int:
        """How many channels or classes the loss sees."""
        last = self.layout in OF_POSITIONS
        return self.inputs.student.shape[-1 if last else 1]


def in_space(logits: Tensor, space: Space, temperature: float = 1.0) -> Tensor:
    """Logits as the numbers that a parameter asks for, softened where they are probabilities."""
    if space != "logits":
        logits = logits / temperature
    if space == "probs":
        return logits.softmax(-1)
    return logits.log_softmax(-1) if space == "log_probs" else logits


def sides_of(positions: int, layout: Layout) -> tuple[int, ...]:
    """The sides of a picture or volume of so many points."""
    return (2, 2, positions // 4) if layout == "volumes" else (2, positions // 2)


def layers_of(tensor: Tensor) -> tuple[Tensor, ...]:
    """One tensor as the hidden states of every layer, each another rotation of it."""
    wide = tensor if tensor.dim() == 3 else tensor[:, None].expand(-1, 4, *tensor.shape[1:])
    return tuple(wide.roll(layer, -1) * (1 + layer / LAYERS) for layer in range(LAYERS))


def attention(hidden: Tensor) -> Tensor:
    """Hidden states as the attention of two heads."""
    scores = hidden @ hidden.transpose(-1, -2) / hidden.shape[-1] ** 0.5
    return torch.stack([scores, 0.5 * scores], 1).softmax(-1)
