"""A user's own data sets: ``pkg.mod:factory`` or ``file.py:factory``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from didact._core.errors import DataError, DidactError
from didact._core.lookup import load as load_object
from didact.data.loading.datasets import class_names_of, split_of_dataset
from didact.data.loading.registry import Parts
from didact.data.splits.data import Data
from didact.data.splits.split import AnySplit
from didact.data.splits.targets import as_targets

_KEYS = ("train", "validation", "test", "class_names")
_EXPECTED = (
    "expected a didact.data.Data, (train, test), (train, validation, test), or a dict with the "
    "keys train, test and perhaps validation and class_names, of torch Datasets of (image, label)"
)


def data_from_factory(
    spec: str, memory_budget: int, task: str = "auto"
) -> tuple[Parts, Tensor | None]:
    """Call the factory and turn what it returns into splits.

    Returns:
        The splits, and which labels may be used if the factory says so itself.

    Raises:
        UnknownNameError: There is no such module, file or attribute.
        DataError: The factory fails, or returns something else.
    """
    return parts_of(_call(spec), spec, memory_budget, task)


def parts_of(
    made: object, spec: str, memory_budget: int, task: str = "auto"
) -> tuple[Parts, Tensor | None]:
    """What a factory returns, or a user gives, as splits; ``spec`` is what messages call it.

    Raises:
        DataError: It is none of what is expected.
    """
    if isinstance(made, Data):
        validation = made.validation if len(made.validation) else None
        return Parts(made.train, made.test, made.class_names, validation), made.labelled
    named = _named(spec, made)
    splits = {
        what: _told(split_of_dataset(named[what], f"{spec}, {what}", memory_budget), task, spec)
        for what in ("train", "validation", "test")
        if named.get(what) is not None
    }
    names = named.get("class_names") or class_names_of(named["train"])
    if names is None:
        labels = splits["train"].labels
        wide = labels.shape[1] if labels.is_floating_point() else int(labels.max()) + 1
        names = [str(number) for number in range(wide)]
    class_names = tuple(str(name) for name in names)
    return Parts(splits["train"], splits["test"], class_names, splits.get("validation")), None


def _told(split: AnySplit, task: str, spec: str) -> AnySplit:
    labels, _ = as_targets(split.labels, task, spec)
    return split if labels is split.labels else split.with_labels(labels)


def _call(spec: str) -> object:
    factory = load_object(spec, what="data set")
    if not callable(factory):
        raise DataError(f"{spec} is a {type(factory).__name__}, not a function that returns data")
    try:
        made: object = factory()
    except DidactError:
        raise
    except Exception as error:
        raise DataError(f"{spec} failed: {type(error).__name__}: {error}") from error
    return made


def _named(spec: str, made: object) -> Mapping[str, Any]:
    if isinstance(made, tuple) and len(made) in (2, 3):
        return dict(zip(("train", "test") if len(made) == 2 else _KEYS[:3], made, strict=True))
    if isinstance(made, Mapping) and {"train", "test"} <= set(made):
        unknown = sorted(set(map(str, made)) - set(_KEYS))
        if not unknown:
            return made
        raise DataError(f"{spec} returned a dict with {', '.join(unknown)}; {_EXPECTED}")
    raise DataError(f"{spec} returned a {type(made).__name__}; {_EXPECTED}")
