"""Loggers and callbacks: the numbers arrive, once each; what is no logger is named."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.distilling.support import QUICK

from didact._core.errors import MissingDependencyError, UsageError
from didact.train import Step, distill, resume

SMALL: dict[str, Any] = {**QUICK, "student": "mlp-8", "teacher": "mlp-16", "batch_size": 256}


class InterruptedRunError(Exception):
    """What a callback may raise: a pruned trial, an impatient user."""


class Remembers:
    """The least that a logger is."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder, self.told = folder, []  # type: ignore[var-annotated]

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.told.append((step, metrics))


def stop_at(arm: str, epoch: int) -> Any:
    def on_epoch(row: dict[str, Any]) -> None:
        if (row["arm"], row["epoch"]) == (arm, epoch):
            raise InterruptedRunError

    return on_epoch


def interrupted_and_resumed(folder: Path, log: str) -> Any:
    given = {**SMALL, "checkpoint_seconds": 0.0, "epochs": 3}
    with pytest.raises(InterruptedRunError):
        distill(output=folder, log=log, on_epoch=stop_at("distilled", 2), **given)
    return resume(folder)


def test_csv_has_a_row_for_each_epoch_also_of_a_resumed_run(tmp_path: Path) -> None:
    result = interrupted_and_resumed(tmp_path / "run", "csv")
    with (tmp_path / "run" / "logs" / "csv" / "distilled.0" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    epochs = [row for row in rows if row["train_loss"]]
    assert [int(row["step"]) for row in epochs] == [1, 2, 3]
    (last,) = [row for row in rows if row.get("test_accuracy")]
    wanted = result.summary["arms"]["distilled"]["test_accuracy"][0]
    assert float(last["test_accuracy"]) == pytest.approx(wanted)


def test_tensorboard_has_the_curves(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = interrupted_and_resumed(tmp_path / "run", "tensorboard")
    events = EventAccumulator(str(tmp_path / "run" / "logs" / "tensorboard" / "distilled.0"))
    events.Reload()
    assert [entry.step for entry in events.Scalars("validation_accuracy")] == [1, 2, 3]
    (last,) = events.Scalars("test_accuracy")
    assert last.value == pytest.approx(result.summary["arms"]["distilled"]["test_accuracy"][0])


def test_mlflow_s_file_store_has_each_number_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow.tracking")
    from mlflow.tracking import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    interrupted_and_resumed(tmp_path / "run", "mlflow")
    client = MlflowClient(tracking_uri=(tmp_path / "run" / "logs" / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("didact")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.run_name for run in runs} == {
        "run.teacher.0", "run.alone.0", "run.distilled.0",
    }  # fmt: skip
    (distilled,) = [run for run in runs if run.info.run_name == "run.distilled.0"]
    history = client.get_metric_history(distilled.info.run_id, "train_loss")
    assert sorted(entry.step for entry in history) == [1, 2, 3]
    assert distilled.info.status == "FINISHED"
    assert distilled.data.params["student"] == "mlp-8"


def test_wandb_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    distill(output=tmp_path / "run", log="wandb", **SMALL)
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*"))


def test_a_logger_of_one_s_own_from_a_file_and_as_an_object(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "class MyLogger:\n"
        "    def __init__(self, folder):\n"
        "        folder.mkdir(parents=True)\n"
        "        self.file = folder / 'told.txt'\n"
        "    def log_metrics(self, metrics, step):\n"
        "        with self.file.open('a') as file:\n"
        "            print(step, *sorted(metrics), file=file)\n"
    )
    mine = Remembers()
    distill(output=tmp_path / "run", log=[f"{file}:MyLogger", mine], **SMALL)
    told = (tmp_path / "run" / "logs" / "distilled.0" / "told.txt").read_text()
    assert "1 learning_rate seconds train_loss validation_accuracy" in told
    names = {name for _, metrics in mine.told for name in metrics}
    assert "distilled.0/train_loss" in names
    assert "alone.0/test_accuracy" in names


def test_callbacks_see_steps_and_epochs_and_change_nothing(tmp_path: Path) -> None:
    plain = distill(output=tmp_path / "plain", **SMALL)
    steps: list[Step] = []
    epochs: list[dict[str, Any]] = []

    def on_step(step: Step) -> None:
        steps.append(step)
        torch.rand(3)  # must not change the run

    watched = distill(output=tmp_path / "b", on_step=on_step, on_epoch=epochs.append, **SMALL)
    for name, value in plain.student.state_dict().items():
        assert torch.equal(value, watched.student.state_dict()[name])
    of_student = [(step.epoch, step.step) for step in steps if step.arm == "distilled"]
    assert of_student == [(e, s) for e in (0, 1) for s in range(1, len(of_student) // 2 + 1)]
    assert all(not step.loss.requires_grad for step in steps)
    assert [row["epoch"] for row in epochs if row["arm"] == "distilled"] == [1, 2]
    assert steps[0].batch.images.shape[1:] == (1, 8, 8)


@pytest.mark.parametrize(
    ("log", "error", "word"),
    [
        ("tensorbord", UsageError, "did you mean"),
        (object(), UsageError, "log_metrics"),
        ("file:Nothing", Exception, "file"),
    ],
)
def test_what_is_no_logger_is_said_before_anything_is_trained(
    tmp_path: Path, log: Any, error: type[Exception], word: str
) -> None:
    with pytest.raises(error, match=word):
        distill(output=tmp_path / "run", log=log, **SMALL)
    assert not (tmp_path / "run").exists()


def test_a_missing_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingDependencyError, match=r"didact\[wandb\]"):
        distill(output=tmp_path / "run", log="wandb", **SMALL)
