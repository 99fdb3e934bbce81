"""A flipped bit is refused, or changes nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.distilling.support import QUICK, plain_model, small_data
from tests.train.learning.support import SETTINGS, plain_network
from tests.train.learning.support import small_data as columns

from didact._core.errors import CheckpointError, DidactError, RunFolderError
from didact.report import load_run, render
from didact.runs import read_runs
from didact.train import distill, learn, load_learner, verify_run
from didact.train.record.files import read_json, read_tensors, write_json, write_tensors
from didact.train.record.run_folder import RunFolder

FLIPS = 60


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distilled") / "run"
    distill(student=plain_model, teacher=plain_model, data=small_data(), output=folder, **QUICK)
    return folder


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned") / "run"
    learn(data=columns(), model=plain_network, method="replay", output=folder, **SETTINGS)
    return folder


def test_a_whole_run_is_verified(distilled: Path, learned: Path) -> None:
    for folder, wanted in (
        (distilled, {"result.json", "student.safetensors", "checkpoint/alone.0.done"}),
        (
            learned,
            {"result.json", "cells/replay.0/learner.safetensors", "cells/replay.0/cell.json"},
        ),
    ):
        (folder / "report.html").write_text("<script>")
        found = verify_run(folder)
        assert [e.file for e in found if not e.checked and e.file[0] != "."] == ["report.html"]
        assert not [entry for entry in found if entry.problem]
        assert wanted | {"run.toml", "metrics.jsonl"} <= {entry.file for entry in found}


@pytest.mark.parametrize("kind", ["distilled", "learned"])
def test_a_flipped_bit_in_any_file_is_found(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Or what is read is the same: a flip in a space, or in the name of a digest."""
    folder, moment = request.getfixturevalue(kind), random.Random(2026)
    whole = contents(folder)
    files = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".html" and path.name != ".trust"
    )
    assert len(files) >= 6
    found = 0
    for number in range(FLIPS):
        copy = tmp_path / str(number)
        shutil.copytree(folder, copy)
        path = copy / files[number % len(files)]
        content = bytearray(path.read_bytes())
        content[moment.randrange(len(content))] ^= 1 << moment.randrange(8)
        path.write_bytes(content)
        damaged = [entry for entry in verify_run(copy) if entry.problem]
        found += bool(damaged)
        assert damaged or contents(copy) == whole, path
        shutil.rmtree(copy)
    assert found > FLIPS / 2


def contents(folder: Path) -> dict[str, Any]:
    """All that can be read out of a run."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix in (".safetensors", ".done", ".part"):
            tensors, about = read_tensors(path)
            found[name] = about, {k: v.tolist() for k, v in tensors.items()}
        elif path.name == "metrics.jsonl":
            found[name] = RunFolder(path.parent).rows()
        elif path.suffix == ".json":
            found[name] = read_json(path)
    # An unknown key is not read: one that was the digest's, with a bit flipped.
    return json.loads(json.dumps(found), object_hook=_without_a_digest)


def _without_a_digest(value: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in value.items() if not _is_nearly(k, "digest")}


def _is_nearly(name: str, other: str) -> bool:
    return len(name) == len(other) and sum(map(str.__ne__, name, other)) == 1


def flip(path: Path, text: bytes, other: bytes) -> None:
    content = path.read_bytes()
    assert text in content
    path.write_bytes(content.replace(text, other, 1))


def test_numbers_that_were_changed_are_not_shown(distilled: Path, tmp_path: Path) -> None:
    for name, text in (
        ("result.json", b'"nll": [\n'),
        ("metrics.jsonl", b'"train_loss": 0'),
        ("metrics.jsonl", b'"train_loss": 1'),
        ("disagreements.json", b"[]"),
    ):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(distilled, copy)
        if text in (copy / name).read_bytes():
            flip(copy / name, text, text.replace(b"0", b"7").replace(b"nll", b"ece")[:-1] + b" \n")
            with pytest.raises(DidactError, match="damaged"):
                load_run(copy)


@pytest.mark.parametrize("kind", ["distilled", "learned"])
@pytest.mark.parametrize("name", ["run.toml", "metrics.jsonl"])
def test_settings_that_were_edited_and_lines_that_are_gone_are_damage(
    kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Of a run that is finished: it is verified, rendered and collected as it was, or not."""
    folder = tmp_path / "run"
    shutil.copytree(request.getfixturevalue(kind), folder)
    render(folder)
    if name == "run.toml":
        flip(folder / name, b"batch_size = ", b"batch_size = 1")
    else:
        (folder / name).unlink()
    damaged = [entry.file for entry in verify_run(folder) if entry.problem]
    assert damaged == [f"result.json: {name}"]
    for read in (render, lambda place: read_runs([place])):
        with pytest.raises(CheckpointError, match=f"{name} is damaged"):
            read(folder)


def test_a_damaged_line_is_reported_and_a_torn_last_one_is_not(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for epoch in range(3):
        folder.add_row({"epoch": epoch, "loss": 0.5})
    path = tmp_path / "metrics.jsonl"
    with path.open("a") as file:
        file.write('{"epoch": 3, "lo')
    assert [row["epoch"] for row in folder.rows()] == [0, 1, 2]
    whole = path.read_bytes()
    for old, new in (
        (b'"epoch": 1', b'"epoch": 7'),
        (b'{"epoch": 1', b'"epoch": 1'),
        (b"1", b"\xff"),
    ):
        path.write_bytes(whole.replace(old, new, 1))
        with pytest.raises(CheckpointError, match="line 2"):
            folder.rows()


def test_a_model_with_a_changed_weight_is_refused(learned: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(learned, copy)
    path = copy / "cells" / "replay.0" / "learner.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 4
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        load_learner(copy, "replay", model=plain_network)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_every_type_of_tensor_has_a_digest(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {
        "a": torch.ones(3, 2, dtype=dtype).t(),
        "b": torch.ones((), dtype=dtype),
        "c": torch.ones(0, 4, dtype=dtype),
    }
    write_tensors(tmp_path / "t", tensors, {"x": 1})
    found, about = read_tensors(tmp_path / "t")
    assert about == {"x": 1}
    assert all(torch.equal(found[name], value) for name, value in tensors.items())


def test_json_of_another_program_or_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"x": 1}')
    assert read_json(tmp_path / "a.json") == {"x": 1}
    write_json(tmp_path / "b.json", {"x": 0.1, "y": float("inf"), "ä": [None, "\u2028"]})
    assert read_json(tmp_path / "b.json") == {"x": 0.1, "y": float("inf"), "ä": [None, "\u2028"]}


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="not a run folder"):
        verify_run(tmp_path)


@pytest.mark.parametrize("name", ["metrics.jsonl", "predictions.json", "student.safetensors"])
def test_a_pipe_in_place_of_a_file_is_damage(distilled: Path, tmp_path: Path, name: str) -> None:
    """Reading it would never end."""
    shutil.copytree(distilled, tmp_path / "run")
    (tmp_path / "run" / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / "run" / name)
    found = {entry.file: entry.problem for entry in verify_run(tmp_path / "run")}
    assert "it is no regular file" in found[name]


def test_a_result_that_lost_its_digest_is_damage(distilled: Path, tmp_path: Path) -> None:
    shutil.copytree(distilled, tmp_path / "run")
    path = tmp_path / "run" / "result.json"
    path.write_text(path.read_text().replace('"digest"', '"digesu"').replace('"files"', '"fines"'))
    found = {entry.file: entry.problem for entry in verify_run(tmp_path / "run")}
    assert "it has no digest, and metrics.jsonl has" in found["result.json"]
