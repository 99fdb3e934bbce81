"""From what the user wrote to :class:`Data`: read, check, split, take labels away, add noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from didact._core.errors import DataError, RangeError, UnknownNameError, UsageError
from didact._core.lookup import choose, is_import_path, suggest
from didact.data.loading.factory import data_from_factory, parts_of
from didact.data.loading.registry import SOURCES, Parts, Request
from didact.data.loading.statistics import channel_statistics
from didact.data.splits.data import Data
from didact.data.splits.resized import resized
from didact.data.splits.split import AnySplit
from didact.data.splits.subsets import (
    complement,
    labelled_mask,
    noisy_labels,
    validation_indices,
)
from didact.data.splits.targets import (
    AUTO,
    TASKS,
    TaskName,
    check_targets,
    strata_of,
    task_of,
)

DEFAULT_MEMORY_BUDGET = 2 * 1024**3
DATASETS = "datasets"
"""What data is called that has no name."""
Datasets = tuple[Any, ...] | Mapping[str, Any]


def load(
    spec: str,
    *,
    data_dir: str | Path | None = None,
    seed: int = 0,
    validation: float = 0.2,
    labelled: float = 1.0,
    label_noise: float = 0.0,
    download: bool = True,
    memory_budget: int = DEFAULT_MEMORY_BUDGET,
    resize: int | tuple[int, int] | None = None,
    task: str = AUTO,
) -> Data:
    """Load a data set and prepare its splits.

    The test images are those that the source names (or a fixed fifth of it, where it names none):
    no option changes them. Validation images are carved out of the training images, stratified,
    unless the source brings its own. ``labelled`` and ``label_noise`` touch training labels alone.

    Args:
        spec: A name of ``SOURCES`` (``"digits"``), a name with a path (``"folder:PATH"``,
            ``"npz:PATH"``), or ``"pkg.mod:factory"`` / ``"file.py:factory"``.
        data_dir: Where the files of a known set lie, or are to be put.
        seed: Decides which images validate, which labels are kept, which are changed.
        validation: A fraction in ``[0, 1)`` of the training images, or a whole number of them.
        labelled: A fraction in ``(0, 1]`` of the training labels, or a whole number of them.
            Stratified; at least one of each class.
        label_noise: A fraction in ``[0, 1)``: exactly that many (rounded) of the labels that may
            be used are replaced by another class, each with equal chance.
        download: Whether a known set may be fetched when it is not there.
        memory_budget: Bytes of images that may lie in memory; above it, they are streamed.
        resize: Height and width, or one number for both: images are scaled until they cover it
            and cut at the centre.
        task: What the labels are, a name of ``TASKS``; by default what they look like.

    Raises:
        UnknownNameError: No source has this name.
        DataError: The data is missing, damaged or inconsistent.
        RangeError: A fraction is outside its range.

    Example:
        >>> data = load("digits", labelled=0.1)
        >>> data.image_shape, data.num_classes, int(data.labelled.sum())
        ((1, 8, 8), 10, 115)
    """
    source = read_source(
        spec,
        data_dir=data_dir,
        download=download,
        memory_budget=memory_budget,
        resize=resize,
        task=task,
    )
    return prepare(
        source, seed=seed, validation=validation, labelled=labelled, label_noise=label_noise
    )


@dataclass(frozen=True, eq=False)
class Source:
    """What was read of a data set, before anything is drawn.

    Attributes:
        spec: What the user asked for.
        parts: The splits as published.
        labelled: Which training labels may be used, where the data says so itself.
        task: What the labels are.
    """

    spec: str
    parts: Parts
    labelled: Tensor | None = None
    task: TaskName = "single-label"


def read_source(
    spec: str | Datasets,
    *,
    data_dir: str | Path | None = None,
    download: bool = True,
    memory_budget: int = DEFAULT_MEMORY_BUDGET,
    resize: int | tuple[int, int] | None = None,
    task: str = AUTO,
) -> Source:
    """Read a data set, once for several seeds.

    The arguments and errors are those of ``load``, but that datasets may be given as they are:
    ``(train, test)``, ``(train, validation, test)``, or a dictionary as a factory returns it.
    """
    folder = None if data_dir is None else Path(data_dir).expanduser()
    size = _checked_size(resize)
    task = choose(task, {name: name for name in (AUTO, *TASKS)}, what="task")
    if isinstance(spec, str):
        parts, known_mask = _read(spec, folder, download, memory_budget, size, task)
    else:
        parts, known_mask = parts_of(spec, DATASETS, memory_budget, task)
        spec = DATASETS
    if size is not None and len(parts.train.image_shape) == 1:
        raise UsageError(f"{spec} is a table; --resize is for images")
    if size is not None:
        held_out = parts.validation
        parts = replace(
            parts,
            train=resized(parts.train, size),
            test=resized(parts.test, size),
            validation=None if held_out is None else resized(held_out, size),
        )
    found = task_of(parts.train.labels) if task == AUTO else cast("TaskName", task)
    _check(spec, parts, found)
    return Source(spec, parts, known_mask, found)


def prepare(
    source: Source,
    *,
    seed: int = 0,
    validation: float = 0.2,
    labelled: float = 1.0,
    label_noise: float = 0.0,
) -> Data:
    """The splits of one seed; they share the images that were read.

    The arguments and errors are those of ``load``.
    """
    spec, parts = source.spec, source.parts
    train, held_out, mask = _carve(source, validation, seed)
    num_classes = len(parts.class_names)
    if labelled != 1.0 and not bool(mask.all()):
        raise UsageError(
            f"{spec} says itself which of its labels may be used; leave labelled at 1.0"
        )
    if labelled != 1.0:
        mask = labelled_mask(*_strata(train.labels, source), labelled, seed, spec)
    mean, std = channel_statistics(train)
    if label_noise and source.task != "single-label":
        raise UsageError(f"label_noise is for single-label data; {spec} is {source.task}")
    noisy = noisy_labels(train.labels, mask, num_classes, label_noise, seed)
    return Data(
        name=spec,
        train=train.with_labels(noisy),
        validation=held_out,
        test=parts.test,
        class_names=parts.class_names,
        mean=mean,
        std=std,
        labelled=mask,
        task=source.task,
    )


def _checked_size(resize: int | tuple[int, int] | None) -> tuple[int, int] | None:
    size = (resize, resize) if isinstance(resize, int) else resize
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise RangeError(f"resize is {resize}; expected a height and a width of at least 1 pixel")
    return size


def _read(
    spec: str,
    data_dir: Path | None,
    download: bool,
    memory_budget: int,
    resize: tuple[int, int] | None,
    task: str,
) -> tuple[Parts, Tensor | None]:
    name, _, argument = spec.partition(":")
    entry = SOURCES.get(name)
    if entry is None and is_import_path(spec):
        return data_from_factory(spec, memory_budget, task)
    if entry is None and spec and Path(spec).expanduser().is_dir():
        entry, argument = SOURCES["folder"], spec
    if entry is None:
        usages = [e.usage for e in SOURCES.values()]
        raise UnknownNameError(
            f"no data set is called {spec!r}; {suggest(name, SOURCES)} "
            f"(known: {', '.join(sorted(usages))}, pkg.mod:factory, file.py:factory)"
        )
    if bool(entry.argument) != bool(argument):
        raise UsageError(f"the data set is {spec!r}; expected {entry.usage!r}")
    request = Request(argument, data_dir, download, memory_budget, resize, task)
    return entry.read(request), None


def _check(name: str, parts: Parts, task: TaskName) -> None:
    num_classes, train = len(parts.class_names), parts.train
    if len(train) == 0 or len(parts.test) == 0:
        which = "training" if len(train) == 0 else "test"
        raise DataError(f"{name}: there is no {which} image")
    check_targets(train.labels, num_classes, task, f"{name}, training")
    if task in ("multi-label", "regression"):
        return
    if num_classes < 2:
        raise DataError(f"{name}: there is only one class; a classifier needs two or more")
    if len(train) < num_classes:
        raise DataError(
            f"{name}: {len(train)} training images are fewer than the {num_classes} classes"
        )
    if task == "soft-label":
        return
    present = torch.bincount(train.labels, minlength=num_classes) > 0
    if not bool(present.all()):
        missing = int((~present).nonzero()[0])
        raise DataError(
            f"{name}: class {missing} ({parts.class_names[missing]!r}) has no training image; "
            f"labels must be 0..{num_classes - 1}, and each class needs at least one image "
            "(numpy.unique(y, return_inverse=True)[1] renumbers labels that have gaps)"
        )


def _carve(source: Source, validation: float, seed: int) -> tuple[AnySplit, AnySplit, Tensor]:
    """Training split, validation split, and which training labels may be used."""
    parts, known_mask = source.parts, source.labelled
    train = parts.train
    mask = torch.ones(len(train), dtype=torch.bool) if known_mask is None else known_mask
    if parts.validation is not None:
        return train, parts.validation, mask
    strata = _strata(train.labels, source)
    held_out = validation_indices(*strata, validation, seed, source.spec)
    kept = complement(held_out, len(train))
    return train.subset(kept), train.subset(held_out), mask[kept]


def _strata(labels: Tensor, source: Source) -> tuple[Tensor, int]:
    """By what labels are set aside in proportion, and how many kinds of it there are."""
    strata, kinds = strata_of(labels, source.task)
    single = source.task == "single-label"
    return strata, len(source.parts.class_names) if single else kinds
