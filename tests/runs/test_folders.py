"""What stands in a run folder is what stands in the tables."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from tests.runs.support import any_records, distill_run, learn_run

from didact._core.errors import DidactError, RunFolderError, UsageError
from didact.runs import TABLES, read_runs, write_file
from didact.runs.tables import DTYPES


def test_a_distill_run(tmp_path):
    found = read_runs([distill_run(tmp_path / "run")])
    (run,) = found.runs.to_dict("records")
    assert (run["kind"], run["complete"], run["teacher"]) == ("distill", True, "cnn")
    assert run["command"] == "didact distill --data 手写数字"
    assert str(run["started"]) == "2026-11-05 02:00:00.123456+00:00"
    numbers = found.results.set_index(["arm", "name", "seed"])["value"]
    assert numbers["alone", "nll", 1] == 0.30000000000000004
    assert len(numbers) == 5  # a null and a seed that is not done are no rows
    settings = found.settings.set_index("name")["value"]
    assert settings["loss_options.kd.alpha"] == "0.5"
    assert settings["teacher"] == '["cnn"]'


def test_epochs_count_once_and_a_torn_last_line_not_at_all(tmp_path):
    epochs = read_runs([distill_run(tmp_path / "run")]).epochs
    losses = epochs[epochs["name"] == "train_loss"].set_index("epoch")["value"]
    assert losses[1] == 2.5
    assert losses[2] == math.inf  # the last of two
    assert len(losses) == 2


def test_a_learn_run(tmp_path):
    found = read_runs([learn_run(tmp_path / "run")])
    numbers = found.results.set_index(["arm", "task", "name"])["value"]
    assert numbers["lwf", -1, "last"] == 0.5
    assert numbers["lwf/nearest mean", -1, "last"] == 0.6
    assert numbers["lwf", 1, "accuracy of task 0"] == 0.5
    epochs = found.epochs.set_index("name")["value"]
    assert (epochs["train_loss"], epochs["terms.distillation"]) == (0.5, 0.25)
    assert found.epochs["task"].tolist() == [1, 1]


def test_every_table_has_its_types(tmp_path):
    learn_run(tmp_path / "a/run")
    for records in (read_runs([]), read_runs([tmp_path]), any_records(10, 0)):
        for name, frame in records.named().items():
            assert {c: str(t) for c, t in frame.dtypes.items()} == {
                column: str(pd.Series(dtype=DTYPES[kind]).dtype)
                for column, kind in TABLES[name].items()
            }


def test_the_wide_table_has_a_row_a_seed_and_the_settings_that_differ(tmp_path):
    distill_run(tmp_path / "runs/a", temperature=2.0)
    distill_run(tmp_path / "runs/b", temperature=4.0)
    wide = read_runs([tmp_path / "runs"]).wide()
    assert len(wide) == 6
    means = wide.groupby(["temperature", "arm"])["test_accuracy"].mean()
    assert means[2.0, "alone"] == pytest.approx(0.85)
    assert "onnx" not in wide.columns  # the same in both
    assert wide["temperature"].dtype == float


def test_predictions(tmp_path):
    folder = distill_run(tmp_path / "run")
    (folder / "predictions.json").write_text(
        json.dumps(
            {
                "labels": [1, 0],
                "arms": [{"arm": "alone", "seed": 0, "predicted": [1, 1], "probability": [1, 0.5]}],
            }
        )
    )
    found = read_runs([folder]).predictions
    assert found["predicted"].tolist() == [1, 1]
    assert found["label"].tolist() == [1, 0]
    assert found["probability"].tolist() == [1.0, 0.5]


def test_files(tmp_path):
    records = any_records(50, seed=3)
    write_file(records.epochs, tmp_path / "epochs.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "epochs.parquet"), records.epochs, check_exact=True
    )
    write_file(records.epochs, tmp_path / "epochs.csv")
    again = pd.read_csv(tmp_path / "epochs.csv", keep_default_na=False, na_values=["nan"])
    pd.testing.assert_series_equal(again["value"], records.epochs["value"], check_exact=True)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("run.toml", b"a = ", "run.toml is damaged"),
        ("run.toml", b"\xff", "cannot be read"),
        ("result.json", b"[1]", "holds no object"),
        ("result.json", b"[" * 100_000, "damaged"),
        ("result.json", b'{"kind": "distill", "seeds": 3}', "damaged"),
        ("result.json", b'{"kind": "learn", "seeds": [0], "methods": {"a": {}}}', "numbers"),
        ("result.json", b'{"started": 7}', "started is 7"),
        ("result.json", b'{"schema": 2}', "has schema 2; this didact reads schema 1"),
        ("result.json", b'{"seconds": NaN}', "a number is nan; expected a finite one"),
        ("result.json", b'{"data": [{"test": 1' + b"0" * 30 + b"}]}", "more than 64 bits"),
        ("metrics.jsonl", b"{}\nno\n{}\n", "damaged: line 2"),
        ("metrics.jsonl", b"3\n", "damaged: line 1"),
        ("metrics.jsonl", b'{"epoch": 1, "loss": 2}\n', "seed"),
        ("predictions.json", b'{"labels": [1]}', "arms"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content, says):
    folder = distill_run(tmp_path / "run")
    (folder / name).write_bytes(content)
    with pytest.raises(DidactError, match=says):
        read_runs([folder])


def test_places_without_runs(tmp_path):
    with pytest.raises(RunFolderError, match="there is no folder"):
        read_runs([tmp_path / "none"])
    with pytest.raises(RunFolderError, match="holds no run"):
        read_runs([tmp_path])
    with pytest.raises(UsageError, match=r"expected .csv or .parquet"):
        write_file(pd.DataFrame(), tmp_path / "a.xlsx")
    with pytest.raises(RunFolderError, match="cannot write"):
        write_file(pd.DataFrame({"a": [1]}), tmp_path / "none" / "a.csv")
