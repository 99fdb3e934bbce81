"""The models by name, and how a file adds a family of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Protocol

from torch import nn

from didact._core.errors import ModelError, UnknownNameError
from didact._core.lookup import is_import_path, suggest
from didact.nn.inspection.dry_run import ImageShape


class Builder(Protocol):
    """Builds one model of a family; ``sizes`` are the numbers in the name."""

    def __call__(
        self, sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int
    ) -> nn.Module:
        """A model with these sizes."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the zoo.

    Attributes:
        name: What :func:`build_model` is called with: ``"resnet20"``.
        form: All names of the family, ``"wrn-DEPTH-WIDTH"``.
        sizes: The numbers in the name.
        build: The family's builder.
        summary: One line.
        paper: Where it comes from.
        feature_paths: The modules to tap, from the stem to the penultimate feature.
        classifier: The path of the linear layer that gives the logits.
    """

    name: str
    form: str
    sizes: tuple[int, ...]
    build: Builder
    summary: str
    paper: str
    feature_paths: tuple[str, ...]
    classifier: str = "classifier"

    @property
    def embedding(self) -> str:
        """The path of the module whose output is the penultimate feature."""
        return self.feature_paths[-1]


@dataclass(frozen=True, slots=True)
class _Family:
    pattern: re.Pattern[str]
    entry: ModelEntry
    paths: Callable[[tuple[int, ...]], tuple[str, ...]]

    def find(self, name: str) -> ModelEntry | None:
        match = self.pattern.fullmatch(name)
        if match is None:
            return None
        numbers = " ".join(group for group in match.groups() if group)
        sizes = tuple(int(digits) for digits in re.findall(r"\d+", numbers))
        return replace(self.entry, name=name, sizes=sizes, feature_paths=self.paths(sizes))


_FAMILIES: list[_Family] = []
_ENTRIES: dict[str, ModelEntry] = {}


def model(
    *names: str,
    pattern: str,
    form: str,
    summary: str,
    paper: str,
    feature_paths: Sequence[str] | Callable[[tuple[int, ...]], tuple[str, ...]],
) -> Callable[[Builder], Builder]:
    """Register the decorated builder as a family of models.

    Args:
        names: The names of it that are listed.
        pattern: A regular expression for all its names; the digits in its groups are the sizes.
        form: The same for people: ``"wrn-DEPTH-WIDTH"``.
        summary: One line.
        paper: Authors, year, identifier.
        feature_paths: The modules to tap, or a function from the sizes to them.

    Example:
        >>> from torch import nn
        >>> from didact.nn import build_model, model
        >>> @model("linear", pattern="linear", form="linear", summary="One layer.", paper="none",
        ...        feature_paths=("0",))
        ... def build_linear(sizes, *, image_shape, num_classes):
        ...     return nn.Sequential(nn.Flatten(), nn.Linear(image_shape[1] ** 2, num_classes))
        >>> build_model("linear", image_shape=(1, 8, 8), num_classes=10)[1].out_features
        10
    """

    def register(builder: Builder) -> Builder:
        paths = feature_paths if callable(feature_paths) else lambda _: tuple(feature_paths)
        template = ModelEntry("", form, (), builder, summary, paper, ())
        family = _Family(re.compile(pattern), template, paths)
        for name in names:
            entry = family.find(name)
            if entry is None or name in _ENTRIES:
                raise ModelError(f"the model name {name!r} is taken, or not of the form {form}")
            _ENTRIES[name] = entry
        _FAMILIES.append(family)
        return builder

    return register


class _Models(Mapping[str, ModelEntry]):
    """The listed models by name; any other name of a family, such as ``wrn-28-10``, works too."""

    def __getitem__(self, name: str) -> ModelEntry:
        if name in _ENTRIES:
            return _ENTRIES[name]
        for family in _FAMILIES:
            if entry := family.find(name):
                return entry
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_ENTRIES)

    def __len__(self) -> int:
        return len(_ENTRIES)


MODELS: Mapping[str, ModelEntry] = _Models()
"""Every model by name."""


def discover(families: ModuleType) -> None:
    """Import every file of a package of models, so that its families are registered."""
    for found in iter_modules(families.__path__):
        import_module(f"{families.__name__}.{found.name}")


def build_model(name: str, *, image_shape: ImageShape, num_classes: int) -> nn.Module:
    """A new model, initialised from torch's random state.

    Args:
        name: A name of :data:`MODELS`, ``timm:NAME`` or ``torchvision:NAME`` where those are
            installed, or ``pkg.mod:Name`` / ``file.py:Name`` for a class or function of your own,
            which is called with those of ``num_classes``, ``image_shape`` and ``in_channels``
            that it has parameters for.
        image_shape: ``(channels, height, width)``.
        num_classes: The number of logits.

    Returns:
        The model: ``(batch, *image_shape)`` to ``(batch, num_classes)``.

    Raises:
        UnknownNameError: Nothing has that name; the message suggests near ones.
        ModelError: The model cannot be built for such images, or does not give such logits.
        MissingDependencyError: timm or torchvision is asked for and not installed.

    Example:
        >>> from didact.nn import build_model, count_parameters
        >>> count_parameters(build_model("resnet20", image_shape=(3, 32, 32), num_classes=100))
        278324
    """
    from didact.nn.catalogue.outside import LIBRARIES, build_from_library, build_from_path

    check_request(name, image_shape, num_classes)
    if name in MODELS:
        return MODELS[name].build(
            MODELS[name].sizes, image_shape=image_shape, num_classes=num_classes
        )
    library, colon, rest = name.partition(":")
    if colon and library in LIBRARIES:
        return build_from_library(library, rest, image_shape=image_shape, num_classes=num_classes)
    if is_import_path(name):
        return build_from_path(name, image_shape=image_shape, num_classes=num_classes)
    raise UnknownNameError(
        f"no model is called {name!r}; {suggest(name, MODELS)} "
        "(a model of your own is pkg.mod:Name or file.py:Name)"
    )


def check_request(name: str, image_shape: ImageShape, num_classes: int) -> None:
    """Refuse an image shape or a number of classes that no model can have."""
    if len(image_shape) not in (1, 3) or any(not isinstance(n, int) or n < 1 for n in image_shape):
        raise ModelError(
            f"{name}: image_shape is {image_shape!r}; expected (channels, height, width), each >= 1"
        )
    if len(image_shape) == 1 and name in MODELS and not name.startswith("mlp"):
        raise ModelError(
            f"{name} takes images, and the data is a table of {image_shape[0]} columns; take mlp, "
            "mlp-64-32 or the like, or a model of your own: file.py:Name"
        )
    if not isinstance(num_classes, int) or num_classes < 1:
        raise ModelError(f"{name}: num_classes is {num_classes!r}; expected a whole number >= 1")


def check_side(name: str, image_shape: ImageShape, *, minimum: int) -> None:
    """Refuse images that a model would shrink to nothing.

    Raises:
        ModelError: The image is smaller than ``minimum`` on one side.
    """
    if min(image_shape[1:]) < minimum:
        raise ModelError(
            f"{name} needs images of at least {minimum}x{minimum} and these are "
            f"{image_shape[1]}x{image_shape[2]}; mlp takes images of any size"
        )


def check_sizes(name: str, sizes: Sequence[int]) -> None:
    """Refuse a name with a zero in it, or with one so large that it must be a slip.

    Raises:
        ModelError: A size is 0 or more than 65536.
    """
    if any(size < 1 or size > 65536 for size in sizes) or math.prod(sizes) > 2**40:
        raise ModelError(f"{name}: the sizes are {tuple(sizes)}; expected numbers from 1 to 65536")
