"""What a source of data is, and the table of all sources.

A source is one file in ``didact/data/sources/``: a function under ``@source(...)`` that turns a
:class:`Request` into :class:`Parts`. Nothing else has to be told about it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType

from didact.data.splits.split import AnySplit


@dataclass(frozen=True, slots=True)
class Request:
    """What a source is asked for.

    Args:
        argument: What follows the colon in ``name:argument``; empty for a plain name.
        data_dir: Where the user keeps data, if told.
        download: Whether the source may fetch what is missing.
        memory_budget: Bytes of images that may lie in memory; above it, images are streamed.
        resize: Height and width that the user wants; a source whose images differ in size needs
            it, another may leave it to :func:`didact.data.load`.
        task: What the labels are, if told; else they are what they look like.
    """

    argument: str
    data_dir: Path | None
    download: bool
    memory_budget: int
    resize: tuple[int, int] | None = None
    task: str = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a source gives: its splits, as published. ``validation`` only where it has its own."""

    train: AnySplit
    test: AnySplit
    class_names: tuple[str, ...]
    validation: AnySplit | None = None


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One line of the list of sources.

    Args:
        name: What the user writes, before the colon if there is one.
        description: One line.
        licence: Of the data.
        shape: Channels, height, width; ``None`` where the user's files decide.
        num_classes: Likewise.
        argument: What stands after the colon, such as ``"PATH"``; empty if nothing does.
        read: From a request to the splits.
    """

    name: str
    description: str
    licence: str
    shape: tuple[int, int, int] | None
    num_classes: int | None
    argument: str
    read: Callable[[Request], Parts]

    @property
    def usage(self) -> str:
        """How it is written: ``digits`` or ``folder:PATH``."""
        return f"{self.name}:{self.argument}" if self.argument else self.name


_sources: dict[str, SourceEntry] = {}
SOURCES: Mapping[str, SourceEntry] = MappingProxyType(_sources)

Reader = Callable[[Request], Parts]


def source(
    name: str,
    *,
    description: str,
    licence: str,
    shape: tuple[int, int, int] | None = None,
    num_classes: int | None = None,
    argument: str = "",
) -> Callable[[Reader], Reader]:
    """Register a reader under ``name``; the arguments are those of :class:`SourceEntry`."""

    def register(read: Reader) -> Reader:
        _sources[name] = SourceEntry(name, description, licence, shape, num_classes, argument, read)
        return read

    return register


def discover(sources: ModuleType) -> None:
    """Import every file of a package of sources that does not begin with an underscore."""
    for module in sorted(pkgutil.iter_modules(sources.__path__), key=lambda m: m.name):
        if not module.name.startswith("_"):
            import_module(f"{sources.__name__}.{module.name}")
