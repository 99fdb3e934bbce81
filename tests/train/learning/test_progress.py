"""What a run of ``learn`` shows of its progress: never backwards, and 100 % at its end."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.train.learning.support import SETTINGS, StopAfter, names

from didact.train import learn, resume_learning
from didact.train.record import log as _log
from didact.train.record.interrupt import StoppedError

# Stages of their own lengths, none after the first task, and one epoch more in each task.
METHODS = ("der", "simplecil", "podnet")
OPTIONS = {"der.classifier_epochs": 5, "podnet.balanced_epochs": 4}


@pytest.fixture(autouse=True)
def every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_log, "SECONDS_BETWEEN_LINES", 0.0)


def percentages(console: Console) -> list[int]:
    assert isinstance(console.file, io.StringIO)
    return [int(found) for found in re.findall(r"^\[ *(\d+)%\]", console.file.getvalue(), re.M)]


def run(folder: Path, **changes: Any) -> list[int]:
    console = Console(file=io.StringIO(), width=200)
    learn(
        **names(folder, plain=True),
        method=METHODS,
        method_options=OPTIONS,
        output=folder / "run",
        console=console,
        **{**SETTINGS, **changes},
    )
    return percentages(console)


def test_progress_rises_to_100(tmp_path: Path) -> None:
    found = run(tmp_path, seeds=(0, 1))
    assert found == sorted(found)
    assert found[0] < 5
    assert found[-1] == 100


def test_a_resumed_run_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        StopAfter(patch, 100)
        with pytest.raises(StoppedError):
            run(tmp_path)
    console = Console(file=io.StringIO(), width=200)
    resume_learning(tmp_path / "run", console=console)
    found = percentages(console)
    assert found == sorted(found)
    assert 20 < found[0] < 80
    assert found[-1] == 100
