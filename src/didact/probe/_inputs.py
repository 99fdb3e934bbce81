"""The crafted inputs that a loss is probed with."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Layout = Literal["classes", "sequence", "teachers", "outputs", "maps", "vectors", "layers"]
LOGIT_LAYOUTS: tuple[Layout, ...] = ("classes", "sequence", "teachers", "outputs")

BATCH, CLASSES, POSITIONS, SIDE, TEACHERS = 6, 5, 3, 4, 3
SCALE = 2.0


@dataclass(frozen=True)
class Inputs:
    """One set of inputs.

    Attributes:
        student: ``(batch, classes)``, ``(batch, positions, classes)`` or features.
        teacher: Same shape.
        labels: Class numbers, ``(batch,)`` or ``(batch, positions)``.
        temperature: T.
        weight: The weight that mixes two terms.
        mask: True where a position counts; ``None`` is everywhere.
        teachers: Differing teachers, for a loss with a list of them; ``None`` repeats ``teacher``.
        copies: How many times ``teacher`` is repeated.
    """

    student: Tensor
    teacher: Tensor
    labels: Tensor
    temperature: float = 4.0
    weight: float = 0.5
    mask: Tensor | None = None
    teachers: tuple[Tensor, ...] | None = None
    copies: int = TEACHERS

    def having(self, **changes: object) -> Inputs:
        """The same inputs with some replaced."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    def to(self, dtype: torch.dtype) -> Inputs:
        """The same inputs in another precision."""
        return self.having(student=self.student.to(dtype), teacher=self.teacher.to(dtype))

    @property
    def classes(self) -> int:
        """The size of the last dimension."""
        return self.student.shape[-1]


def make(
    layout: Layout,
    *,
    batch: int = BATCH,
    classes: int = CLASSES,
    positions: int = POSITIONS,
    seed: int = 0,
    scale: float = SCALE,
    temperature: float = 4.0,
    weight: float = 0.5,
    dtype: torch.dtype = torch.float64,
) -> Inputs:
    """Normal numbers for both sides; labels that visit every class."""
    shape = {
        "sequence": (batch, positions, classes),
        "maps": (batch, classes, SIDE, SIDE),
        "layers": (batch, classes, SIDE, SIDE),
    }.get(layout, (batch, classes))
    generator = torch.Generator().manual_seed(seed)
    student, teacher = (
        (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(dtype)
        for _ in range(2)
    )
    spots = shape[:-1] if layout in ("sequence", *LOGIT_LAYOUTS) else shape[:1]
    count = torch.Size(spots).numel()
    labels = ((torch.arange(count) * 2 + seed) % classes).reshape(spots)
    return Inputs(student, teacher, labels, temperature, weight)


def widened(inputs: Inputs, classes: int, *, empty: float = -1e4) -> Inputs:
    """The same distributions over more classes: the new ones get the logit ``empty``."""
    shape = (*inputs.student.shape[:-1], classes - inputs.classes)
    extra = inputs.student.new_full(shape, empty)
    return inputs.having(
        student=torch.cat([inputs.student, extra], -1),
        teacher=torch.cat([inputs.teacher, extra], -1),
    )


def repeated(inputs: Inputs, times: int, *, dim: int = 0) -> Inputs:
    """The same samples (or positions) several times over."""
    mask = inputs.mask
    return inputs.having(
        student=torch.cat([inputs.student] * times, dim),
        teacher=torch.cat([inputs.teacher] * times, dim),
        labels=torch.cat([inputs.labels] * times, dim),
        mask=None if mask is None else torch.cat([mask] * times, dim),
    )


def chosen(inputs: Inputs, rows: slice) -> Inputs:
    """Some of the samples."""
    mask = inputs.mask
    return inputs.having(
        student=inputs.student[rows],
        teacher=inputs.teacher[rows],
        labels=inputs.labels[rows],
        mask=None if mask is None else mask[rows],
    )
