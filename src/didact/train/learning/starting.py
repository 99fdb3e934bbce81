"""What a run begins with, where it does not begin with nothing: an earlier run, or a network."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from didact._core import digest
from didact._core.errors import CheckpointError, ModelError, UsageError
from didact.data import Known, Split, Stream, Task
from didact.data.splits.labels import distinct
from didact.methods import Method
from didact.train.learning.learner import FILE, Learner, LearnerHeader, header_of, normalisation_of
from didact.train.learning.networks import NetworkSource
from didact.train.learning.record import cell_folder
from didact.train.learning.settings import LearnSettings
from didact.train.loop.schedule import seed_everything
from didact.train.record.files import make_folder, read_header, remove, write_bytes
from didact.train.record.run_folder import BEFORE

PROBE = 15


@dataclass(frozen=True)
class Start:
    """An earlier run's learners.

    Attributes:
        root: The folder below which they lie as in a run folder.
    """

    root: Path

    def file(self, name: str, seed: int) -> Path:
        """The learner of a method and seed.

        Raises:
            CheckpointError: There is none.
        """
        path = cell_folder(self.root, name, seed) / FILE
        if not path.is_file():
            raise CheckpointError(
                f"there is no {path}: {name} of seed {seed} cannot be continued. With its network "
                "alone go on by --continue model.safetensors"
            )
        return path

    def header(self, name: str, seed: int) -> LearnerHeader:
        """What the file of a learner says."""
        path = self.file(name, seed)
        return header_of(path, read_header(path)[1])

    def copy_to(self, folder: Path, cells: Sequence[tuple[str, int]]) -> None:
        """Put the learners of these methods and seeds into a run folder that begins with them."""
        for name, seed in cells:
            target = cell_folder(folder / BEFORE, name, seed)
            make_folder(target)
            write_bytes(target / FILE, self.file(name, seed).read_bytes())


def start_of(settings: LearnSettings, folder: Path | None = None) -> Start | None:
    """The earlier run that the settings name; its copy in the run folder, once that is there."""
    if settings.continues is None:
        return None
    if folder is not None and (folder / BEFORE).is_dir():
        return Start(folder / BEFORE)
    return Start(Path(settings.continues).expanduser())


def forget_start(folder: Path) -> None:
    """The run is complete; what it began with stands in the earlier run."""
    for path in sorted((folder / BEFORE).rglob(f"*{FILE}")):
        remove(path)
    shutil.rmtree(folder / BEFORE, ignore_errors=True)  # empty folders are left to nobody's harm


def known_of(
    settings: LearnSettings, start: Start | None, source: NetworkSource, seed: int
) -> Known | None:
    """What is known before the first task of a seed; None where nothing is.

    Raises:
        CheckpointError: The earlier run has no such learner.
        UsageError: The normalisation of a network from elsewhere is not said.
    """
    if start is not None:
        about = start.header(settings.method[0], seed)
        return Known(
            tuple(about.class_names),
            tuple(map(tuple, about.tasks)),
            tuple(about.mean),
            tuple(about.std),
            tuple(about.image_shape),
        )
    header = source.header
    names = settings.known or ()
    if not names and settings.begins_trained:
        names = tuple(header.class_names or ())
    if not names:
        return None
    read = normalisation_of(settings.normalise, source.header)
    if read is None:
        raise UsageError(
            "the network was trained elsewhere, and nobody says how its images were normalised; "
            "give --normalise imagenet, none, or MEAN/STD such as 0.5/0.5"
        )
    shape = None if header.image_shape is None else tuple(header.image_shape)
    return Known(tuple(names), (tuple(range(len(names))),), read.mean, read.std, shape)


def digest_of_start(
    start: Start | None, settings: LearnSettings, source: NetworkSource, seed: int
) -> str:
    """What tells one start from another; empty where there is none."""
    files = [] if source.file is None else [source.file]
    if start is not None:
        files = [start.file(name, seed) for name in settings.method]
    return "".join(digest.of_file(file) for file in files)


def refuse_blind(
    name: str,
    learner: Callable[[], Learner],
    stream: Stream,
    *,
    from_network: bool,
) -> list[str]:
    """Refuse a method that cannot go on with what there is; what is doubtful is said.

    Args:
        name: Of the method.
        learner: A new one, at the beginning.
        stream: What it is going to learn.
        from_network: Whether it begins with a network alone.

    Raises:
        UsageError: It needs images of old classes, or a head of its own must be trained first.
        ModelError: The network has random weights.
    """
    missing = without_images(stream)
    one = learner()
    if one.method.sees_all_tasks and missing:
        raise UsageError(
            f"{name} learns from the images of all tasks at once, and the data has none of "
            f"{_some(missing)}; give theirs too, or take a method that needs none, such as lwf"
        )
    if from_network:
        _refuse_untrained(learner, stream)
        _refuse_other_head(name, learner(), stream)
        kept = sorted(_keeps_of_images(learner(), stream)) if missing else []
        if kept:
            raise UsageError(
                f"{name} keeps {', '.join(kept)} of the images of each class, and the data has "
                f"none of {_some(missing)}; give theirs too, or take a method that needs none, "
                "such as lwf"
            )
    keeps = one.method.memory.enabled
    has = set(one.method.memory.labels.tolist())
    bare = [n for n in missing if stream.class_names.index(n) not in has]
    notes = [one.method.about_given_head() if from_network else ""]
    if keeps and bare:
        notes += [f"{name} has no exemplar of {_some(bare)} and replays none: it may forget them"]
    return [note for note in notes if note]


def without_images(stream: Stream) -> list[str]:
    """The names of old classes that the data has no training image of."""
    old = {column for columns in stream.past for column in columns}
    there = {column for split in stream.trains for column in distinct(split.labels)}
    return [stream.class_names[column] for column in sorted(old - there)]


def _first(learner: Learner, stream: Stream) -> Method:
    method = learner.method
    method.task = stream.task(0, with_earlier=method.sees_all_tasks)
    method.grow(method.task)
    return method.to(method.setting.device).eval()


def _noise(learner: Learner, classes: int) -> Split:
    """Two images of noise for each class."""
    generator = torch.Generator().manual_seed(PROBE)
    shape = (2 * classes, *learner.data.image_shape)
    images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    return Split(images, torch.arange(2 * classes) % classes)


@torch.no_grad()
def _refuse_untrained(learner: Callable[[], Learner], stream: Stream) -> None:
    """Two networks that were built alike have the same weights, if these come from somewhere."""
    found = []
    for seed in (1, 2):
        seed_everything(seed, PROBE)
        one = learner()
        network = one.method.setting.build_network(stream.task(0).seen)
        found.append(network.state_dict())
    differ = [name for name, value in found[0].items() if not value.equal(found[1][name])]
    if differ:
        raise ModelError(
            f"the network begins with random numbers in {_some(differ)}: without training of the "
            "first task it must come trained, head and all: --model file.py:Net=WEIGHTS, or a "
            "function that loads them"
        )


@torch.no_grad()
def _refuse_other_head(name: str, learner: Learner, stream: Stream) -> None:
    method = _first(learner, stream)
    images = _noise(learner, 1)
    network = method.setting.build_network(stream.task(0).seen).eval()
    expected = method.map_images(images, network)
    got = method.map_images(images, method.logits)
    if got.shape != expected.shape or not torch.allclose(got, expected, rtol=1e-3, atol=1e-4):
        raise UsageError(
            f"{name} has a classifier of its own kind in the place of the network's, and it must "
            "be trained: leave --first-epochs at 1 or more, or take a method that keeps the "
            "network's, such as lwf"
        )


def _keeps_of_images(learner: Learner, stream: Stream) -> set[str]:
    """What a method keeps of a task's images beside exemplars, tried on noise."""
    seed_everything(0, PROBE)
    method = _first(learner, stream)
    whole = stream.task(0)
    task = Task(
        whole.index, whole.classes, whole.columns, 0, whole.seen, _noise(learner, whole.seen)
    )
    method.task = task
    method.begin_task(task)
    before = copy.copy(dict(method.kept))
    method.after_task(task)
    after = dict(method.kept)
    changed = [n for n, v in after.items() if n not in before or not v.equal(before[n])]
    return {name.partition(".")[0] for name in changed}


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
