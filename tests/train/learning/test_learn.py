"""``learn``: what it writes, that its numbers are right, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.learning.support import SETTINGS, names, plain_network, small_data
from torch import Tensor, nn

from didact._core.errors import (
    DidactError,
    ModelError,
    NonFiniteError,
    RangeError,
    RunFolderError,
    UnknownNameError,
    UsageError,
)
from didact.data import Data, Split, StreamedSplit
from didact.train import LearnSettings, learn, load_learner
from didact.train.learning.record import cell_folder
from didact.train.record.files import read_object


def quick(folder: Path, **changes: Any) -> Any:
    values = {"data": small_data(), "model": plain_network, "method": "lwf", **SETTINGS}
    return learn(output=folder / "run", **{**values, **changes})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("learn")
    methods = ("finetune", "icarl", "joint")
    return quick(folder, method=methods, seeds=(0, 1))


def test_the_record(run: Any) -> None:
    written = read_object(run.folder / "result.json")
    assert written == run.summary
    assert (written["kind"], written["complete"]) == ("learn", True)
    assert list(written["methods"]) == ["finetune", "icarl", "joint"]
    for found in written["methods"].values():
        assert len(found["matrices"]) == 2
        for matrix in found["matrices"]:
            for after, row in enumerate(matrix):
                assert all(0 <= value <= 1 for value in row[: after + 1])
                assert row[after + 1 :] == [None] * (2 - after)
    rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert sum("epoch" in row for row in rows) == 3 * 2 * 3 * 3
    assert {pair["what"] for pair in written["paired"]} == {
        "icarl - finetune",
        "joint - finetune",
        "joint - icarl",
    }


def test_the_numbers_are_those_of_the_predictions(run: Any) -> None:
    """Last accuracy, the last row, the classes and the confusion tell of the same predictions."""
    data = small_data()
    images = (data.test.images / 255 - 0.3) / 0.2
    for method in ("finetune", "icarl"):
        with torch.no_grad():
            predicted = run.learner(method, 1).predict(images).argmax(-1)
        right = predicted == data.test.labels
        found = run.summary["methods"][method]
        assert found["numbers"]["last"][1] == pytest.approx(float(right.double().mean()))
        for task in range(3):
            here = data.test.labels // 2 == task
            accuracy = float(right[here].double().mean())
            assert found["matrices"][1][2][task] == pytest.approx(accuracy)
            counts = torch.bincount(predicted[here] // 2, minlength=3).tolist()
            assert found["confusion"][1][2][task] == counts
        for entry in found["per_class"][1]:
            of_class = data.test.labels == entry["label"]
            assert entry["accuracy"] == pytest.approx(float(right[of_class].double().mean()))


def test_one_budget(run: Any) -> None:
    sizes = run.summary["methods"]["icarl"]["sizes"][0]
    assert sizes["exemplars"] == 12
    assert sizes["exemplar_bytes"] == 12 * (36 + 8)
    assert sizes["parameters"] == 36 * 16 + 16 + 16 * 6 + 6  # the teacher is no part of it
    kinds = ("parameter_bytes", "exemplar_bytes", "kept_bytes")
    assert sizes["budget_bytes"] == sum(sizes[kind] for kind in kinds)


def test_finetune_forgets_and_joint_does_not(run: Any) -> None:
    methods = run.summary["methods"]
    assert min(methods["finetune"]["numbers"]["forgetting"]) > 0.5
    assert max(methods["joint"]["numbers"]["forgetting"]) < 0.2
    assert len(methods["icarl"]["numbers"]["intransigence"]) == 2


def test_the_same_seed_gives_the_same_bits(tmp_path: Path, run: Any) -> None:
    again = quick(tmp_path, method="icarl", seeds=(1,))
    one, other = again.learner("icarl", 1), run.learner("icarl", 1)
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_only_the_task_under_way_is_read(tmp_path: Path) -> None:
    """Reading another task's training image is an error, but for a method that sees them all."""
    whole = small_data()
    asked: list[int] = []

    def read(position: int) -> torch.Tensor:
        asked.append(int(whole.train.labels[position]))
        assert asked[-1] // 2 >= max(label // 2 for label in asked), "an earlier task's image"
        assert isinstance(whole.train, Split)
        return whole.train.images[position]

    count = len(whole.train)
    poisoned = StreamedSplit(read, torch.arange(count), whole.train.labels, (1, 6, 6))
    data = type(whole)(
        name="poisoned",
        train=poisoned,
        validation=whole.validation,
        test=whole.test,
        class_names=whole.class_names,
        mean=whole.mean,
        std=whole.std,
        labelled=whole.labelled,
    )
    for method in ("lwf", "icarl", "replay"):
        asked.clear()
        quick(tmp_path / method, data=data, method=method)
        assert {label // 2 for label in asked} == {0, 1, 2}
    asked.clear()
    with pytest.raises(AssertionError, match="an earlier task's image"):
        quick(tmp_path / "joint", data=data, method="joint")


def cell_of(result: Any) -> dict[str, Any]:
    """What the run's only cell has written."""
    (path,) = result.folder.glob("cells/*/cell.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


BODY = 36 * 16 + 16
"""The parameters before the classifier."""


@pytest.mark.parametrize(
    ("changes", "parameters", "exemplars", "train_sizes"),
    [
        ({}, [2, 4, 6], [0, 0, 0], [32, 32, 32]),
        ({"scenario": "task"}, [2, 4, 6], [0, 0, 0], [32, 32, 32]),
        ({"scenario": "domain", "step": None, "tasks": 2}, [6, 6], [0, 0], [96, 96]),
        ({"scenario": "domain", "domains": "groups"}, [2, 2, 2], [0, 0, 0], [32, 32, 32]),
        ({"blurry": 0.25, "method": "icarl"}, [6, 6, 6], [12, 12, 12], [32, 32, 32]),
        ({"imbalance": 0.1}, [2, 4, 6], [0, 0, 0], [26, 10, 5]),
        (
            {"step": None, "groups": ((0, 1), (2, 0), (3,)), "method": "icarl"},
            [2, 3, 4],
            [12, 12, 12],
            [24, 24, 16],  # the two tasks that have class 0 share its images
        ),
        (
            {"base": 4, "method": "icarl", "exemplars": "reservoir"},
            [4, 6],
            [12, 12],
            [64, 32],
        ),
        (
            {"memory": None, "memory_per_class": 5, "method": "icarl"},
            [2, 4, 6],
            [10, 20, 30],
            [32, 32, 32],
        ),
        (
            {"memory": None, "memory_per_class": 500, "method": "icarl"},  # more than there are
            [2, 4, 6],
            [32, 64, 96],
            [32, 32, 32],
        ),
        ({"memory": 0, "method": "icarl"}, [2, 4, 6], [0, 0, 0], [32, 32, 32]),
    ],
    ids=str,
)
def test_protocols_are_kept_to(
    tmp_path: Path,
    changes: dict[str, Any],
    parameters: list[int],
    exemplars: list[int],
    train_sizes: list[int],
) -> None:
    """The classes of the head and the stored images after each task, the images of each task."""
    result = quick(tmp_path, **{"epochs": 1, **changes})
    cell = cell_of(result)
    heads = [(one["parameters"] - BODY) / (16 + 1) for one in cell["sizes"]]
    assert heads == parameters
    assert [one["exemplars"] for one in cell["sizes"]] == exemplars
    assert cell["protocol"]["train_sizes"] == train_sizes
    found = next(iter(result.summary["methods"].values()))
    filled = [[value is not None for value in row] for row in found["matrices"][0]]
    tasks = len(train_sizes)
    if changes.get("scenario") == "domain":
        assert filled == [[True] * tasks] * tasks
        assert "forward_transfer" in found["numbers"]
        assert found["confusion"][0] == [None] * tasks
    else:
        assert filled == [[k <= t for k in range(tasks)] for t in range(tasks)]


def rows_of(result: Any) -> list[dict[str, Any]]:
    """The rows of the epochs."""
    lines = (result.folder / "metrics.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if "epoch" in row]


@pytest.mark.parametrize(
    ("changes", "epochs", "last_rate"),
    [
        ({"epochs": 2}, [2, 2, 2], 0.05),
        ({"epochs": 2, "first_epochs": 4}, [4, 2, 2], 0.05),
        ({"online": True, "method": "replay"}, [1, 1, 1], 0.05),
        ({"epochs": 2, "schedule": "cosine"}, [2, 2, 2], 0.0),
        ({"epochs": 2, "schedule": "step", "milestones": (0.5,), "decay": 0.2}, [2, 2, 2], 0.01),
    ],
    ids=str,
)
def test_protocols_of_time(
    tmp_path: Path, changes: dict[str, Any], epochs: list[int], last_rate: float
) -> None:
    """How many epochs each task has, and the learning rate at its end."""
    rows = rows_of(quick(tmp_path, **changes))
    for task, count in enumerate(epochs, start=1):
        of_task = [row for row in rows if row["task"] == task]
        assert [row["epoch"] for row in of_task] == list(range(1, count + 1))
        assert of_task[-1]["learning_rate"] == pytest.approx(last_rate, abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "far"),
    [
        ({"optimizer": "adamw"}, True),
        ({"momentum": 0.0}, True),
        ({"weight_decay": 0.1}, True),
        ({"clip_norm": 1e-3}, True),
        ({"clip_norm": 1e3}, None),
        ({"augment": "crop-flip"}, True),
        ({"precision": "bf16-mixed"}, False),
        ({"channels_last": True}, None),
    ],
    ids=str,
)
def test_a_setting_changes_what_is_learned_as_much_as_it_should(
    tmp_path: Path, changes: dict[str, Any], far: bool | None
) -> None:
    """Against the run without it: far from it, near it in a lower precision, or the same."""
    settings = {"method": "finetune", "epochs": 1, "step": 6}
    plain = quick(tmp_path / "plain", **settings).learner("finetune", 0).state_dict()
    other = quick(tmp_path / "other", **{**settings, **changes})
    found = other.learner("finetune", 0).state_dict()
    weights = [name for name, value in plain.items() if value.dim() == 2]
    assert weights
    gap = max(float((found[name] - plain[name]).norm() / plain[name].norm()) for name in weights)
    low, high = {True: (0.02, 10.0), False: (1e-7, 0.02), None: (0.0, 1e-6)}[far]
    assert low <= gap <= high


def test_a_groups_own_factor_of_the_learning_rate(tmp_path: Path) -> None:
    """With the factor 0 the body stays as it was drawn, however long the head is trained."""
    file = tmp_path / "still.py"
    file.write_text(
        "from didact.methods import Method, Stage\n"
        "class Still(Method):\n"
        "    def groups(self):\n"
        "        return [\n"
        "            {'params': list(self.network.body.parameters()), 'factor': 0.0},\n"
        "            {'params': list(self.network.classifier.parameters())},\n"
        "        ]\n"
        "    def stages(self, task):\n"
        "        return [Stage('train', task.train, self.groups)]\n"
        "    def losses(self, batch):\n"
        "        logits = self.logits(batch.images)\n"
        "        return {'classification': self.cross_entropy(logits, batch.labels)}\n"
    )
    states = []
    for epochs in (1, 3):
        result = quick(tmp_path / str(epochs), method=f"{file}:Still", step=6, epochs=epochs)
        states.append(result.learner(f"{file}:Still", 0).state_dict())
    same = {name: torch.equal(value, states[1][name]) for name, value in states[0].items()}
    assert all(equal for name, equal in same.items() if ".body." in name)
    assert not any(equal for name, equal in same.items() if "classifier.weight" in name)
    assert {".body." in name for name in same} == {True, False}


@pytest.mark.parametrize("method", ["lwf", "icarl"])
def test_told_the_task_no_other_class_is_predicted(tmp_path: Path, method: str) -> None:
    """Untrained, a two-class task is right about half of the time, not a sixth."""
    changes = {"scenario": "task", "epochs": 1, "learning_rate": 1e-9, "method": method}
    (matrix,) = quick(tmp_path, **changes).summary["methods"][method]["matrices"]
    assert sum(matrix[-1]) / 3 > 0.3


def test_told_the_task_it_is_chosen_among_its_classes(tmp_path: Path) -> None:
    by_class = quick(tmp_path / "class", method="finetune").summary["methods"]["finetune"]
    by_task = quick(tmp_path / "task", method="finetune", scenario="task")
    told = by_task.summary["methods"]["finetune"]
    assert told["numbers"]["last"][0] > by_class["numbers"]["last"][0] + 0.3


def test_one_task_has_nothing_to_forget(tmp_path: Path) -> None:
    result = quick(tmp_path, step=6)
    assert "forgetting" not in result.summary["methods"]["lwf"]["numbers"]


def test_the_classes_of_the_cross_entropy_decide_lwf(tmp_path: Path) -> None:
    """Cross-entropy over all classes turns LwF into fine-tuning; over the new ones it does not."""
    many = {"epochs": 10, "learning_rate": 0.1}
    new = quick(tmp_path / "new", **many).summary["methods"]["lwf"]["numbers"]["last"][0]
    options = {"method_options": {"lwf.classes": "seen"}}
    seen = quick(tmp_path / "seen", **many, **options).summary["methods"]["lwf"]["numbers"]["last"]
    assert new > seen[0] + 0.05


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteError, match=r"lwf, seed 0, became .*learning-rate"):
        quick(tmp_path, learning_rate=1e30)


class Headless(nn.Module):
    """No classifier to grow."""

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)[:, :2]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"method": "lfw"}, UnknownNameError, "did you mean 'lwf'"),
        ({"method": ()}, UsageError, "expected one or more different methods"),
        ({"method_options": {"lwf.temprature": 3.0}}, UsageError, "no option 'temprature'"),
        ({"method_options": {"wa.x": 3.0}}, UsageError, "the methods of this run are lwf"),
        ({"method": "icarl", "memory": 5}, RangeError, "not one exemplar for each of 6 classes"),
        ({"memory_per_class": 5}, UsageError, "not both"),
        ({"step": 7}, RangeError, "step is 7"),
        ({"model": lambda data, classes: Headless()}, ModelError, "no linear layer"),
        ({"model": Headless()}, ModelError, "expected a name, or a function"),
        ({"devices": 2, "jobs": 2}, UsageError, "choose one"),
        ({"batch_size": 9, "devices": 2}, UsageError, "not a multiple"),
        ({"evaluate_on": "validation", "validation": 0.0}, UsageError, "needs validation above"),
        ({"epochs": 0}, UsageError, "epochs"),
        ({"no_such": 1}, UsageError, "no setting 'no_such'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], error: type[DidactError], message: str
) -> None:
    with pytest.raises(error, match=message):
        quick(tmp_path, **changes)
    assert not (tmp_path / "run").exists()


def test_a_run_folder_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    quick(tmp_path, method="finetune", epochs=1)
    with pytest.raises(RunFolderError, match="exists already"):
        quick(tmp_path, epochs=1)
    quick(tmp_path, epochs=1, overwrite=True)
    assert [cell.name for cell in (tmp_path / "run" / "cells").iterdir()] == ["lwf.0"]


def test_settings_survive_toml(tmp_path: Path) -> None:
    import tomllib

    settings = LearnSettings.build(
        groups=((0, 1), (2,)), method=("lwf",), method_options={"lwf.weight": 2.0}, class_order=7
    )
    assert LearnSettings.build(**tomllib.loads(settings.to_toml())) == settings
    other = settings.changed(seeds=(5,), jobs=2)
    assert other.deciding_of("lwf") == settings.deciding_of("lwf")
    assert settings.changed(epochs=3).deciding_of("lwf") != settings.deciding_of("lwf")


class FromElsewhere(nn.Module):
    """As libraries have them: no function ``features``, and a last layer of another name."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.LazyLinear(12), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(12, classes))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images))


@pytest.mark.parametrize("method", ["icarl", "der", "lucir", "simplecil"])
def test_a_model_from_elsewhere_learns(method: str, tmp_path: Path) -> None:
    def build(data: Data, classes: int) -> nn.Module:
        model = FromElsewhere(classes)
        model(torch.zeros(1, *data.image_shape))
        return model

    result = quick(tmp_path, model=build, method=method, epochs=6)
    assert result.summary["methods"][method]["numbers"]["last"][0] > 0.3
    again = load_learner(result.folder, method, model=build)
    images = (small_data().test.images / 255 - 0.3) / 0.2
    with torch.no_grad():
        right = again.predict(images).argmax(-1) == small_data().test.labels
    expected = result.summary["methods"][method]["numbers"]["last"][0]
    assert float(right.double().mean()) == pytest.approx(expected)


def test_a_method_of_the_users_own_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from didact.methods import Method\n"
        "class Mine(Method):\n"
        "    exemplars = 'random'\n"
        "    def losses(self, batch):\n"
        "        logits = self.logits(batch.images)\n"
        "        return {'classification': self.cross_entropy(logits, batch.labels)}\n"
    )
    result = learn(**names(tmp_path), method=f"{file}:Mine", output=tmp_path / "run", **SETTINGS)
    found = result.summary["methods"][f"{file}:Mine"]
    assert found["sizes"][0]["exemplars"] == 12
    assert (
        load_learner(tmp_path / "run", f"{file}:Mine").memory.labels.bincount().tolist() == [2] * 6
    )


def test_two_files_of_one_name_have_a_folder_each(tmp_path: Path) -> None:
    names = ("a/mine.py:Net", "b/mine.py:Net", "a.b:C", "a_b_C", "mine.py:Net")
    assert len({cell_folder(tmp_path, name, 0) for name in names}) == len(names)
    assert cell_folder(tmp_path, "lwf", 3).name == "lwf.3"
