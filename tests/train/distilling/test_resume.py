"""A killed run goes on to the same bits; a stopped one says how."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.train.distilling.run_process import SETTINGS, names, start_or_resume
from tests.train.killing import Killer, rows

from didact._core.errors import CheckpointError, NonFiniteError, RunFolderError
from didact.train import StoppedError, distill, resume
from didact.train.loop.fit import SaveClock

KILLS = 20 if os.environ.get("DIDACT_ATTACK") else 3


@pytest.fixture(scope="module")
def killer() -> Killer:
    return Killer(start_or_resume, "tests.train.distilling.run_process")


def test_killed_at_random_moments_it_ends_in_the_same_bits(killer: Killer, tmp_path: Path) -> None:
    parts = names(tmp_path)
    whole = tmp_path / "whole"
    seconds = killer.to_the_end(whole, parts)
    expected = load_file(whole / "student.safetensors")
    paired = json.loads((whole / "result.json").read_text())["paired"]
    within = (0.02 * seconds, 0.4 * seconds)
    for folder in killer.killed(tmp_path, parts, kills=KILLS, within=within):
        got = load_file(folder / "student.safetensors")
        assert all(torch.equal(got[name], expected[name]) for name in expected)
        assert rows(folder) == rows(whole)
        assert json.loads((folder / "result.json").read_text())["paired"] == paired


def test_a_full_disk_is_one_message_and_the_run_goes_on_later(
    killer: Killer, tmp_path: Path
) -> None:
    parts = names(tmp_path)
    folder = tmp_path / "run"
    process = killer.begin(folder, parts, 5000)
    process.join(120)
    assert process.exitcode == 2
    message = (tmp_path / "error.txt").read_text()
    assert "no room left" in message
    assert "--resume" in message
    assert not list(folder.rglob("*.tmp"))
    killer.to_the_end(folder, parts)
    assert (folder / "result.json").exists()


class _StopAfter:
    """Asks the run to stop after some steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        real, left = SaveClock.due, [steps]

        def count(clock: SaveClock) -> bool:
            left[0] -= 1
            if left[0] == 0:
                signal.raise_signal(signal.SIGINT)
            return bool(real.fget(clock))  # type: ignore[attr-defined]

        monkeypatch.setattr(SaveClock, "due", property(count))


def test_a_stopped_run_prints_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = names(tmp_path)
    settings = {**SETTINGS, "checkpoint_seconds": 1e6}
    whole = distill(**parts, output=tmp_path / "whole", **settings)
    with monkeypatch.context() as patch:
        _StopAfter(patch, 61)
        with pytest.raises(StoppedError, match=rf"didact distill --resume {tmp_path / 'run'}"):
            distill(**parts, output=tmp_path / "run", **settings)
    again = resume(tmp_path / "run")
    expected, got = whole.student.state_dict(), again.student.state_dict()
    assert all(torch.equal(expected[name], got[name]) for name in expected)
    with pytest.raises(RunFolderError, match="complete"):
        resume(tmp_path / "run")


def test_nan_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(
        "steps = [0]\n"
        "def nan(student_logits, teacher_logits):\n"
        "    steps[0] += 1\n"
        "    scale = float('nan') if steps[0] == 21 else 1.0  # the first call is the rehearsal\n"
        "    return (student_logits - teacher_logits).square().mean() * scale\n"
    )
    parts = names(tmp_path)
    with pytest.raises(NonFiniteError, match=r"became nan in epoch 4.*checkpoint is kept"):
        distill(**parts, output=tmp_path / "run", loss=f"{file}:nan", **SETTINGS)
    from didact.train.record.files import read_tensors

    tensors, about = read_tensors(tmp_path / "run" / "checkpoint" / "distilled.0.part")
    assert about["position"]["epoch"] == 3
    assert about["position"]["step"] == 1
    assert all(t.isfinite().all() for n, t in tensors.items() if n.startswith("model."))


@pytest.mark.parametrize("damage", ["truncate", "garbage", "other settings"])
def test_a_damaged_checkpoint_is_one_message(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = names(tmp_path)
    with monkeypatch.context() as patch:
        _StopAfter(patch, 5)
        with pytest.raises(StoppedError):
            distill(**parts, output=tmp_path / "run", **SETTINGS)
    file = next((tmp_path / "run" / "checkpoint").glob("*.part"))
    content = file.read_bytes()
    if damage == "truncate":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "garbage":
        file.write_bytes(b"\x80\x04cos\nsystem\n" + content[20:])
    else:
        toml = tmp_path / "run" / "run.toml"
        toml.write_text(toml.read_text().replace("epochs = 8", "epochs = 9"))
        (tmp_path / "run" / "checkpoint" / "start.json").unlink()
    with pytest.raises(CheckpointError, match=r"checkpoint.*(damaged|settings)"):
        resume(tmp_path / "run")
    assert file.exists()


def test_resume_of_what_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="not a run folder"):
        resume(tmp_path)
    (tmp_path / "run.toml").write_text("epochs = [")
    with pytest.raises(RunFolderError, match="cannot read"):
        resume(tmp_path)


def test_killed_while_it_wrote_its_first_file(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".didact-123-0a1b.tmp").write_text("epo")
    result = distill(**names(tmp_path), output=folder, **{**SETTINGS, "epochs": 1})
    assert result.summary["complete"]
