"""``log`` in learn: what the loggers hear of each method and seed, once each."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.train.learning.support import SETTINGS, StopAfter, names

from didact._core.errors import UsageError
from didact.train import learn, resume_learning
from didact.train.record.interrupt import StoppedError


def test_a_resumed_run_tells_each_epoch_once_and_the_accuracies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    given = {"method": "finetune", "log": ("csv",), **names(tmp_path), **SETTINGS}
    with monkeypatch.context() as here:
        StopAfter(here, 20)
        with pytest.raises(StoppedError):
            learn(output=run, **given)
    result = resume_learning(run)
    with (run / "logs" / "csv" / "finetune.0" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    epochs = [row for row in rows if row["train_loss"]]
    assert [int(row["step"]) for row in epochs] == list(range(1, 10))  # 3 tasks of 3 epochs
    assert [int(float(row["task"])) for row in epochs] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    measured = [row for row in rows if row["accuracy_1"]]
    assert [int(row["step"]) for row in measured] == [3, 6, 9]
    matrix = result.summary["methods"]["finetune"]["matrices"][0]
    told = [float(measured[-1][f"accuracy_{task}"]) for task in (1, 2, 3)]
    assert told == pytest.approx(matrix[-1])
    assert not measured[0]["accuracy_2"]


def test_no_such_logger_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no logger is called 'cvs'"):
        learn(
            output=tmp_path / "run", log=("cvs",), method="finetune", **names(tmp_path), **SETTINGS
        )
    assert not (tmp_path / "run").exists()
