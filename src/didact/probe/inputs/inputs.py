"""The crafted inputs that a loss is probed with."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Layout = Literal[
    "classes",
    "sequence",
    "dense",
    "volumes",
    "channels_first",
    "vocabulary_first",
    "outputs",
    "output_sequences",
    "teachers",
    "lists",
    "nested",
    "vectors",
    "tokens",
    "maps",
    "nested_maps",
    "named_maps",
    "named_tokens",
    "layers",
    "hidden",
    "attentions",
]
Labelled = Literal["all", "new", "low"]
LOGIT_LAYOUTS: tuple[Layout, ...] = (
    "classes",
    "sequence",
    "dense",
    "volumes",
    "channels_first",
    "vocabulary_first",
    "outputs",
    "output_sequences",
    "teachers",
    "lists",
    "nested",
)
OF_POSITIONS: tuple[Layout, ...] = (
    "sequence",
    "dense",
    "volumes",
    "channels_first",
    "vocabulary_first",
    "output_sequences",
    "tokens",
    "named_tokens",
    "hidden",
    "attentions",
)
"""Those whose samples have positions: a token, or a point of a map with its classes last."""

OF_IMAGES: tuple[Layout, ...] = ("dense", "volumes")
"""Those whose positions are the points of a picture."""

BATCH, CLASSES, POSITIONS, SIDE, TEACHERS = 6, 5, 3, 4, 3
SCALE = 2.0


@dataclass(frozen=True)
class Sizes:
    """How many samples and classes there are, and which of the classes the teacher knows.

    Attributes:
        batch: Samples.
        classes: The student's classes.
        old: The classes that the teacher knows, the first ones; ``None``: all.
        narrow: Whether the teacher's logits end there, or have a column for every class.
        labelled: Which labels occur: every class, the new ones, or the first ``classes - old``.
        teachers: Teachers, for a loss with a list of them.
        fixed: Whether the loss takes this number of classes and no other.
    """

    batch: int = BATCH
    classes: int = CLASSES
    old: int | None = None
    narrow: bool = True
    labelled: Labelled = "all"
    teachers: int = TEACHERS
    fixed: bool = False

    def old_of(self, classes: int) -> int | None:
        """The number of old classes among so many: the same share, and a new one at least."""
        if self.old is None:
            return None
        return min(max(1, round(self.old * classes / self.classes)), classes - 1)


@dataclass(frozen=True)
class Inputs:
    """One set of inputs.

    Attributes:
        student: ``(batch, classes)``, ``(batch, positions, classes)`` or features.
        teacher: Same shape, or fewer classes.
        labels: Class numbers, ``(batch,)`` or ``(batch, positions)``.
        temperature: T.
        weight: The weight that mixes two terms.
        mask: True where a position counts; ``None`` is everywhere.
        teachers: Differing teachers, for a loss with a list of them; ``None`` repeats ``teacher``.
        copies: How many times ``teacher`` is repeated.
        old: How many classes the teacher knows; ``None``: all.
        labelled: Which labels occur.
        items: How many positions an optimiser step counts, where these inputs are part of one.
    """

    student: Tensor
    teacher: Tensor
    labels: Tensor
    temperature: float = 4.0
    weight: float = 0.5
    mask: Tensor | None = None
    teachers: tuple[Tensor, ...] | None = None
    copies: int = TEACHERS
    old: int | None = None
    labelled: Labelled = "all"
    items: int | None = None

    def having(self, **changes: object) -> Inputs:
        """The same inputs with some replaced."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    def to(self, dtype: torch.dtype) -> Inputs:
        """The same inputs in another precision."""
        return self.having(student=self.student.to(dtype), teacher=self.teacher.to(dtype))

    @property
    def classes(self) -> int:
        """The size of the student's last dimension."""
        return self.student.shape[-1]

    @property
    def agreeing_teacher(self) -> Tensor:
        """A teacher that says what the student says, of the classes that it knows."""
        return self.student[..., : self.teacher.shape[-1]]

    @property
    def agreeing_student(self) -> Tensor:
        """A student that says what the teacher says, and its own of other classes."""
        return torch.cat([self.teacher, self.student[..., self.teacher.shape[-1] :]], -1)

    def shared(self, tensor: Tensor) -> Tensor:
        """The classes that both sides know."""
        return tensor if self.old is None else tensor[..., : self.old]

    @property
    def label_range(self) -> tuple[int, int]:
        """The first label that occurs, and the one after the last."""
        return _label_range(self.labelled, self.old, self.classes)


def _label_range(labelled: Labelled, old: int | None, classes: int) -> tuple[int, int]:
    if old is None or labelled == "all":
        return 0, classes
    return (old, classes) if labelled == "new" else (0, classes - old)


def make(
    layout: Layout,
    sizes: Sizes | None = None,
    *,
    batch: int | None = None,
    classes: int | None = None,
    positions: int | None = None,
    seed: int = 0,
    scale: float = SCALE,
    temperature: float = 4.0,
    weight: float = 0.5,
    dtype: torch.dtype = torch.float64,
) -> Inputs:
    """Normal numbers for both sides; labels that visit every class that may occur."""
    sizes = sizes or Sizes()
    batch, classes = batch or sizes.batch, classes or sizes.classes
    old = sizes.old_of(classes)
    positions = positions or {"dense": SIDE, "volumes": 2 * SIDE}.get(layout, POSITIONS)
    shape = {
        **dict.fromkeys(OF_POSITIONS, (batch, positions, classes)),
        "maps": (batch, classes, SIDE, SIDE),
        "nested_maps": (batch, classes, SIDE, SIDE),
        "named_maps": (batch, classes, SIDE, SIDE),
        "layers": (batch, classes, SIDE, SIDE),
    }.get(layout, (batch, classes))
    generator = torch.Generator().manual_seed(seed)
    student, teacher = (
        (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(dtype)
        for _ in range(2)
    )
    if old is not None and sizes.narrow:
        teacher = teacher[..., :old]
    spots = shape[:-1] if layout in (*OF_POSITIONS, *LOGIT_LAYOUTS) else shape[:1]
    first, end = _label_range(sizes.labelled, old, classes)
    count = torch.Size(spots).numel()
    labels = (first + (torch.arange(count) * 2 + seed) % (end - first)).reshape(spots)
    given = Inputs(student, teacher, labels, temperature, weight, copies=sizes.teachers)
    return given.having(old=old, labelled=sizes.labelled)
