"""Two processes equal one, from the start or from where one process stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.train.learning.support import SETTINGS, StopAfter, names

from didact._core.errors import RunFolderError
from didact.train import StoppedError, learn, resume_learning
from didact.train.record.files import read_tensors

METHODS = ("lwf", "icarl", "replay")
# 32 images a task: the last batch of 12 is short, and its halves are of one size.
SETTINGS = {**SETTINGS, "method": METHODS, "batch_size": 12}


def tensors(run: Path) -> dict[str, torch.Tensor]:
    return {
        f"{file.parent.name} {name}": value
        for file in sorted(run.glob("cells/*/learner.safetensors"))
        for name, value in load_file(file).items()
    }


def assert_close(one: Path, other: Path) -> None:
    expected, got = tensors(one), tensors(other)
    assert expected
    assert expected.keys() == got.keys()
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, rtol=1e-3, atol=1e-5, equal_nan=True, msg=name)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return names(tmp_path_factory.mktemp("parts"), plain=True)


@pytest.fixture(scope="module")
def whole(parts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    learn(**parts, output=folder, **SETTINGS)
    return folder


@pytest.mark.slow
def test_two_processes_equal_one(parts: dict[str, Any], whole: Path, tmp_path: Path) -> None:
    learn(**parts, output=tmp_path / "two", **SETTINGS, devices=2)
    assert_close(whole, tmp_path / "two")


@pytest.mark.slow
def test_a_short_shard_weighs_less(tmp_path: Path) -> None:
    """The second task has 33 images: the halves of its last batch have five and four of them."""
    parts = names(tmp_path, plain=True, train=99)
    methods = ("lwf", "icarl", "replay", "der++", "ssil")
    options = {"ssil.replay_share": 1 / 3}  # four exemplars a step, on one process or on two
    settings = {**SETTINGS, "method": methods, "method_options": options, "epochs": 2}
    learn(**parts, output=tmp_path / "one", **settings)
    learn(**parts, output=tmp_path / "two", **settings, devices=2)
    assert_close(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_two_processes_go_on_where_one_stopped(
    parts: dict[str, Any], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        StopAfter(patch, 57)  # inside the second task of the second method
        with pytest.raises(StoppedError):
            learn(**parts, output=tmp_path / "two", **SETTINGS)
    resume_learning(tmp_path / "two", devices=2)
    assert_close(whole, tmp_path / "two")


@pytest.mark.slow
def test_one_process_goes_on_where_two_crashed(
    parts: dict[str, Any], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second task of the second method: the head has grown, exemplars are stored."""
    monkeypatch.setenv("CRASH_AT", "57")
    run, settings = tmp_path / "two", {**SETTINGS, "checkpoint_seconds": 0.0}
    with pytest.raises(RunFolderError, match=rf"ended unexpectedly.*--resume {run}"):
        learn(**parts, output=run, **settings, devices=2)
    monkeypatch.delenv("CRASH_AT")
    assert (run / "cells" / "lwf.0" / "cell.json").is_file()
    state, about = read_tensors(run / "cells" / "icarl.0" / "state.safetensors")
    assert (about["position"]["task"], about["position"]["begun"]) == (1, True)
    assert len(state["memory.labels"]) == 12
    assert len(state["model.network.classifier.weight"]) == 4
    resume_learning(run, devices=1)
    assert_close(whole, run)
