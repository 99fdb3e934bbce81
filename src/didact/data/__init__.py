"""Data sets: loading them by name, splitting them, and batches that can be repeated exactly.

``load`` gives a :class:`Data`; :class:`Batches` walks through one of its splits. A new data set is
one new file in ``didact/data/sources``.
"""

from didact.data._augment import AUGMENTATIONS
from didact.data._batches import Batch, Batches
from didact.data._data import Data
from didact.data._load import load
from didact.data._registry import SOURCES, Parts, Request, SourceEntry, discover, source
from didact.data._split import AnySplit, Split, StreamedSplit

discover()

__all__ = [
    "AUGMENTATIONS",
    "SOURCES",
    "AnySplit",
    "Batch",
    "Batches",
    "Data",
    "Parts",
    "Request",
    "SourceEntry",
    "Split",
    "StreamedSplit",
    "load",
    "source",
]
