"""One small run of each method, watched from inside, for the contract of methods."""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

import torch
from safetensors.torch import load_file
from torch import Tensor

from didact.data import Data, Split, Stream, Task, load
from didact.methods import METHODS, Method
from didact.train import learn, resume_learning
from didact.train.learning import task_run
from didact.train.learning.state import StateFile

TASKS, CLASSES, SIDE, BUDGET = 3, 6, 6, 12
SETTINGS: dict[str, Any] = {
    "data": "stripes",
    "model": "cnn-2",
    "step": 2,
    "memory": BUDGET,
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 0.05,
    "accelerator": "cpu",
    "threads": 1,
    "onnx": False,
    "checkpoint_seconds": 1e9,
}
OPTIONS: dict[str, Any] = {
    "ranpac.width": 32,
    "eeil.balanced_epochs": 2,
    "podnet.balanced_epochs": 2,
    "der.classifier_epochs": 2,
    "dualprompt.general": 1,
}
NAMES = sorted(METHODS)
VIT = "vit-2-16-2"
PLAIN_WHEN_ALONE = [
    *("agem", "bic", "der", "eeil", "ewc", "ewc-online", "finetune", "foster", "gem", "joint"),
    *("lwf", "mas", "memo", "ranpac", "si", "simplecil", "slda", "ssil"),
]
"""Methods that train with the plain cross-entropy where nothing is old."""


def stripes(count: int, seed: int) -> Split:
    """Float images; class ``k`` has a bright column ``k``."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    images = torch.rand(count, 1, SIDE, SIDE, generator=generator)
    images[torch.arange(count), 0, :, labels] += 1.0
    return Split(images, labels)


def data() -> Data:
    """60 training and 24 test images, 6 classes."""
    train = stripes(60, 0)
    return Data(
        name="stripes",
        train=train,
        validation=stripes(6, 1),
        test=stripes(24, 2),
        class_names=tuple("abcdef"),
        mean=(0.6,),
        std=(0.4,),
        labelled=torch.ones(len(train), dtype=torch.bool),
    )


def digits() -> Data:
    """A fifth of scikit-learn's digits, 290 for training, with images of its own."""
    found = load("digits", labelled=0.2)
    assert isinstance(found.train, Split)
    train = found.train.subset(found.labelled.nonzero().flatten())
    return replace(found, train=train, labelled=torch.ones(len(train), dtype=torch.bool))


DIGITS: dict[str, Any] = {"base": 4, "step": 3, "epochs": 1, "batch_size": 32}
"""Three tasks of digits; beside ``made=digits``."""


def settings_for(name: str, made: Callable[[], Data] = data, **changes: Any) -> dict[str, Any]:
    """The settings of a small run of one method."""
    options = {key: v for key, v in OPTIONS.items() if key.partition(".")[0] == name}
    given = {**SETTINGS, "method": name, "method_options": options, **changes}
    if METHODS[name].method.needs_tokens or name == "aper":
        given["model"] = changes.get("model", VIT)
    return {**given, "data": made()}


def run(name: str, folder: Path, **changes: Any) -> dict[str, Tensor]:
    """Learn; the final tensors of the method."""
    learn(output=folder, **settings_for(name, **changes))
    return final_tensors(folder)


def final_tensors(folder: Path) -> dict[str, Tensor]:
    """What the run's only cell has left."""
    (path,) = folder.glob("cells/*/learner.safetensors")
    return load_file(path)


def assert_same(left: dict[str, Tensor], right: dict[str, Tensor]) -> None:
    """The same names, types and bits."""
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert value.dtype == right[name].dtype
        torch.testing.assert_close(value, right[name], rtol=0, atol=0, equal_nan=True, msg=name)


def matrix(folder: Path) -> list[list[float]]:
    """The accuracy matrix of the run's only cell."""
    (path,) = folder.glob("cells/*/cell.json")
    found: list[list[float]] = json.loads(path.read_text())["matrix"]
    return found


@dataclass
class Seen:
    """What was noted after each task."""

    networks: list[dict[str, Tensor]] = field(default_factory=list)
    teachers: list[dict[str, Tensor] | None] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    methods: list[Method] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[Seen]:
    """Note network, teacher and memory each time the accuracy is measured."""
    seen = Seen()
    measure = task_run.measure

    def noting(method: Method, *rest: Any) -> Any:
        seen.methods.append(method)
        seen.networks.append(copied(method.network.state_dict()))
        teacher = method.teacher
        seen.teachers.append(None if teacher is None else copied(teacher.model.state_dict()))
        seen.memory.append(len(method.memory))
        return measure(method, *rest)

    with patch.object(task_run, "measure", noting):
        yield seen


def copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A copy of the values."""
    return {name: value.clone() for name, value in state.items()}


@contextmanager
def only_this_task() -> Iterator[None]:
    """Every training image of another task than the one under way is NaN, or white."""
    original = Stream.task

    def poisoned(self: Stream, index: int, *, with_earlier: bool = False) -> Task:
        trains = [
            split if number == index else _spoilt(split) for number, split in enumerate(self.trains)
        ]
        return original(replace(self, trains=trains), index, with_earlier=with_earlier)

    with patch.object(Stream, "task", poisoned):
        yield


def _spoilt(split: Split) -> Split:
    bad = torch.nan if split.images.is_floating_point() else 255
    return Split(torch.full_like(split.images, bad), split.labels)


class CrashError(Exception):
    """The machine went down."""


def crash_and_resume(
    name: str, folder: Path, at: int, made: Callable[[], Data] = data, **changes: Any
) -> bool:
    """Run with a state after every step, crash after the ``at``-th, go on; whether it crashed."""
    save, count = StateFile.save, 0

    def counting(self: StateFile, *rest: Any) -> None:
        nonlocal count
        save(self, *rest)
        count += 1
        if count == at:
            raise CrashError

    changed = settings_for(name, made, **changes, checkpoint_seconds=0.0)
    try:
        with patch.object(StateFile, "save", counting):
            learn(output=folder, **changed)
    except CrashError:
        pass
    else:
        return False
    with patch("didact.train.loop.data.DataReader.__call__", lambda *_: made()):
        resume_learning(folder)
    return True


def scratch() -> Path:
    """A folder that several tests share and that is gone when they all have run."""
    folder = Path(mkdtemp())
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder
