"""A model that was trained elsewhere learns further classes without relearning its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.learning.support import SETTINGS, plain_network, small_data
from torch import nn

from didact._core.errors import ModelError, UsageError
from didact.data import Data, Split
from didact.train import Learner, continue_learning, distill, learn

KNOWN = ("d", "b", "a", "c")
"""What the model knows, in the order of its outputs: that of no folder."""
NET = """
from torch import nn
class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        assert num_classes == 4, "called with another number than the weights have"
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU())
        self.fc = nn.Linear(16, num_classes)
    def forward(self, images):
        return self.fc(self.body(images))
"""


def data(*names: str) -> Data:
    """These of the classes a to f, whose normalisation is not that of the model."""
    whole = small_data()
    labels = [whole.class_names.index(name) for name in names]
    table = torch.full((6,), -1)
    table[torch.tensor(labels)] = torch.arange(len(labels))

    def kept(split: Any) -> Split:
        return Split(split.images, table[split.labels]).subset(
            (table[split.labels] >= 0).nonzero().flatten()
        )

    train = kept(whole.train)
    return replace(
        whole, train=train, validation=kept(whole.validation), test=kept(whole.test), mean=(0.9,),
        class_names=names, labelled=torch.ones(len(train)) > 0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``net.py`` and ``best.pth``, of images normalised by 0.3 and 0.2."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "net.py").write_text(NET)
    space: dict[str, Any] = {}
    exec(compile(NET, "net.py", "exec"), space)
    torch.manual_seed(0)
    net: nn.Module = space["Net"](4)
    old = data(*KNOWN)
    images = (old.train.images / 255 - 0.3) / 0.2
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images), old.train.labels).backward()
        optimizer.step()
    torch.save(net.state_dict(), folder / "best.pth")
    (folder / "names.txt").write_text("\n".join(KNOWN))
    return folder


def begin(own: Path, folder: Path, given: Data, **changes: Any) -> Any:
    settings = {
        **SETTINGS, "step": None, "model": f"{own}/net.py:Net={own}/best.pth", "known": KNOWN,
        "normalise": "0.3/0.2", "method": "lwf", "learning_rate": 0.01, "output": folder,
    }  # fmt: skip
    return learn(**{**settings, "data": given, **changes})


def learner(folder: Path, name: str = "lwf") -> Learner:
    return Learner.load(folder / "cells" / f"{name}.0" / "learner.safetensors")


def accuracy(one: Learner, names: tuple[str, ...]) -> float:
    test = small_data().test
    here = [k for k, label in enumerate(test.labels.tolist()) if "abcdef"[label] in names]
    found = one.predict(test.images[torch.tensor(here)])
    return sum(f == "abcdef"[int(test.labels[k])] for k, f in zip(here, found, strict=True)) / len(
        here
    )


def test_it_starts_from_the_model_and_learns_the_new_images_alone(
    own: Path, tmp_path: Path
) -> None:
    begin(own, tmp_path / "run", data("e", "f"), epochs=20)
    found = learner(tmp_path / "run")
    assert found.class_names == (*KNOWN, "e", "f")
    assert accuracy(found, KNOWN) > 0.8
    assert accuracy(found, ("e", "f")) > 0.3
    assert (found.data.mean, found.data.std) == ((0.3,), (0.2,))


def test_with_old_images_too_they_measure_and_fill_the_memory(own: Path, tmp_path: Path) -> None:
    """The first row is the model as it came: nothing was relearnt."""
    whole = data("a", "b", "c", "d", "e", "f")
    found = begin(own, tmp_path / "run", whole, method=("lwf", "icarl", "slda"))
    rows = found.summary["methods"]["lwf"]["matrices"][0]
    assert rows[0] == [pytest.approx(1.0, abs=0.1), None]
    assert len(rows) == 2
    exemplars = learner(tmp_path / "run", "icarl").method.memory.labels
    assert set(exemplars.tolist()) == set(range(6))
    assert found.summary["methods"]["slda"]["numbers"]["last"][0] > 0.7


def test_the_first_task_can_be_skipped_by_order_too(own: Path, tmp_path: Path) -> None:
    """``--first-epochs 0``: the weights know the classes of the first task."""
    whole = data("a", "b", "c", "d", "e", "f")
    found = begin(
        own, tmp_path / "run", whole, known=None, first_epochs=0, groups=(KNOWN, ("e", "f")),
    )  # fmt: skip
    known = begin(own, tmp_path / "known", whole)
    for one in (found, known):
        matrix = one.summary["methods"]["lwf"]["matrices"]
        assert matrix == known.summary["methods"]["lwf"]["matrices"]
    one, other = (learner(tmp_path / name).method.state_dict() for name in ("run", "known"))
    assert all(one[key].equal(other[key]) for key in one)


def test_the_builder_is_called_with_the_true_number_of_classes(own: Path, tmp_path: Path) -> None:
    """A function that loads a checkpoint for its own number of classes, and no other."""
    (tmp_path / "mine.py").write_text(
        NET + "import torch\n"
        "def build(num_classes):\n"
        "    net = Net(num_classes)\n"
        f"    net.load_state_dict(torch.load({str(own / 'best.pth')!r}, weights_only=True))\n"
        "    return net\n"
    )
    model = f"{tmp_path}/mine.py:build"
    found = begin(own, tmp_path / "run", data("e", "f"), model=model)
    assert learner(tmp_path / "run").class_names[:4] == KNOWN
    assert found.summary["data"]["num_classes"] == 6


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"normalise": None}, UsageError, "nobody says how its images were normalised"),
        ({"method": "lucir"}, UsageError, "lucir has a classifier of its own kind"),
        ({"method": "podnet"}, UsageError, "podnet has a classifier of its own kind"),
        ({"method": "ewc"}, UsageError, "ewc keeps .* of the images of each class"),
        ({"method": "slda"}, UsageError, "slda keeps .* the data has none of d, b, a, c"),
        ({"method": "icarl"}, UsageError, "icarl keeps means"),
        ({"method": "joint"}, UsageError, "joint learns from the images of all tasks"),
        ({"first_epochs": 3}, UsageError, "known classes are not learned again"),
        ({"known": ("a", "b"), "model": "HERE"}, ModelError, r"fc.weight \(4, 16\) for \(2, 16\)"),
        ({"normalise": "imagenet"}, UsageError, "of 3 channels"),
        ({"normalise": "blue"}, UsageError, "expected none, imagenet, data, or MEAN/STD"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_begin_so_is_refused(
    own: Path, tmp_path: Path, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    if "model" in changes:  # without the assertion on the number of classes
        (tmp_path / "any.py").write_text(NET.replace("assert", "#"))
        changes = {**changes, "model": f"{tmp_path}/any.py:Net={own}/best.pth"}
    with pytest.raises(error, match=words):
        begin(own, tmp_path / "run", data("e", "f"), **changes)
    assert not (tmp_path / "run").exists()


def test_a_model_that_is_not_trained_is_refused(own: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="begins with random numbers in"):
        begin(own, tmp_path / "run", data("e", "f"), model=f"{own}/net.py:Net")


def test_a_network_of_didact_brings_its_names_and_normalisation(own: Path, tmp_path: Path) -> None:
    """A student, a run's network alone, and another method than that of the run."""
    old = data("a", "b", "c", "d")
    distill(
        data=old, student="mlp-16", teacher="mlp-16", epochs=5, seeds=(0,), onnx=False,
        output=tmp_path / "student", accelerator="cpu", threads=1,
    )  # fmt: skip
    first = continue_learning(
        tmp_path / "student", data=data("e"), output=tmp_path / "one",
        **{**SETTINGS, "step": None, "method": ("lwf",)},
    )  # fmt: skip
    found = learner(tmp_path / "one")
    assert found.class_names == ("a", "b", "c", "d", "e")
    assert found.data.mean == (0.9,)
    continue_learning(first.folder, data=data("f"), method=("wa",), output=tmp_path / "two")
    assert learner(tmp_path / "two", "wa").class_names == tuple("abcdef")
    file = first.folder / "model.safetensors"
    continue_learning(file, data=data("f"), output=tmp_path / "three", method=("lwf",), epochs=1)
    assert learner(tmp_path / "three").class_names == tuple("abcdef")


def test_one_normalisation_whatever_lies_beside(tmp_path: Path) -> None:
    """A class that no task has changes no number; what is asked for is used."""
    some, all_six = data("a", "b", "c", "d"), data("a", "b", "c", "d", "e", "f")
    found = []
    groups = {"step": None, "groups": (("a", "b"), ("c", "d")), "normalise": "0.5/0.5"}
    for number, given in enumerate((some, all_six)):
        learn(
            data=replace(given, mean=(0.1 * number,)), model=plain_network, method="finetune",
            output=tmp_path / str(number), **{**SETTINGS, **groups},
        )  # fmt: skip
        file = tmp_path / str(number) / "cells" / "finetune.0" / "learner.safetensors"
        found.append(Learner.load(file, model=plain_network))
    states = [one.method.state_dict() for one in found]
    assert all(states[0][key].equal(states[1][key]) for key in states[0])
    assert found[0].data.mean == (0.5,)


def test_statistics_are_those_of_the_classes_that_are_used(tmp_path: Path) -> None:
    white = small_data()
    labels = white.train.labels
    assert isinstance(white.train, Split)
    images = white.train.images.clone()
    images[labels >= 4] = 255
    given = replace(white, train=Split(images, labels), mean=(0.7,), std=(0.4,))
    learn(
        data=given, model=plain_network, method="finetune", output=tmp_path / "run",
        **{**SETTINGS, "step": None, "groups": ((0, 1), (2, 3)), "epochs": 1},
    )  # fmt: skip
    file = tmp_path / "run" / "cells" / "finetune.0" / "learner.safetensors"
    mean = Learner.load(file, model=plain_network).data.mean[0]
    assert mean == pytest.approx(float((images[labels < 4] / 255).mean()), rel=1e-4)
