"""A finished run goes on: new classes, old columns, with images of old classes or without."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.train.learning.support import SETTINGS, StopAfter, plain_network, small_data

from didact._core.errors import CheckpointError, DataError, ModelError, RunFolderError, UsageError
from didact.data import Data
from didact.train import (
    Learner,
    StoppedError,
    continue_learning,
    learn,
    load_predictor,
    resume_learning,
)

NAMES = ("f", "b", "d", "a", "c", "e")
"""Of labels 0 to 5: their alphabetical order is another one than that of the tasks."""


def named(data: Data) -> Data:
    return replace(data, class_names=NAMES)


def part(*names: str) -> Data:
    """Those classes alone, numbered anew by their names, as a folder of them would be."""
    whole = small_data()
    order = sorted(names)
    labels = [NAMES.index(name) for name in order]
    table = torch.full((6,), -1, dtype=torch.int64)
    table[torch.tensor(labels)] = torch.arange(len(labels))

    def kept(split: Any) -> Any:
        here = (table[split.labels] >= 0).nonzero().flatten()
        found = split.subset(here)
        return found.with_labels(table[found.labels])

    train = kept(whole.train)
    return replace(
        whole, name="+".join(order), train=train, validation=kept(whole.validation),
        test=kept(whole.test), class_names=tuple(order), labelled=torch.ones(len(train)) > 0,
    )  # fmt: skip


GROUPS = (("f", "b"), ("d", "a"), ("c", "e"))


def tensors(folder: Path, name: str) -> dict[str, torch.Tensor]:
    return load_file(folder / "cells" / f"{name}.0" / "learner.safetensors")


def run(folder: Path, data: Data, method: Any, **changes: Any) -> Path:
    given = {**SETTINGS, "step": None, "model": plain_network, "epochs": 2, **changes}
    if "der" in method:
        given["method_options"] = {"der.classifier_epochs": 1}
    learn(data=data, method=method, output=folder, **given)
    return folder


METHODS = ("lwf", "icarl", "joint", "ewc", "slda", "der")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tasks, of data that has these four classes alone."""
    folder = tmp_path_factory.mktemp("first") / "run"
    return run(folder, part("a", "b", "d", "f"), METHODS, groups=GROUPS[:2])


def go_on(place: Path, folder: Path, data: Data, **changes: Any) -> Any:
    given: dict[str, Any] = {"model": plain_network, "output": folder, **changes}
    return continue_learning(place, data=data, **given)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three tasks in one run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return run(folder, named(small_data()), METHODS, groups=GROUPS)


@pytest.fixture(scope="module")
def continued(tmp_path_factory: pytest.TempPathFactory, first: Path) -> Path:
    """The third task from its own images alone; joint needs them all."""
    folder = tmp_path_factory.mktemp("continued")
    without = tuple(name for name in METHODS if name != "joint")
    go_on(first, folder / "run", part("c", "e"), method=without)
    go_on(first, folder / "joint", named(small_data()), method=("joint",))
    return folder


@pytest.mark.parametrize("name", METHODS)
def test_going_on_gives_the_bits_of_one_run(name: str, whole: Path, continued: Path) -> None:
    folder = continued / ("joint" if name == "joint" else "run")
    expected, got = tensors(whole, name), tensors(folder, name)
    assert expected.keys() == got.keys()
    for key, value in expected.items():
        assert value.equal(got[key]), key


def test_columns_do_not_move_and_new_classes_come_behind(first: Path, continued: Path) -> None:
    before = Learner.load(first / "cells/icarl.0/learner.safetensors", model=plain_network)
    after = Learner.load(continued / "run/cells/icarl.0/learner.safetensors", model=plain_network)
    assert before.class_names == ("f", "b", "d", "a")
    assert after.class_names == ("f", "b", "d", "a", "c", "e")
    assert after.tasks == [(0, 1), (2, 3), (4, 5)]
    right = [n == NAMES[k % 6] for k, n in enumerate(after.predict(small_data().test.images))]
    assert sum(right) >= 20


def test_the_numbers_are_of_what_there_are_test_images_for(
    whole: Path, continued: Path, first: Path
) -> None:
    """Without old images: the new task alone. With them: the old tasks as one, before and after."""
    new = json.loads((continued / "run" / "result.json").read_text())["methods"]["icarl"]
    assert len(new["matrices"][0]) == 1
    both = json.loads((continued / "joint" / "result.json").read_text())["methods"]["joint"]
    matrix = both["matrices"][0]
    assert [len(row) for row in matrix] == [2, 2]
    assert matrix[0][1] is None
    one_run = json.loads((whole / "result.json").read_text())["methods"]["joint"]["matrices"][0]
    assert matrix[1][0] == pytest.approx((one_run[2][0] + one_run[2][1]) / 2)
    assert matrix[1][1] == one_run[2][2]
    ended = json.loads((first / "result.json").read_text())["methods"]["joint"]["matrices"][0]
    assert matrix[0][0] == pytest.approx((ended[1][0] + ended[1][1]) / 2)


def test_the_history_is_kept(continued: Path, first: Path, tmp_path: Path) -> None:
    result = json.loads((continued / "run" / "result.json").read_text())
    (entry,) = result["history"]
    assert (entry["run"], entry["data"], entry["classes"]) == (str(first), "a+b+d+f", 4)
    assert len(entry["data_digest"]) >= 64
    assert entry["command"]
    assert not (continued / "run" / "before").exists()  # it holds images of old classes
    again = go_on(continued / "run", tmp_path / "run", renamed(part("a", "b")), method=("lwf",))
    assert [one["classes"] for one in again.summary["history"]] == [4, 6]
    assert again.summary["data"]["num_classes"] == 8


def renamed(data: Data) -> Data:
    return replace(data, name="later", class_names=("x", "y"))


def test_a_class_that_comes_back_keeps_its_column(first: Path, tmp_path: Path) -> None:
    data = named(small_data())
    result = go_on(first, tmp_path / "run", data, method=("icarl",), groups=(("c", "b"), ("e",)))
    learner = Learner.load(tmp_path / "run/cells/icarl.0/learner.safetensors", model=plain_network)
    assert learner.tasks == [(0, 1), (2, 3), (1, 4), (5,)]
    assert learner.class_names[4:] == ("c", "e")
    assert len(result.summary["methods"]["icarl"]["matrices"][0]) == 3


def test_classes_that_no_group_names_change_nothing(first: Path, tmp_path: Path) -> None:
    """Neither one that lies beside the new ones, nor one beside those of a first run."""
    go_on(first, tmp_path / "few", part("c", "e"), method=("lwf",))
    more = named(small_data())
    go_on(first, tmp_path / "more", more, method=("lwf",), groups=(("c", "e"),))
    few, more_tensors = tensors(tmp_path / "few", "lwf"), tensors(tmp_path / "more", "lwf")
    assert all(few[key].equal(more_tensors[key]) for key in few)


def test_a_run_that_goes_on_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the copy of what it began with: the earlier run may have gone."""
    file = tmp_path / "parts.py"
    file.write_text(
        "from tests.train.learning.test_continue import part, plain_network\n"
        "def old():\n    return part('a', 'b', 'd', 'f')\n"
        "def new():\n    return part('c', 'e')\n"
        "def net(num_classes):\n    return plain_network(None, num_classes)\n"
    )
    given = {**SETTINGS, "step": 2, "model": f"{file}:net", "epochs": 1, "method": "icarl"}
    learn(data=f"{file}:old", output=tmp_path / "one", **given)
    new = {"data": f"{file}:new", "output": tmp_path / "two"}
    continue_learning(tmp_path / "one", **new)
    expected = tensors(tmp_path / "two", "icarl")
    StopAfter(monkeypatch, 3)
    with pytest.raises(StoppedError):
        continue_learning(tmp_path / "one", **new, overwrite=True)
    monkeypatch.undo()
    shutil.rmtree(tmp_path / "one")
    resume_learning(tmp_path / "two")
    got = tensors(tmp_path / "two", "icarl")
    assert all(expected[key].equal(got[key]) for key in expected)
    assert not (tmp_path / "two" / "before").exists()


def test_what_cannot_go_on_is_refused(first: Path, tmp_path: Path) -> None:
    new = part("c", "e")
    for changes, error, words in (
        ({"method": ("joint",)}, UsageError, "joint learns from the images of all tasks at once"),
        ({"method": ("lwf", "wa")}, UsageError, "and no wa, which would begin with a network"),
        ({"method": ("lwf",), "base": 2}, UsageError, "base is of the first tasks"),
        ({"method": ("lwf",), "scenario": "domain"}, UsageError, "in scenario class"),
        ({"method": ("lwf",), "known": ("x", "y")}, UsageError, "which classes it knows"),
        ({"method": ("lwf",), "model": "mlp-3"}, ModelError, "which do not fit mlp-3"),
    ):
        with pytest.raises(error, match=words):
            go_on(first, tmp_path / "run", new, **changes)
    with pytest.raises(DataError, match=r"no class that is new: a, b are known already"):
        go_on(first, tmp_path / "run", part("a", "b"), method=("lwf",))
    with pytest.raises(DataError, match="no class is called 'owl'"):
        go_on(first, tmp_path / "run", new, method=("lwf",), groups=(("owl",),))
    with pytest.raises(RunFolderError, match="is not a run folder"):
        go_on(tmp_path, tmp_path / "run", new)
    with pytest.raises(CheckpointError, match="expected a finished run of didact learn"):
        go_on(tmp_path / "none", tmp_path / "run", new)
    with pytest.raises(UsageError, match="is the run that is continued"):
        go_on(first, first, new, method=("lwf",), overwrite=True)
    assert not (tmp_path / "run").exists()
    assert (first / "result.json").is_file()


def test_grey_images_are_given_to_a_network_of_colours(tmp_path: Path) -> None:
    def coloured(data: Data) -> Data:
        def three(split: Any) -> Any:
            return type(split)(split.images.expand(-1, 3, -1, -1).clone(), split.labels)

        return replace(
            data, train=three(data.train), validation=three(data.validation),
            test=three(data.test), mean=(0.3,) * 3, std=(0.2,) * 3,
        )  # fmt: skip

    first = run(tmp_path / "one", coloured(part("a", "b")), "lwf", step=2, model="mlp-8", epochs=1)
    for number, data in enumerate((part("c", "e"), coloured(part("c", "e")))):
        continue_learning(first, data=data, output=tmp_path / f"two{number}")
    grey, colour = (tensors(tmp_path / f"two{number}", "lwf") for number in (0, 1))
    assert all(grey[key].equal(colour[key]) for key in grey)
    assert load_predictor(tmp_path / "two0").class_names == ("a", "b", "c", "e")
