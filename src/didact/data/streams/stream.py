"""A data set as a sequence of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from didact._core.errors import DataError
from didact.data.splits.data import Data
from didact.data.splits.joined import joined
from didact.data.splits.labels import distinct
from didact.data.splits.split import AnySplit

Scenario = Literal["class", "task", "domain"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One task, as a method may see it.

    Attributes:
        index: Its place in the stream, from 0.
        classes: The original labels of its classes.
        columns: Their columns of the logits, in the same order.
        known: The number of classes seen before; their columns are ``0..known - 1``.
        seen: The number of classes seen with this task; their columns are ``0..seen - 1``.
        train: Its training data; the labels are columns.
    """

    index: int
    classes: tuple[int, ...]
    columns: tuple[int, ...]
    known: int
    seen: int
    train: AnySplit


@dataclass(frozen=True, eq=False)
class Stream:
    """Tasks one after another, with a test set for each.

    Class ``class_order[j]`` has column ``j``: the classes of the first task come first, and a class
    that comes back keeps its column.

    Attributes:
        scenario: ``"class"``: one of all classes seen so far is predicted. ``"task"``: the task
            is told, one of its classes is predicted. ``"domain"``: all tasks have the same classes.
        class_order: The original label of each column.
        trains: The training data of each task; labels are columns.
        tests: The test data of each task, with the tasks of ``past`` as one, if there is any.
        protocol: What names the protocol, for the record.
        past: The columns of each task that was learned before this stream began, or is known to
            the network that it begins with. Of these there may be no training data.
    """

    data: Data
    scenario: Scenario
    class_order: tuple[int, ...]
    trains: Sequence[AnySplit]
    tests: Sequence[AnySplit]
    protocol: dict[str, Any] = field(default_factory=dict)
    past: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        for what, splits in (("training", self.trains), ("test", self.tests)):
            for number, split in enumerate(splits):
                if not len(split) and (what == "test" or number >= len(self.past)):
                    raise DataError(
                        f"{self.data.name}: task {number + 1} has no {what} image; "
                        "expected at least one for each task"
                    )

    def __len__(self) -> int:
        return len(self.trains)

    @property
    def num_classes(self) -> int:
        """The classes of all tasks together."""
        return len(self.class_order)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each column; in domains of groups, which share their outputs, its place."""
        if self.scenario == "domain" and not self.protocol.get("domains"):
            return tuple(map(str, self.class_order))
        return tuple(self.data.class_names[label] for label in self.class_order)

    def measured_after(self, index: int) -> int:
        """How many of ``tests`` there are, of the tasks up to ``index``."""
        before = max(len(self.past) - 1, 0)
        return index + 1 - before - (len(self.trains) - before - len(self.tests))

    def task(self, index: int, *, with_earlier: bool = False) -> Task:
        """A task; ``with_earlier`` gives it the training data of all tasks so far."""
        present = [self._classes_of(number) for number in range(index + 1)]
        before = set().union(*present[:index])
        chosen = set().union(*present) if with_earlier else present[index]
        columns = tuple(sorted(chosen))
        train = joined(*self.trains[: index + 1]) if with_earlier else self.trains[index]
        return Task(
            index=index,
            classes=tuple(self.class_order[column] for column in columns),
            columns=columns,
            known=len(before),
            seen=len(before | present[index]),
            train=train,
        )

    def columns_of(self, index: int) -> Tensor:
        """The columns of the classes that a task is tested on, for when the task is told."""
        return torch.tensor(distinct(self.tests[index].labels))

    def _classes_of(self, index: int) -> set[int]:
        if index < len(self.past):
            return set(self.past[index])
        return set(distinct(self.trains[index].labels))
