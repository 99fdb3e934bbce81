"""A killed run goes on to the same bits, between tasks and inside them."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tests.train.killing import Killer, rows
from tests.train.learning.support import (
    SETTINGS,
    StopAfter,
    dropout_network,
    names,
    small_data,
    start_or_resume,
)

from didact._core.errors import CheckpointError, RunFolderError, UsageError
from didact.train import StoppedError, learn, resume_learning

METHODS = ("lwf", "icarl", "der")
KILLS = 20 if os.environ.get("DIDACT_ATTACK") else 3


@pytest.fixture(scope="module")
def killer() -> Killer:
    return Killer(start_or_resume, "tests.train.learning.support")


def assert_same(one: Path, other: Path) -> None:
    """Every cell's tensors bit for bit, and every number but the seconds."""
    cells = sorted(path.name for path in (one / "cells").iterdir())
    assert cells == sorted(path.name for path in (other / "cells").iterdir())
    for cell in cells:
        expected = load_file(one / "cells" / cell / "learner.safetensors")
        got = load_file(other / "cells" / cell / "learner.safetensors")
        assert expected.keys() == got.keys()
        assert all(torch.equal(expected[name], got[name]) for name in expected), cell
    assert rows(one) == rows(other)


def test_killed_at_random_moments_it_ends_in_the_same_bits(killer: Killer, tmp_path: Path) -> None:
    parts = {**names(tmp_path), "method": METHODS}
    seconds = killer.to_the_end(tmp_path / "whole", parts)
    within = (0.05 * seconds, 0.3 * seconds)
    for folder in killer.killed(tmp_path, parts, kills=KILLS, within=within):
        assert_same(tmp_path / "whole", folder)


@pytest.mark.parametrize("looks", [1, 13, 14, 60, 72])
def test_stopped_at_chosen_moments_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    parts = {**names(tmp_path), "method": ("replay", "icarl")}
    learn(**parts, output=tmp_path / "whole", **SETTINGS)
    with monkeypatch.context() as patch:
        StopAfter(patch, looks)
        with pytest.raises(StoppedError, match=rf"didact learn --resume {tmp_path / 'run'}"):
            learn(**parts, output=tmp_path / "run", **SETTINGS)
    resume_learning(tmp_path / "run")
    assert_same(tmp_path / "whole", tmp_path / "run")
    with pytest.raises(RunFolderError, match="complete"):
        resume_learning(tmp_path / "run")


@pytest.mark.parametrize("damage", ["truncate", "garbage", "other settings"])
def test_a_damaged_state_is_one_message(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = names(tmp_path)
    with monkeypatch.context() as patch:
        StopAfter(patch, 20)
        with pytest.raises(StoppedError):
            learn(**parts, method="lwf", output=tmp_path / "run", **SETTINGS)
    file = next((tmp_path / "run" / "cells").rglob("state.safetensors"))
    content = file.read_bytes()
    if damage == "truncate":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "garbage":
        file.write_bytes(b"\x80\x04cos\nsystem\n" + content[20:])
    else:
        toml = tmp_path / "run" / "run.toml"
        toml.write_text(toml.read_text().replace("epochs = 3", "epochs = 4"))
    edited = damage == "other settings"
    says = "run.toml says epochs = 4" if edited else r"state.safetensors.*damaged"
    with pytest.raises((CheckpointError, RunFolderError), match=says):
        resume_learning(tmp_path / "run")
    assert file.exists()


def test_a_larger_grid_runs_only_what_is_missing(tmp_path: Path) -> None:
    parts = names(tmp_path)
    first = learn(**parts, method="lwf", output=tmp_path / "run", **SETTINGS)
    cell = tmp_path / "run" / "cells" / "lwf.0"
    before = {file: file.stat().st_mtime_ns for file in cell.iterdir()}
    grown = resume_learning(tmp_path / "run", method=("lwf", "finetune"), seeds=(0, 1))
    assert {file: file.stat().st_mtime_ns for file in cell.iterdir()} == before
    assert (
        grown.summary["methods"]["lwf"]["matrices"][:1]
        == (first.summary["methods"]["lwf"]["matrices"])
    )
    assert len(grown.summary["methods"]["finetune"]["matrices"]) == 2
    with pytest.raises(UsageError, match="keeps its epochs"):
        resume_learning(tmp_path / "run", epochs=5)


def test_resume_of_what_is_no_learning_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="not a run folder"):
        resume_learning(tmp_path)
    (tmp_path / "run.toml").write_text('teacher = ["cnn"]\n')
    with pytest.raises(RunFolderError, match="didact distill"):
        resume_learning(tmp_path)


def test_a_trained_method_comes_back_from_its_folder(tmp_path: Path) -> None:
    result = learn(**names(tmp_path), method="icarl", output=tmp_path / "run", **SETTINGS)
    learner = result.learner("icarl")
    data = small_data()
    images = (data.test.images / 255 - 0.3) / 0.2
    with torch.no_grad():
        predicted = learner.predict(images).argmax(-1)
    accuracy = float((predicted == data.test.labels).double().mean())
    assert accuracy == pytest.approx(result.summary["methods"]["icarl"]["numbers"]["last"][0])
    with pytest.raises(RunFolderError, match="no trained wa"):
        result.learner("wa")


def test_several_jobs_find_what_one_finds(tmp_path: Path) -> None:
    settings = {**SETTINGS, "method": ("lwf", "icarl"), "seeds": (0, 1)}
    parts = names(tmp_path)
    learn(**parts, output=tmp_path / "one", **settings)
    learn(**parts, output=tmp_path / "two", **settings, jobs=2)
    assert_same(tmp_path / "one", tmp_path / "two")


def test_a_model_of_this_process_needs_no_file(tmp_path: Path) -> None:
    result = learn(
        data=small_data(), model=dropout_network, method="lwf", output=tmp_path / "run", **SETTINGS
    )
    assert result.summary["model"] == "dropout_network"


def test_changed_data_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one pixel: in a cell under way, and where a finished grid is made larger."""
    parts = names(tmp_path)
    given = {**SETTINGS, "epochs": 1}
    StopAfter(monkeypatch, 14)
    with pytest.raises(StoppedError):
        learn(**parts, method=("lwf", "icarl"), output=tmp_path / "run", **given)
    monkeypatch.undo()
    learn(**parts, method="lwf", output=tmp_path / "done", **given)
    changed = small_data()
    changed.train.images[0, 0, 0, 0] += 1
    monkeypatch.setattr("didact.train.loop.data.DataReader.__call__", lambda *_: changed)
    with pytest.raises(CheckpointError, match="was computed on other data than what is there now"):
        resume_learning(tmp_path / "run")
    for jobs in (1, 2):
        with pytest.raises(CheckpointError, match="was computed on other data"):
            resume_learning(tmp_path / "done", method=("lwf", "finetune"), jobs=jobs)


def test_another_number_of_threads_is_said_to_change_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = names(tmp_path)
    StopAfter(monkeypatch, 5)
    with pytest.raises(StoppedError):
        learn(**parts, method="lwf", output=tmp_path / "run", **{**SETTINGS, "epochs": 1})
    monkeypatch.undo()
    shown = Console(record=True, file=StringIO(), width=200)
    before = torch.get_num_threads()
    resume_learning(tmp_path / "run", threads=2, console=shown)
    torch.set_num_threads(before)
    assert "note: another number of threads rounds sums differently" in shown.export_text()
