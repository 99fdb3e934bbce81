"""The contract of every method on real images: few of them, and few runs, shared by the laws."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from tests.methods.support import (
    DIGITS,
    NAMES,
    PLAIN_WHEN_ALONE,
    Seen,
    assert_same,
    crash_and_resume,
    digits,
    final_tensors,
    matrix,
    only_this_task,
    run,
    scratch,
    watched,
)
from torch import Tensor

from didact.data import load
from didact.methods import METHODS

BUDGET, INSIDE_THE_SECOND_TASK = 20, 7


@cache
def watched_run(name: str) -> tuple[dict[str, Tensor], Seen, Path]:
    folder = scratch() / "run"
    with watched() as seen:
        return run(name, folder, made=digits, memory=BUDGET, **DIGITS), seen, folder


def some_images() -> Tensor:
    data = load("digits")
    images = (data.test.images[:100] / 255 - data.mean[0]) / data.std[0]
    assert images.shape[1:] == (1, 8, 8)
    return images


@pytest.mark.parametrize("name", [n for n in NAMES if not METHODS[n].method.sees_all_tasks])
def test_resumed_on_poisoned_data_it_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    """The same seed, a crash in the second task, and other tasks' images white."""
    with only_this_task():
        crashed = crash_and_resume(
            name, tmp_path / "run", INSIDE_THE_SECOND_TASK, digits, memory=BUDGET, **DIGITS
        )
    assert crashed or METHODS[name].method.__module__.endswith(
        ("aper", "ranpac", "simplecil", "slda")
    )
    assert_same(watched_run(name)[0], final_tensors(tmp_path / "run"))
    assert matrix(tmp_path / "run") == matrix(watched_run(name)[2])


@pytest.mark.parametrize("name", NAMES)
def test_after_each_task(name: str) -> None:
    """The memory keeps to its budget; the teacher is the network before the task."""
    seen, method = watched_run(name)[1], METHODS[name].method
    kept = method.exemplars is not None
    assert all(0 < n <= BUDGET if kept else n == 0 for n in seen.memory)
    for before, teacher in zip(seen.networks, seen.teachers[1:], strict=False):
        assert (teacher is not None) == method.distils
        if teacher is not None:
            assert_same(teacher, before)


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_does_not_depend_on_the_batch(name: str) -> None:
    method, images = watched_run(name)[1].methods[-1].eval(), some_images()
    with torch.no_grad():
        for way in (method.predict, *method.other_predictors().values()):
            parts = torch.cat([way(part) for part in images.split(7)])
            torch.testing.assert_close(way(images), parts, rtol=1e-4, atol=1e-5)


@cache
def alone(name: str) -> Tensor:
    with watched() as seen:
        one_task = {**DIGITS, "base": None, "step": 10}
        run(name, scratch() / "run", made=digits, memory=BUDGET, **one_task)
    with torch.no_grad():
        return seen.methods[-1].eval().logits(some_images())


@pytest.mark.parametrize("name", PLAIN_WHEN_ALONE)
def test_with_one_task_it_is_plain_training(name: str) -> None:
    assert torch.equal(alone(name), alone("finetune"))
