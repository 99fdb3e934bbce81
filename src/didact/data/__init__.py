"""Data sets: loading them by name, splitting them, and batches that can be repeated exactly.

``load`` gives a :class:`Data`; :class:`Batches` walks through one of its splits. A new data set is
one new file in ``didact/data/sources``.
"""

from didact._core.optional import expect

expect("numpy", "torch", "PIL", "jaxtyping", "pooch")

from didact.data import sources
from didact.data.batches.augment import AUGMENTATIONS
from didact.data.batches.batches import Batch, Batches
from didact.data.batches.mixing import Mixing
from didact.data.loading.load import DATASETS, Datasets, Source, load, prepare, read_source
from didact.data.loading.registry import SOURCES, Parts, Request, SourceEntry, discover, source
from didact.data.memory.herding import herding
from didact.data.memory.memory import CHOICES, Choice, Memory
from didact.data.splits.data import Data
from didact.data.splits.joined import joined
from didact.data.splits.seeds import derived_seed, generator_for
from didact.data.splits.split import AnySplit, Split, StreamedSplit
from didact.data.splits.targets import TASKS, TaskName, is_labelled, task_of
from didact.data.streams.continuing import Known, continue_stream
from didact.data.streams.domains import DEFAULT_DOMAINS
from didact.data.streams.protocol import ClassName, ClassOrder, make_stream
from didact.data.streams.stream import Scenario, Stream, Task

discover(sources)

__all__ = [
    "AUGMENTATIONS",
    "CHOICES",
    "DATASETS",
    "DEFAULT_DOMAINS",
    "SOURCES",
    "TASKS",
    "AnySplit",
    "Batch",
    "Batches",
    "Choice",
    "ClassName",
    "ClassOrder",
    "Data",
    "Datasets",
    "Known",
    "Memory",
    "Mixing",
    "Parts",
    "Request",
    "Scenario",
    "Source",
    "SourceEntry",
    "Split",
    "Stream",
    "StreamedSplit",
    "Task",
    "TaskName",
    "continue_stream",
    "derived_seed",
    "generator_for",
    "herding",
    "is_labelled",
    "joined",
    "load",
    "make_stream",
    "prepare",
    "read_source",
    "source",
    "task_of",
]
