"""A process of a run in two is killed: one sentence, no wait without end, and the run goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.train.distilling.support import QUICK
from tests.train.killing import Killer

from didact._core.errors import RunFolderError
from didact.train import distill, resume, verify_run

PARTS = """
import os, signal, time
from pathlib import Path
import torch
from tests.train.distilling.support import plain_model, small_data, small_model


def data(**_):
    return small_data()


class Student(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = small_model()

    def forward(self, images):
        wanted = torch.distributed.is_initialized() and Path(__file__).with_name("kill").exists()
        if wanted and torch.distributed.get_rank() == 1:
            if Path(__file__).with_name("kill").read_text() == "wait":
                Path(__file__).with_name("pid").write_text(str(os.getpid()))
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner(images)


def student():
    return Student()
"""
SETTINGS = {**QUICK, "devices": 2, "epochs": 1, "accept_teacher": True}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_killed_worker(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file, run = tmp_path / "parts.py", tmp_path / "run"
    file.write_text(PARTS)
    (tmp_path / "kill").touch()
    parts = {"student": f"{file}:student", "teacher": f"{file}:plain_model", "data": f"{file}:data"}
    with pytest.raises(RunFolderError, match=rf"ended unexpectedly.*--resume {run}$"):
        distill(**parts, output=run, **SETTINGS)
    assert "Traceback" not in capfd.readouterr().err
    finished = run / "checkpoint" / "teacher.0.done"
    before = finished.read_bytes()
    (tmp_path / "kill").unlink()
    toml = run / "run.toml"
    toml.write_text(toml.read_text().replace("devices = 2", "devices = 1"))
    assert resume(run).summary["complete"]
    assert finished.read_bytes() == before
    assert not [entry for entry in verify_run(run) if entry.problem]


def start(folder: str, parts: dict[str, str]) -> None:
    distill(**parts, output=folder, **SETTINGS)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
@pytest.mark.skipif(not os.environ.get("DIDACT_ATTACK"), reason="starts two servers: make attack")
def test_workers_end_with_the_run_that_is_killed(tmp_path: Path) -> None:
    """The lock ends with it: a worker that went on would write beside the one who resumes."""
    file = tmp_path / "parts.py"
    file.write_text(PARTS)
    (tmp_path / "kill").write_text("wait")
    parts = {"student": f"{file}:student", "teacher": f"{file}:plain_model", "data": f"{file}:data"}
    process = Killer(start, __name__).begin(tmp_path / "run", parts)
    assert happens(lambda: bool(text(tmp_path / "pid")), 120)
    worker = int(text(tmp_path / "pid"))
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert happens(lambda: not text(Path(f"/proc/{worker}/cmdline")), 20)


def text(path: Path) -> str:
    """What is in a file; of a process that has ended there is none, or an empty one."""
    try:
        return path.read_text()
    except OSError:
        return ""


def happens(what: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (done := what()) and time.monotonic() < end:
        time.sleep(0.05)
    return done
