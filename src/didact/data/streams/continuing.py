"""Further tasks of a model that knows some classes already: classes are told apart by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from didact._core.errors import DataError, UsageError
from didact.data.splits.data import Data
from didact.data.splits.labels import distinct, places_of
from didact.data.splits.split import AnySplit, Split, StreamedSplit
from didact.data.streams.protocol import (
    ClassName,
    ClassOrder,
    cut_into_groups,
    labels_named,
    order_of,
    usable,
)
from didact.data.streams.stream import Stream


@dataclass(frozen=True)
class Known:
    """What a model knows before further tasks.

    Attributes:
        class_names: The name of each column.
        tasks: The columns of each task that it has learned.
        mean: Per channel, by which images are normalised.
        std: Likewise.
        image_shape: Of the images that it takes; None for those of the data.
    """

    class_names: tuple[str, ...]
    tasks: tuple[tuple[int, ...], ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    image_shape: tuple[int, ...] | None = None


def continue_stream(
    data: Data,
    known: Known,
    *,
    step: int | None = None,
    tasks: int | None = None,
    groups: Sequence[Sequence[ClassName]] | None = None,
    class_order: ClassOrder = "natural",
    seed: int = 0,
    evaluate_on: Literal["test", "validation"] = "test",
) -> Stream:
    """The tasks learned before, with what the data has of them, and the data's new classes.

    A class of the data is an old one if its name is known; it keeps its column. All other classes
    come in one task, or cut by ``step``, ``tasks`` or ``groups`` as in :func:`make_stream`; classes
    that no group names are left out, and an old class that a group names comes back with all its
    images. The images of the other old classes are there for the methods that want them, and
    their test images measure what was kept.

    Args:
        data: New images, with images of old classes or without.
        known: What there is before.
        step: Classes of each new task.
        tasks: The number of new tasks instead.
        groups: The names, or labels, of each new task instead.
        class_order: Of the new classes, see :func:`make_stream`.
        seed: Of the run.
        evaluate_on: The split that the accuracies are measured on.

    Raises:
        DataError: There is no new class, images are of another shape, or names are ambiguous.
        RangeError: More tasks than new classes.
        UsageError: Arguments that do not go together.
    """
    data = _fitting(_single(data), known)
    train, test = usable(data), getattr(data, evaluate_on)
    present, names = distinct(train.labels), data.class_names
    old = {name: column for column, name in enumerate(known.class_names)}
    cut = _cut(data, present, old, step, tasks, groups, class_order, seed)
    coming = list(dict.fromkeys(label for group in cut for label in group))
    fresh = [label for label in coming if names[label] not in old]
    column_of = {label: old[names[label]] for label in range(len(names)) if names[label] in old}
    column_of |= {label: len(old) + place for place, label in enumerate(fresh)}
    table = torch.tensor([column_of.get(label, -1) for label in range(len(names))])
    before = [label for label in present if names[label] in old and label not in coming]
    trains = [*_of_old_tasks(train, before, table, known.tasks)]
    trains += [_columns_of(train, group, table) for group in cut]
    tests = [_columns_of(test, group, table) for group in cut]
    for group, split in zip(cut, tests, strict=True):
        for label in group:
            if int(table[label]) not in distinct(split.labels):
                raise DataError(f"class {names[label]!r} has no image to be evaluated on")
    measured = _columns_of(test, [label for label in column_of if label not in coming], table)
    sizes = [sum(map(len, trains[: len(known.tasks)])), *map(len, trains[len(known.tasks) :])]
    whole = (*known.class_names, *(names[label] for label in fresh))
    protocol = {
        "data": data.name,
        "scenario": "class",
        "class_order": list(range(len(whole))),
        "groups": [sorted(old.values()), *([int(table[k]) for k in group] for group in cut)],
        "imbalance": 1.0,
        "blurry": 0.0,
        "evaluated_on": evaluate_on,
        "known": len(old),
        "train_sizes": sizes if len(measured) else sizes[1:],
    }
    return Stream(
        data=_with_columns(data, train, test, table, whole),
        scenario="class",
        class_order=tuple(range(len(whole))),
        trains=trains,
        tests=[measured, *tests] if len(measured) else tests,
        protocol=protocol,
        past=known.tasks,
    )


def _single(data: Data) -> Data:
    if data.task != "single-label" or data.is_table:
        what = "a table" if data.is_table else data.task
        raise UsageError(
            f"{data.name} is {what}; classes are learnt from images with one class each"
        )
    if len(set(data.class_names)) < len(data.class_names):
        twice = next(n for n in data.class_names if data.class_names.count(n) > 1)
        raise DataError(f"{data.name} has two classes called {twice!r}; expected different names")
    return data


def _cut(
    data: Data,
    present: list[int],
    old: dict[str, int],
    step: int | None,
    tasks: int | None,
    groups: Sequence[Sequence[ClassName]] | None,
    class_order: ClassOrder,
    seed: int,
) -> list[list[int]]:
    """The labels of each new task."""
    names = data.class_names
    if groups is not None:
        return cut_into_groups(present, None, step, tasks, labels_named(groups, names))
    new = [label for label in present if names[label] not in old]
    if not new:
        raise DataError(
            f"{data.name} has no class that is new: {_some([names[k] for k in present])} are known "
            "already; give images of others, or name those that come back with groups"
        )
    order = order_of(class_order, new, names, seed)
    if step is None and tasks is None:
        tasks = 1
    return cut_into_groups(order, None, step, tasks, None)


def _fitting(data: Data, known: Known) -> Data:
    """The data in the model's normalisation, grey images with as many channels as it takes."""
    shape = known.image_shape or data.image_shape
    if data.image_shape != shape:
        if (data.image_shape[0], *shape[1:]) != (1, *data.image_shape[1:]):
            raise DataError(
                f"{data.name} has images of {data.image_shape} and the model takes {shape} "
                "(channels, height, width); give --resize, or images with as many channels"
            )
        splits = [coloured(s, shape[0]) for s in (data.train, data.validation, data.test)]
        train, validation, test = splits
        data = replace(data, train=train, validation=validation, test=test)
    channels = data.image_shape[0]
    mean, std = (_each(values, channels) for values in (known.mean, known.std))
    return replace(data, mean=mean, std=std)


def _each(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    if len(values) not in (1, channels):
        raise UsageError(
            f"the normalisation is of {len(values)} channels and the images have {channels}; "
            "expected one number or one for each channel"
        )
    return values * channels if len(values) == 1 else values


def coloured(split: AnySplit, channels: int) -> AnySplit:
    """Grey images with as many channels, all alike; others as they are."""
    if split.image_shape[0] == channels:
        return split
    if isinstance(split, Split):
        return Split(split.images.expand(-1, channels, -1, -1), split.labels)
    shape = (channels, *split.image_shape[1:])
    read = partial(_read_coloured, split=split, channels=channels)
    return StreamedSplit(read, torch.arange(len(split)), split.labels, shape, split.varies)


def _read_coloured(position: int, *, split: StreamedSplit, channels: int) -> Tensor:
    return split.read(int(split.positions[position])).expand(channels, -1, -1)


def _columns_of(split: AnySplit, labels: Sequence[int], table: Tensor) -> AnySplit:
    """The images of these labels, whose columns become their labels."""
    part = split.subset(places_of(split.labels, labels))
    return part.with_labels(table[part.labels])


def _of_old_tasks(
    train: AnySplit, labels: Sequence[int], table: Tensor, tasks: Sequence[Sequence[int]]
) -> list[AnySplit]:
    """What there is of each old task; a class that came back is with the first that had it."""
    found, done = [], set[int]()
    for columns in tasks:
        here = [label for label in labels if int(table[label]) in set(columns) - done]
        done |= set(columns)
        found.append(_columns_of(train, here, table))
    return found


def _with_columns(
    data: Data, train: AnySplit, test: AnySplit, table: Tensor, names: tuple[str, ...]
) -> Data:
    """The data that is used, its classes numbered by their columns."""
    used = (table >= 0).nonzero().flatten().tolist()
    kept = _columns_of(train, used, table)
    return replace(
        data,
        train=kept,
        validation=_columns_of(data.validation, used, table),
        test=_columns_of(test, used, table),
        class_names=names,
        labelled=torch.ones(len(kept), dtype=torch.bool),
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
