"""A run that goes on does so with the settings and the data that it was started with."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from tests.train.distilling.run_process import SETTINGS as DISTILL
from tests.train.distilling.run_process import names as distill_names
from tests.train.learning.support import SETTINGS as LEARN
from tests.train.learning.support import names as learn_names

from didact._core.errors import CheckpointError, DidactError, RunFolderError
from didact.train import distill, learn, partial_summary, resume, resume_learning
from didact.train.record.files import write_json

Go = Any


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind."""
    folder = tmp_path_factory.mktemp("mixing")
    for kind in ("d", "l"):
        (folder / kind).mkdir()
    quick = {**DISTILL, "epochs": 1, "seeds": (0, 1)}
    distill(**distill_names(folder / "d"), output=folder / "distill", **quick)
    parts = learn_names(folder / "l", plain=True)
    learn(**parts, method="finetune", output=folder / "learn", **{**LEARN, "epochs": 1})
    return {"distill": folder / "distill", "learn": folder / "learn"}


@pytest.fixture(params=["distill", "learn"])
def run(
    request: pytest.FixtureRequest, finished: dict[str, Path], tmp_path: Path
) -> tuple[Path, Go]:
    """A copy of a run that was killed before its last word, and what goes on with it."""
    folder = tmp_path / "run"
    shutil.copytree(finished[request.param], folder)
    (folder / "result.json").unlink()
    return folder, resume if request.param == "distill" else resume_learning


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "run.toml"
    values = tomllib.loads(path.read_text()) | changes
    path.write_text(tomli_w.dumps({k: v for k, v in values.items() if v is not None}))


@pytest.mark.parametrize(
    "change",
    [{"epochs": 9}, {"learning_rate": 0.5}, {"batch_size": 4}, {"seeds": [0, 7]}, {"momentum": 0}],
)
def test_an_edit_is_refused_and_named(run: tuple[Path, Go], change: dict[str, Any]) -> None:
    folder, go_on = run
    edit(folder, **change)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    with pytest.raises(RunFolderError, match=rf"says {next(iter(change))} = .*--config"):
        go_on(folder)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("change", [{"threads": 2}, {"checkpoint_seconds": 3.0}])
def test_where_and_how_fast_may_change(run: tuple[Path, Go], change: dict[str, Any]) -> None:
    folder, go_on = run
    edit(folder, **change)
    assert go_on(folder).summary["complete"]


@pytest.mark.parametrize("missing", ["epochs", "seeds", "learning_rate", "data"])
def test_a_missing_key_is_named(run: tuple[Path, Go], missing: str) -> None:
    folder, go_on = run
    edit(folder, **{missing: None})
    with pytest.raises(RunFolderError, match=rf"run.toml does not say {missing};"):
        go_on(folder)


def test_an_empty_file_is_refused(run: tuple[Path, Go]) -> None:
    folder, go_on = run
    (folder / "run.toml").write_text("")
    with pytest.raises(RunFolderError, match="does not say data, "):
        go_on(folder)
    if go_on is resume_learning:
        with pytest.raises(RunFolderError, match="does not say data, "):
            partial_summary(folder)


def test_finished_parts_are_compared_where_the_start_is_not_known(run: tuple[Path, Go]) -> None:
    folder, go_on = run
    (folder / "checkpoint" / "start.json").unlink()
    edit(folder, learning_rate=0.5)
    with pytest.raises(CheckpointError, match=r"learning_rate is 0.5, was 0.05.*would be mixed"):
        go_on(folder)


def test_other_data_is_refused(run: tuple[Path, Go]) -> None:
    """The same name, other images."""
    folder, go_on = run
    file = Path(tomllib.loads((folder / "run.toml").read_text())["data"].rpartition(":")[0])
    whole = file.read_text()
    more = "\n_small = small_data\ndef small_data(*a):\n    d = _small(*a)\n"
    file.write_text(whole + more + "    d.train.images[0, 0, 0, 0] += 1\n    return d\n")
    from didact._core import lookup

    loaded = [name for name in lookup.sys.modules if name.startswith("_didact_user_parts")]
    for name in loaded:
        del lookup.sys.modules[name]
    try:
        with pytest.raises(CheckpointError, match="computed on other data"):
            go_on(folder)
    finally:
        file.write_text(whole)
        for name in [n for n in lookup.sys.modules if n.startswith("_didact_user_parts")]:
            del lookup.sys.modules[name]


def parts_of(folder: Path) -> tuple[Path, Path]:
    """Two parts of a run that a hand may have mixed up."""
    if (folder / "cells").is_dir():
        one = folder / "cells" / "finetune.0" / "cell.json"
        other = folder / "cells" / "finetune.1"
        shutil.copytree(one.parent, other)
        value = json.loads(one.read_text()) | {"seed": 1}
        value.pop("digest")
        write_json(other / "cell.json", value)
        return other / "cell.json", one
    checkpoint = folder / "checkpoint"
    return checkpoint / "alone.0.done", checkpoint / "distilled.0.done"


def test_one_part_is_not_taken_for_another(run: tuple[Path, Go]) -> None:
    folder, go_on = run
    one, other = parts_of(folder)
    shutil.copy(one, other)
    with pytest.raises(CheckpointError, match=r"holds (arm|seed) .*; expected .*wrong name"):
        go_on(folder)


@pytest.mark.parametrize("lost", ["all", "file", "one", "none, and one is there twice"])
def test_lines_that_are_gone_are_reported(run: tuple[Path, Go], lost: str) -> None:
    """The record of a run that goes on would lack them, and nobody would know."""
    folder, go_on = run
    path = next((folder / "cells").glob("*/metrics.jsonl"), folder / "metrics.jsonl")
    first, *lines = path.read_text().splitlines(keepends=True)
    path.write_text({"all": "", "one": "".join(lines)}.get(lost, "".join([first, first, *lines])))
    if lost == "file":
        path.unlink()
    with pytest.raises(CheckpointError, match=r"metrics.jsonl is damaged: it has \d+ lines of"):
        go_on(folder)


def test_without_its_checkpoints_a_run_begins_again(run: tuple[Path, Go]) -> None:
    folder, go_on = run
    for name in ("checkpoint", "cells"):
        shutil.rmtree(folder / name, ignore_errors=True)
    assert go_on(folder).summary["complete"]


def test_a_kill_between_the_two_files_of_new_settings_is_no_edit(
    run: tuple[Path, Go], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, go_on = run
    if go_on is resume:
        pytest.skip("a distillation has its settings once")
    from didact.train.record import run_folder

    class KilledError(Exception):
        pass

    def kill(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "write_bytes", kill)
        with pytest.raises(KilledError):
            go_on(folder, seeds=(0, 1))
    assert go_on(folder).summary["seeds"] == [0]
    assert go_on(folder, seeds=(0, 1)).summary["seeds"] == [0, 1]


def test_the_start_is_when_the_run_was_started(run: tuple[Path, Go]) -> None:
    folder, go_on = run
    path = folder / "checkpoint" / "start.json"
    value = json.loads(path.read_text())
    value["started"] = "2026-01-02T03:04:05+00:00"
    value.pop("digest")
    path.write_text(json.dumps(value))
    assert go_on(folder).summary["started"] == "2026-01-02T03:04:05+00:00"


def test_the_other_kind_of_run_is_said(finished: dict[str, Path]) -> None:
    with pytest.raises(DidactError, match="didact distill; expected one of didact learn"):
        resume_learning(finished["distill"])
