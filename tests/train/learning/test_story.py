"""A model in use learns ten more classes; the guide ``docs/model-in-use.md`` is run as it stands.

On the embedded digits always, and on characters of licence plates where these are at hand.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from didact import cli
from didact.data import Data, Split
from didact.train import Learner, continue_learning, learn, load_predictor

DOCS = Path(__file__).parents[3] / "docs"
PLATES = Path(__file__).parents[4] / "shared" / "data" / "plates" / "easypr_chars20_unique.npz"
PLATES = Path(os.environ.get("DIDACT_PLATES", PLATES))
NET = """
from torch import nn
class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(800, 64), nn.ReLU(),
        )
        self.fc = nn.Linear(64, num_classes)
    def forward(self, images):
        return self.fc(self.body(images))
"""


@dataclass
class Plates:
    """The characters; the forty with most images, in that order."""

    images: torch.Tensor
    labels: torch.Tensor
    is_test: torch.Tensor
    names: list[str]

    @classmethod
    def read(cls) -> Plates:
        if not PLATES.is_file():
            pytest.skip("the characters of licence plates are not at hand")
        with np.load(PLATES) as file:
            x, y, tests = (torch.from_numpy(file[key]) for key in ("x", "y", "is_test"))
            names = [str(name) for name in file["classes"]]
        labels, tests = y.long(), tests.bool()
        most = torch.bincount(labels[~tests]).argsort(descending=True)[:40].tolist()
        table = torch.full((len(names),), -1)
        table[torch.tensor(most)] = torch.arange(40)
        return cls(x.unsqueeze(1), table[labels], tests, [names[k] for k in most])

    def data(self, classes: range, old: range = range(0), few: int = 20) -> Data:
        """60 training images of each class, of old ones a few, and 20 test images."""
        chosen = [*old, *classes]
        train = [self._places(k, False)[: few if k in old else 60] for k in chosen]
        test = [self._places(k, True)[:20] for k in chosen]
        splits = [self._split(torch.cat(places), chosen) for places in (train, test)]
        every = torch.ones(len(splits[0]), dtype=torch.bool)
        empty = splits[0].subset(torch.arange(0))
        names = tuple(self.names[k] for k in chosen)
        return Data("plates", splits[0], empty, splits[1], names, (0.1,), (0.9,), every)

    def _places(self, label: int, tests: bool) -> torch.Tensor:
        return ((self.labels == label) & (self.is_test == tests)).nonzero().flatten()

    def _split(self, places: torch.Tensor, chosen: list[int]) -> Split:
        table = torch.full((40,), -1)
        table[torch.tensor(chosen)] = torch.arange(len(chosen))
        return Split(self.images[places], table[self.labels[places]])


def trained_elsewhere(folder: Path, data: Data) -> None:
    """Thirty classes, plain PyTorch: ``net.py`` and ``best.pth``."""
    (folder / "net.py").write_text(NET)
    space: dict[str, type[nn.Module]] = {}
    exec(compile(NET, "net.py", "exec"), space)
    torch.manual_seed(0)
    net = space["Net"](30)
    images = (data.train.images / 255 - 0.5) / 0.5
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(12):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images[batch]), data.train.labels[batch]).backward()
            optimizer.step()
    torch.save(net.state_dict(), folder / "best.pth")


def learner(run: Path, method: str) -> Learner:
    return Learner.load(run / "cells" / f"{method}.0" / "learner.safetensors")


def test_thirty_classes_of_real_images_become_forty(tmp_path: Path) -> None:
    plates = Plates.read()
    old, five, more = range(30), range(30, 35), range(35, 40)
    trained_elsewhere(tmp_path, plates.data(old))
    begin = {
        "model": f"{tmp_path}/net.py:Net={tmp_path}/best.pth", "known": tuple(plates.names[:30]),
        "normalise": "0.5/0.5", "accelerator": "cpu", "threads": 1, "batch_size": 32,
    }  # fmt: skip
    quick = {**begin, "onnx": False}
    learn(data=plates.data(range(40)), method="joint", epochs=4, learning_rate=0.01,
          output=tmp_path / "joint", **quick)  # fmt: skip
    bound = learner(tmp_path / "joint", "joint")
    learn(data=plates.data(five), method="lwf", epochs=5, learning_rate=0.002,
          output=tmp_path / "one", **quick)  # fmt: skip
    one = learner(tmp_path / "one", "lwf")
    assert one.evaluate(plates.data(old))["accuracy"] > 0.7
    assert one.evaluate(plates.data(five))["accuracy"] > 0.4
    continue_learning(
        tmp_path / "one", data=plates.data(more, range(35)), method=("icarl",), epochs=8,
        learning_rate=0.01, output=tmp_path / "two", onnx=True,
    )  # fmt: skip
    two = learner(tmp_path / "two", "icarl")
    assert two.class_names == tuple(plates.names)
    best = bound.evaluate(plates.data(old))["accuracy"]
    assert two.evaluate(plates.data(old))["accuracy"] > best - 0.03
    assert two.evaluate(plates.data(range(30, 40)))["accuracy"] > 0.8
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(tmp_path / "two" / "model.onnx", elsewhere)
    for gone in ("net.py", "best.pth", "one", "two"):
        place = tmp_path / gone
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    files = []
    test = plates.data(range(40)).test
    for number in range(0, len(test), 20):
        files.append(elsewhere / f"{number}.png")
        Image.fromarray(test.take(torch.tensor([number]))[0, 0].numpy()).save(files[-1])
    found = [p.classes[0][0] for p in load_predictor(elsewhere / "model.onnx").predict(files)]
    assert found == two.predict(files)
    assert sum(a == b for a, b in zip(found, plates.names, strict=True)) >= 34


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_guide_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Digits 0 to 4 elsewhere, 5 to 7 from new images, 8 and 9 with exemplars; then by name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    prepare, train, by_hand = blocks("model-in-use.md", "python")
    for name, code in (("images.py", prepare), ("mine.py", train)):
        Path(name).write_text(code)
        monkeypatch.setattr(sys, "argv", [name])
        exec(compile(code, name, "exec"), {"__name__": "__main__"})
    said = ""
    for line in "".join(blocks("model-in-use.md", "console")).replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        monkeypatch.setattr(sys, "argv", words)
        try:
            cli.main()
        except SystemExit as ended:
            assert not ended.code, capsys.readouterr()  # noqa: PT017
        said = capsys.readouterr().out
    rows = [row.split(",") for row in said.splitlines()[1:]]
    assert [Path(row[0]).stem for row in rows] == ["nine", "six", "three"]
    assert all(Path(row[0]).stem == row[2] for row in rows)
    space: dict[str, object] = {}
    exec(compile(by_hand, "model-in-use.md", "exec"), space)
    one, two = (learner(Path("runs") / run, method) for run, method in
                (("one", "lwf"), ("two", "icarl")))  # fmt: skip
    assert one.evaluate("old")["accuracy"] > 0.95  # of 99.4 % when it came
    assert one.evaluate("new")["accuracy"] > 0.7
    assert one.class_names[5:] == ("five", "seven", "six")
    assert two.class_names == (*one.class_names, "eight", "nine")
    assert one.method.memory.labels.numel() == 0
