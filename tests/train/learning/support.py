"""A small stream and network for the tests of class-incremental learning."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from didact._core.errors import DidactError
from didact.data import Data, Split
from didact.train import learn, resume_learning
from didact.train.loop.fit import SaveClock

CLASSES, SIDE = 6, 6

SETTINGS: dict[str, Any] = {
    "step": 2,
    "memory": 12,
    "epochs": 3,
    "batch_size": 8,
    "learning_rate": 0.05,
    "accelerator": "cpu",
    "threads": 1,
    "onnx": False,
}


def split(count: int, seed: int, classes: int = CLASSES) -> Split:
    """Class ``k`` is brighter in its own column of the image."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    images = torch.randint(0, 90, (count, 1, SIDE, SIDE), generator=generator)
    for index, label in enumerate(labels.tolist()):
        images[index, 0, :, label % SIDE] += 100
    return Split(images.to(torch.uint8), labels)


def small_data(train: int = 96, classes: int = CLASSES) -> Data:
    """``train`` training, 12 validation and 30 test images of 1 x 6 x 6."""
    return Data(
        name="columns",
        train=split(train, 0, classes),
        validation=split(12, 1, classes),
        test=split(30, 2, classes),
        class_names=tuple("abcdefgh"[:classes]),
        mean=(0.3,),
        std=(0.2,),
        labelled=torch.ones(train, dtype=torch.bool),
    )


class DropoutNetwork(nn.Module):
    """With dropout, so that a resumed run needs the random state."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(SIDE * SIDE, 16), nn.ReLU(), nn.Dropout(0.2)
        )
        self.embedding = nn.Identity()
        self.classifier = nn.Linear(16, num_classes)
        self.feature_paths = ("body.1", "embedding")

    def features(self, images: Tensor) -> Tensor:
        found: Tensor = self.embedding(self.body(images))
        return found

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(images))
        return logits


def plain_network(data: Data, classes: int) -> nn.Module:
    """Without random parts."""
    network = DropoutNetwork(classes)
    network.body[3] = nn.Identity()
    return network


def dropout_network(data: Data, classes: int) -> nn.Module:
    """For runs in this process."""
    return DropoutNetwork(classes)


class StopAfter:
    """Asks the run to stop after some looks at the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
        left = [looks]

        def count(clock: SaveClock) -> bool:
            left[0] -= 1
            if left[0] == 0:
                signal.raise_signal(signal.SIGINT)
            return False

        monkeypatch.setattr(SaveClock, "due", property(count))


def crash_at(step: int) -> None:
    """End a process of the run, as a kill would, after so many training steps."""
    if multiprocessing.parent_process() is None:
        return  # that of the tests
    steps, after_a_step = [step], SaveClock.due

    def look(clock: SaveClock) -> bool:
        steps[0] -= 1
        if steps[0] == 0:
            os._exit(9)
        return bool(after_a_step.fget(clock))  # type: ignore[attr-defined]

    SaveClock.due = property(look)  # type: ignore[method-assign, assignment]


def names(folder: Path, *, plain: bool = False, train: int = 96) -> dict[str, str]:
    """A file of the user's, so that ``run.toml`` alone is enough to go on."""
    file = folder / "parts.py"
    file.write_text(
        "import os\n"
        "from tests.train.learning.support import DropoutNetwork, crash_at\n"
        "from tests.train.learning.support import plain_network, small_data\n"
        f"def data(**_):\n    return small_data({train})\n"
        "def plain(num_classes):\n    return plain_network(None, num_classes)\n"
        "if 'CRASH_AT' in os.environ:\n    crash_at(int(os.environ['CRASH_AT']))\n"
    )
    return {"data": f"{file}:data", "model": f"{file}:{'plain' if plain else 'DropoutNetwork'}"}


def start_or_resume(folder: str, parts: dict[str, Any]) -> None:
    """In a process of its own, to be killed."""
    if (Path(folder) / "result.json").exists():
        return  # killed after its last word
    try:
        if (Path(folder) / "run.toml").exists():
            resume_learning(folder)
        else:
            learn(**parts, output=folder, **{**SETTINGS, "checkpoint_seconds": 0.0})
    except DidactError as error:
        (Path(folder).parent / "error.txt").write_text(f"{type(error).__name__}: {error}")
        os._exit(2)
