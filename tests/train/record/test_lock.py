"""Two processes do not write into one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from didact._core.errors import RunFolderError
from didact.train import distill, resume
from didact.train.record.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from didact.train.record.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_process_is_told_who_holds_the_folder(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    run = tmp_path / "run"
    (run / "run.toml").write_text("x = 1")
    (run / "checkpoint").mkdir()
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    message = rf"in use by process {holder.pid} on .* since .*wait until it ends"
    with pytest.raises(RunFolderError, match=message):
        resume(run)
    with pytest.raises(RunFolderError, match=message):
        distill(data="digits", output=run, overwrite=True)
    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(run):
        pass
    assert not (run / ".lock").exists()


def test_what_killed_processes_left_is_removed_and_what_others_write_is_not(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    for folder in (tmp_path, tmp_path / "checkpoint", tmp_path / "cells" / "lwf.0"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f".didact-{process.pid}-0a1b.tmp").write_bytes(b"half")
        (folder / f".didact-{os.getppid()}-0a1b.tmp").write_bytes(b"half")
    with locked(tmp_path):
        left = sorted(tmp_path.rglob("*.tmp"))
    assert len(left) == 3
    assert all(str(os.getppid()) in path.name for path in left)


def test_a_folder_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), locked(tmp_path):
        raise ValueError("x")
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="cannot write"), locked(tmp_path / "file" / "run"):
        pass
