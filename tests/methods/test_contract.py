"""What every method must keep to, on a small stream."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.methods.support import (
    BUDGET,
    NAMES,
    PLAIN_WHEN_ALONE,
    TASKS,
    Seen,
    assert_same,
    crash_and_resume,
    data,
    final_tensors,
    matrix,
    only_this_task,
    run,
    scratch,
    watched,
)
from torch import Tensor

from didact import methods
from didact._core.errors import DidactError
from didact.data import Data
from didact.methods import METHODS
from didact.train import Learner, continue_learning

WITH_EXEMPLARS = [name for name in NAMES if METHODS[name].method.exemplars is not None]


@cache
def watched_run(name: str) -> tuple[dict[str, Tensor], Seen, Path]:
    folder = scratch() / "run"
    with watched() as seen:
        return run(name, folder), seen, folder


def test_every_file_of_the_folder_registers_a_method() -> None:
    files = {p.stem for p in Path(methods.__file__).parent.glob("*.py") if p.stem[0] != "_"}
    assert {METHODS[name].method.__module__.rpartition(".")[2] for name in NAMES} == files


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_same_bits(name: str, tmp_path: Path) -> None:
    assert_same(watched_run(name)[0], run(name, tmp_path / "again"))


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_gives_another_network(name: str, tmp_path: Path) -> None:
    first, other = watched_run(name)[0], run(name, tmp_path / "other", seeds=(1,))
    weights = [key for key in first if key.startswith("model.network") and first[key].dim() == 4]
    assert weights
    assert not any(first[key].equal(other[key]) for key in weights)


CUTS = [(name, at) for number, name in enumerate(NAMES) for at in ((2, 5)[number % 2], 14)]


@pytest.mark.parametrize(("name", "at"), CUTS)
def test_a_resumed_run_gives_the_same_bits(name: str, at: int, tmp_path: Path) -> None:
    crashed = crash_and_resume(name, tmp_path / "run", at)
    assert crashed or at > 5
    assert_same(watched_run(name)[0], final_tensors(tmp_path / "run"))
    assert matrix(tmp_path / "run") == matrix(watched_run(name)[2])


@pytest.mark.parametrize("name", [n for n in NAMES if not METHODS[n].method.sees_all_tasks])
def test_sees_no_other_task_but_through_its_memory(name: str, tmp_path: Path) -> None:
    with only_this_task():
        poisoned = run(name, tmp_path / "run")
    assert_same(watched_run(name)[0], poisoned)


def test_joint_sees_earlier_tasks(tmp_path: Path) -> None:
    with only_this_task(), pytest.raises(DidactError):
        run("joint", tmp_path / "run")


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_does_not_depend_on_the_batch(name: str) -> None:
    method = watched_run(name)[1].methods[-1].eval()
    images = (data().test.images - 0.6) / 0.4
    with torch.no_grad():
        for way in (method.predict, *method.other_predictors().values()):
            whole = way(images)
            single = torch.cat([way(image.unsqueeze(0)) for image in images])
            assert whole.shape == (len(images), 6)
            torch.testing.assert_close(whole, single, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in NAMES if METHODS[n].method.distils])
def test_the_teacher_is_the_network_before_the_task(name: str) -> None:
    seen = watched_run(name)[1]
    assert seen.teachers[0] is None
    for task in range(1, TASKS):
        teacher = seen.teachers[task]
        assert teacher is not None
        assert_same(teacher, seen.networks[task - 1])
        moved = [n for n, v in teacher.items() if v.shape == seen.networks[task][n].shape]
        assert any(not teacher[n].equal(seen.networks[task][n]) for n in moved)
    assert all(not p.requires_grad for p in seen.methods[-1].teacher.model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_memory_keeps_to_its_budget(name: str) -> None:
    sizes = watched_run(name)[1].memory
    if name in WITH_EXEMPLARS:
        assert all(0 < size <= BUDGET for size in sizes)
    else:
        assert sizes == [0] * TASKS


@pytest.mark.parametrize("name", WITH_EXEMPLARS)
def test_works_without_a_memory(name: str, tmp_path: Path) -> None:
    with watched() as seen:
        found = run(name, tmp_path / "run", memory=0)
    assert all(torch.isfinite(v).all() for k, v in found.items() if k.startswith("model."))
    assert seen.memory == [0] * TASKS
    with_memory = watched_run(name)[1].networks
    assert any(not v.equal(with_memory[-1][k]) for k, v in seen.networks[-1].items())


@cache
def alone(name: str) -> Tensor:
    folder = scratch() / "run"
    with watched() as seen:
        run(name, folder, step=6)
    images = (data().test.images - 0.6) / 0.4
    with torch.no_grad():
        return seen.methods[-1].eval().logits(images)


@pytest.mark.parametrize("name", PLAIN_WHEN_ALONE)
def test_with_one_task_it_is_plain_training(name: str) -> None:
    assert torch.equal(alone(name), alone("finetune"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "stream",
    [
        {"step": 1, "imbalance": 0.2},
        {"scenario": "domain", "tasks": 2, "step": None},
        {"blurry": 0.2},
    ],
    ids=["one class a task, the last one rare", "the same classes", "classes come back"],
)
def test_unusual_streams_give_finite_numbers(
    name: str, stream: dict[str, Any], tmp_path: Path
) -> None:
    with watched() as seen:
        found = run(name, tmp_path / "run", **stream)
    assert all(torch.isfinite(v).all() for k, v in found.items() if k.startswith("model."))
    rows = matrix(tmp_path / "run")
    tasks = {1: 6, None: 2}.get(stream.get("step", 2), 3)
    whole = stream.get("scenario") == "domain"
    assert [[value is not None for value in row] for row in rows] == [
        [whole or k <= t for k in range(tasks)] for t in range(tasks)
    ]
    assert all(value is None or 0 <= value <= 1 for row in rows for value in row)
    images = (data().test.images - 0.6) / 0.4
    with torch.no_grad():
        predicted = seen.methods[-1].eval().predict(images)
    assert predicted.shape == (len(images), 6)
    assert (predicted[0] - predicted[1]).abs().max() > 0


@pytest.mark.parametrize("name", NAMES)
def test_going_on_is_one_run_with_all_tasks(name: str, tmp_path: Path) -> None:
    """The same bits; old classes keep their columns by name; and the file alone answers."""
    two = {"step": None, "groups": (("a", "b"), ("c", "d")), "normalise": "0.6/0.4"}
    run(name, tmp_path / "two", **two)
    third = {"data": numbered_backwards(), "groups": (("e", "f"),)}
    continue_learning(tmp_path / "two", output=tmp_path / "three", **third)
    assert_same(watched_run(name)[0], final_tensors(tmp_path / "three"))
    (file,) = (tmp_path / "three").glob("cells/*/learner.safetensors")
    learner = Learner.load(file)
    assert learner.class_names == tuple("abcdef")
    images = data().test.images
    with torch.no_grad():
        expected = watched_run(name)[1].methods[-1].eval().predict((images - 0.6) / 0.4)
    torch.testing.assert_close(learner.scores(images), expected, rtol=1e-4, atol=1e-5)


def numbered_backwards() -> Data:
    """The same images, the classes numbered the other way round: names say which is which."""
    whole = data()
    splits = {
        what: getattr(whole, what).with_labels(5 - getattr(whole, what).labels)
        for what in ("train", "validation", "test")
    }
    return replace(whole, class_names=tuple("fedcba"), mean=(0.1,), std=(0.9,), **splits)
