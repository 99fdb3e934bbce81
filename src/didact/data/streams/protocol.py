"""From a data set to a stream: which classes come when, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from didact._core.errors import DataError, RangeError, UsageError
from didact._core.lookup import suggest
from didact.data.splits.data import Data
from didact.data.splits.labels import distinct, mapped, places_of
from didact.data.splits.split import AnySplit
from didact.data.streams.domains import DEFAULT_DOMAINS, Domains, domain_splits
from didact.data.streams.stream import Scenario, Stream
from didact.data.streams.unevenness import blurred, imbalanced

ClassName = str | int
"""A class as it is named: by its name, or by its label."""
ClassOrder = str | int | Sequence[ClassName]


def make_stream(
    data: Data,
    *,
    scenario: Scenario = "class",
    base: int | None = None,
    step: int | None = None,
    tasks: int | None = None,
    groups: Sequence[Sequence[ClassName]] | None = None,
    class_order: ClassOrder = "natural",
    domains: Domains = "permuted",
    imbalance: float = 1.0,
    blurry: float = 0.0,
    seed: int = 0,
    evaluate_on: Literal["test", "validation"] = "test",
) -> Stream:
    """Cut a data set into tasks.

    Classes are cut in one of three ways: ``base`` classes first and ``step`` more in each later
    task (the literature's B0-10 of CIFAR-100 is ``step=10``, B50-10 is ``base=50, step=10``; what
    is left over makes a smaller last task); into ``tasks`` tasks of sizes that differ by at most
    one; or as ``groups`` says, where a class may stand in several groups and its images are then
    shared among them. Labels that no image has are no classes. Images without a label that may be
    used are left out.

    Args:
        data: Where the images come from.
        scenario: ``"class"``, ``"task"`` or ``"domain"``, see :class:`Stream`.
        base: Classes of the first task; ``step`` by default.
        step: Classes of each later task.
        tasks: The number of tasks instead; for whole-image domains, the number of domains.
        groups: The classes of each task instead, by their names or their labels; a text that is
            no name is read as a label.
        class_order: ``"natural"``; ``"seed"``, drawn anew for each run seed; a number, the seed of
            ``numpy.random.RandomState(n).permutation`` (the literature's is 1993); or the classes.
        domains: For ``"domain"``: ``"permuted"`` pixels or ``"rotated"`` images (``tasks`` of
            them, each with all classes), or ``"groups"``: the classes are cut as above and the
            label is the place within the group.
        imbalance: The last class of the order keeps this fraction of its training images, the
            first all, those between exponentially fewer (Cui et al. 2019).
        blurry: This fraction of each class's training images comes in other tasks, evenly shared
            (Bang et al. 2021).
        seed: Of the run.
        evaluate_on: The split that the accuracies are measured on.

    Raises:
        DataError: A task would be empty, or a class has no image to be tested on.
        RangeError: A fraction or a number outside its range; more tasks than classes.
        UsageError: Arguments that do not go together.

    Example:
        >>> from didact.data import load, make_stream
        >>> stream = make_stream(load("digits"), base=4, step=3)
        >>> [stream.task(k).classes for k in range(len(stream))]
        [(0, 1, 2, 3), (4, 5, 6), (7, 8, 9)]
    """
    if data.task != "single-label" or data.is_table:
        what = "a table" if data.is_table else data.task
        raise UsageError(
            f"{data.name} is {what}; classes are learnt from images with one class each"
        )
    train, test = usable(data), getattr(data, evaluate_on)
    if not len(test):
        raise DataError(f"{data.name} has no {evaluate_on} split; give a fraction for it")
    order = order_of(class_order, distinct(train.labels), data.class_names, seed)
    train = imbalanced(train, order, imbalance, seed)
    about = {
        "data": data.name,
        "scenario": scenario,
        "class_order": order,
        "imbalance": imbalance,
        "blurry": blurry,
        "evaluated_on": evaluate_on,
    }
    if scenario == "domain" and domains != "groups":
        if groups is not None or base is not None or step is not None or blurry:
            raise UsageError(f"{domains} domains hold all classes; give their number as tasks")
        trains, tests = domain_splits(train, test, domains, tasks or DEFAULT_DOMAINS, seed)
        return _stream(data, scenario, order, trains, tests, about | {"domains": domains})
    named = None if groups is None else labels_named(groups, data.class_names)
    cut = cut_into_groups(order, base, step, tasks, named)
    order = list(dict.fromkeys(label for group in cut for label in group))
    about |= {"class_order": order, "groups": [list(group) for group in cut]}
    trains = blurred(_shared_out(train, cut), blurry, seed)
    tests = [_of_classes(test, group) for group in cut]
    if scenario == "domain":
        trains, tests = _places(trains, cut), _places(tests, cut)
        return _stream(data, scenario, list(range(len(cut[0]))), trains, tests, about)
    return _stream(data, scenario, order, trains, tests, about)


def usable(data: Data) -> AnySplit:
    """The training images whose labels may be used."""
    if bool(data.labelled.all()):
        return data.train
    return data.train.subset(data.labelled.nonzero().flatten())


def class_counts(classes: int, base: int | None, step: int | None, tasks: int | None) -> list[int]:
    """How many classes each task has.

    Raises:
        RangeError: Fewer than one class in a task, or more than there are.
        UsageError: ``tasks`` and ``step`` together.
    """
    if tasks is not None:
        if base is not None or step is not None:
            raise UsageError("give either the number of tasks or base and step")
        if not 1 <= tasks <= classes:
            raise RangeError(
                f"{tasks} tasks for {classes} classes; expected 1 to {classes}: "
                "each task needs a class of its own"
            )
        return [len(part) for part in np.array_split(np.arange(classes), tasks)]
    step = step if step is not None else (base if base is not None else 2)
    first = base if base is not None else step
    for name, value in (("step", step), ("base", first)):
        if not 1 <= value <= classes:
            raise RangeError(f"{name} is {value}; expected 1 to {classes}, the number of classes")
    counts, left = [first], classes - first
    while left > 0:
        counts.append(min(step, left))
        left -= step
    return counts


def labels_named(groups: Sequence[Sequence[ClassName]], names: Sequence[str]) -> list[list[int]]:
    """The labels of classes that are named by name or label.

    Raises:
        DataError: A text is neither.
    """
    return [[_label(name, names) for name in group] for group in groups]


def _label(name: ClassName, names: Sequence[str]) -> int:
    if isinstance(name, int):
        return name
    if name in names:
        return list(names).index(name)
    if not name.isdecimal():
        raise DataError(f"no class is called {name!r}; {suggest(name, names)}")
    return int(name)


def order_of(given: ClassOrder, present: list[int], names: Sequence[str], seed: int) -> list[int]:
    """The labels that are there, in the order that was asked for.

    Raises:
        UsageError: Not each of them once.
    """
    if isinstance(given, str):
        if given not in ("natural", "seed"):
            raise UsageError(
                f"class_order is {given!r}; expected 'natural', 'seed', a seed such as 1993, "
                "or the labels in order"
            )
        return present if given == "natural" else _permuted(present, seed)
    if isinstance(given, int):
        return _permuted(present, given)
    (labels,) = labels_named([given], names)
    if sorted(labels) != present:
        there = ", ".join(names[label] for label in present)
        raise UsageError(f"class_order is {list(given)}; expected each class once: {there}")
    return labels


def _permuted(present: list[int], seed: int) -> list[int]:
    # The legacy generator is the literature's: np.random.seed(1993); permutation(classes).
    order = np.random.RandomState(seed % 2**32).permutation(len(present))
    return [present[index] for index in order]


def cut_into_groups(
    order: list[int],
    base: int | None,
    step: int | None,
    tasks: int | None,
    groups: Sequence[Sequence[int]] | None,
) -> list[list[int]]:
    """The labels of each task.

    Raises:
        DataError: A group is empty, or names what is not there.
        RangeError: More tasks than classes.
        UsageError: Arguments that do not go together.
    """
    if groups is None:
        ends = np.cumsum([0, *class_counts(len(order), base, step, tasks)]).tolist()
        return [order[a:b] for a, b in pairwise(ends)]
    if base is not None or step is not None or tasks is not None:
        raise UsageError("groups say which classes come when; leave out base, step and tasks")
    for number, group in enumerate(groups, start=1):
        if not group:
            raise DataError(f"task {number} has no class; expected at least one for each task")
        if unknown := sorted(set(group) - set(order)):
            raise DataError(f"task {number} has class {unknown[0]}, of which there is no image")
        if len(set(group)) != len(group):
            raise DataError(f"task {number} names a class twice: {list(group)}")
    if not groups:
        raise DataError("there is no task; expected at least one group of classes")
    return [list(group) for group in groups]


def _shared_out(train: AnySplit, groups: list[list[int]]) -> list[AnySplit]:
    """Each class's images, cut evenly among the tasks that have the class."""
    parts: list[list[Tensor]] = [[] for _ in groups]
    for label in {label for group in groups for label in group}:
        where = (train.labels == label).nonzero().flatten()
        tasks = [number for number, group in enumerate(groups) if label in group]
        for number, part in zip(tasks, where.tensor_split(len(tasks)), strict=True):
            parts[number].append(part)
    return [train.subset(torch.cat(part).sort().values) for part in parts]


def _of_classes(split: AnySplit, group: Sequence[int]) -> AnySplit:
    for label in group:
        if not bool((split.labels == label).any()):
            raise DataError(f"class {label} has no image to be evaluated on")
    return split.subset(places_of(split.labels, group))


def _places(splits: list[AnySplit], groups: list[list[int]]) -> list[AnySplit]:
    """The label becomes the place of the class within its group."""
    sizes = {len(group) for group in groups}
    if len(sizes) > 1:
        raise UsageError(f"domains have {sorted(sizes)} classes; expected the same for each")
    return [
        split.with_labels(mapped(split.labels, group))
        for split, group in zip(splits, groups, strict=True)
    ]


def _stream(
    data: Data,
    scenario: Scenario,
    order: list[int],
    trains: list[AnySplit],
    tests: list[AnySplit],
    protocol: dict[str, Any],
) -> Stream:
    """The labels become columns, in the order in which the classes first appear."""
    if scenario != "domain" or protocol.get("domains"):
        appearing = _appearing(order, trains)
        trains = [split.with_labels(mapped(split.labels, appearing)) for split in trains]
        tests = [split.with_labels(mapped(split.labels, appearing)) for split in tests]
        order = appearing
    sizes = [len(split) for split in trains]
    return Stream(data, scenario, tuple(order), trains, tests, protocol | {"train_sizes": sizes})


def _appearing(order: list[int], trains: list[AnySplit]) -> list[int]:
    seen: dict[int, None] = {}
    for split in trains:
        present = set(distinct(split.labels))
        seen.update((label, None) for label in order if label in present)
    return list(seen)
