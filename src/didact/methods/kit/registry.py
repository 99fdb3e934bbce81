"""The methods by name; a method is one file of this folder with one decorated class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

from didact._core.errors import UnknownNameError, UsageError
from didact._core.lookup import is_import_path, load, suggest
from didact.methods.kit.base import Method

T = TypeVar("T", bound=type[Method])


@dataclass(frozen=True)
class MethodEntry:
    """One line of the list of methods.

    Attributes:
        name: What the user writes.
        method: The class.
        summary: One line.
        paper: Authors, year, identifier.
        group: One of :data:`GROUPS`, under which the page of the methods has it.
    """

    name: str
    method: type[Method]
    summary: str
    paper: str
    group: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """The hyperparameters and their defaults."""
        return dataclasses.asdict(self.method.Options())


METHODS: dict[str, MethodEntry] = {}
"""Every method by name."""


GROUPS = (
    "Bounds",
    "Without exemplars",
    "Exemplars replayed",
    "Exemplars and distillation",
    "Networks that expand",
    "Frozen backbones",
    "Pre-trained transformers",
)
"""The parts of the page of the methods, in order."""


def method(name: str, *, summary: str, paper: str, group: str = "") -> Callable[[T], T]:
    """Register the decorated class; the arguments are those of :class:`MethodEntry`.

    Example:
        >>> from didact.methods import Method, method
        >>> @method("mine", summary="Does nothing special.", paper="none")
        ... class Mine(Method):
        ...     def losses(self, batch):
        ...         logits = self.logits(batch.images)
        ...         return {"classification": self.cross_entropy(logits, batch.labels)}
    """

    def register(cls: T) -> T:
        METHODS[name] = MethodEntry(name, cls, summary, paper, group)
        return cls

    return register


def find_method(name: str) -> MethodEntry:
    """The method of a name, or a class given as ``pkg.mod:Name`` or ``file.py:Name``.

    Raises:
        UnknownNameError: Nothing has that name; the message suggests near ones.
        UsageError: What was named is not a subclass of :class:`Method`.
    """
    if name in METHODS:
        return METHODS[name]
    if not is_import_path(name):
        raise UnknownNameError(
            f"no method is called {name!r}; {suggest(name, METHODS)} "
            "(a method of your own is pkg.mod:Name or file.py:Name)"
        )
    found = load(name, what="method")
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise UsageError(f"{name} is {found!r}; expected a subclass of didact.methods.Method")
    summary = (found.__doc__ or name).strip().splitlines()[0]
    return MethodEntry(name, found, summary, "none")


def build_options(entry: MethodEntry, given: Mapping[str, Any]) -> Any:
    """The method's hyperparameters: its defaults but for what is given.

    Raises:
        UsageError: No hyperparameter has that name, or the value is of the wrong type.
    """
    defaults = entry.options
    for name, value in given.items():
        if name not in defaults:
            raise UsageError(f"{entry.name} has no option {name!r}; {suggest(name, defaults)}")
        kind = type(defaults[name])
        fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
        if defaults[name] is not None and (not fits or isinstance(value, bool) != (kind is bool)):
            raise UsageError(
                f"{entry.name}.{name} is {value!r}; expected {kind.__name__}, "
                f"such as {defaults[name]!r}"
            )
    return entry.method.Options(**given)


def discover() -> None:
    """Import every file of ``didact.methods``: a file there is a method."""
    package = import_module("didact.methods")
    for found in iter_modules(package.__path__):
        if not found.ispkg:
            import_module(f"didact.methods.{found.name}")
