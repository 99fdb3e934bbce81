"""Damaged, missing and foreign run folders: one clear message each."""

import json
from pathlib import Path

import pytest
from tests.report.support import full_run, make_result, make_rows, write_run

from didact._core.errors import CheckpointError, RunFolderError
from didact.report import load_result, load_run


def test_a_whole_run(tmp_path: Path):
    run = load_run(full_run(tmp_path / "run"))
    assert run.complete
    assert run.result is not None
    assert run.result.seeds == [0, 1, 2, 3, 4]
    assert len(run.rows) == 5 * 3 * 30
    assert len(run.disagreements) == 11
    assert "[objective]" in run.configuration


def test_an_unfinished_run(tmp_path: Path):
    run = load_run(write_run(tmp_path, rows=make_rows(seeds=1, epochs=2)))
    assert run.result is None
    assert not run.complete
    with pytest.raises(RunFolderError, match=r"not finished.*--resume"):
        load_result(tmp_path)


def test_a_killed_run_may_end_in_half_a_line(tmp_path: Path):
    write_run(tmp_path, rows=make_rows(seeds=1, epochs=2))
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text() + '{"seed": 0, "arm": "tea')
    assert len(load_run(tmp_path).rows) == 6


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path):
    write_run(tmp_path, rows=make_rows(seeds=1, epochs=2))
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"seed": 0, "arm": "tea\n' + path.read_text())
    with pytest.raises(CheckpointError, match="damaged: line 1"):
        load_run(tmp_path)


def test_an_epoch_that_was_run_again_counts_once(tmp_path: Path):
    rows = make_rows(seeds=1, epochs=2)
    rows.append({**rows[0], "train_loss": 7.0})
    run = load_run(write_run(tmp_path, rows=rows))
    assert len(run.rows) == 6
    assert 7.0 in [row.train_loss for row in run.rows]


def test_a_loss_that_diverged_can_be_read(tmp_path: Path):
    rows = make_rows(seeds=1, epochs=2)
    rows[1]["train_loss"] = float("nan")
    assert len(load_run(write_run(tmp_path, rows=rows)).rows) == 6


def test_no_run_folder(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for folder, says in (
        (tmp_path / "gone", "there is no folder"),
        (tmp_path / "file", "is a file"),
        (tmp_path, "is not a run folder"),
    ):
        for load in (load_run, load_result):
            with pytest.raises(RunFolderError, match=says):
                load(folder)


def damaged(**changes: object) -> str:
    return json.dumps({**make_result(), **changes})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (damaged()[:700], "damaged or truncated"),
        ("", "damaged or truncated"),
        ("[]", "no 'schema'"),
        ("[" * 100_000, "damaged or truncated"),
        (damaged(schema=2), "schema 2; this didact reads schema 1"),
        (damaged(kind="learn"), "kind 'learn'; expected 'distill'"),
        (damaged(seeds="all"), "seeds"),
        (damaged(arms={"aloan": {}}), "arms"),
        (damaged(arms={"alone": {"test_accuracy": [float("nan")]}}), "test_accuracy"),
        (damaged(seeds=[0]), "has 5 values for 1 seeds"),
    ],
)
def test_a_damaged_result(tmp_path: Path, text: str, says: str):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(RunFolderError, match=says) as caught:
        load_run(tmp_path)
    assert "result.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text(tmp_path: Path):
    (tmp_path / "result.json").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(RunFolderError, match="cannot be read"):
        load_result(tmp_path)


def test_damaged_disagreements(tmp_path: Path):
    folder = full_run(tmp_path / "run", seeds=1)
    (folder / "disagreements.json").write_text('[{"label": 1}]')
    with pytest.raises(RunFolderError, match=r"disagreements\.json is damaged: 0"):
        load_run(folder)


def test_more_fields_than_known_are_no_error(tmp_path: Path):
    result = make_result()
    result["later"] = {"a": 1}
    result["arms"]["alone"]["later"] = [1]
    assert load_result(write_run(tmp_path, result)).data.name == "digits"
