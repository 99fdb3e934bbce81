"""A process of a run in two is killed: one sentence, no wait without end, and the run goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from didact.train import verify_run

PARTS = """
import os, signal
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
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner(images)


def student():
    return Student()
"""
ROOT = Path(__file__).parents[3]


def didact(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from didact.cli import main; main()", "distill", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=place,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_killed_worker(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "kill").touch()
    words = ["--student", "parts.py:student", "--teacher", "parts.py:plain_model"]
    words += ["--data", "parts.py:data", "--devices", "2", "--seeds", "1", "--epochs", "1"]
    words += ["--accelerator", "cpu", "--batch-size", "16", "--no-onnx", "--output", "run"]
    first = didact(tmp_path, *words, "--accept-teacher")
    assert first.returncode == 2, first.stderr
    last = first.stderr.strip().splitlines()[-1]
    assert last.startswith("error: a process of the run ended unexpectedly"), first.stderr
    assert last.endswith("--resume run")
    assert "Traceback" not in first.stderr
    finished = tmp_path / "run" / "checkpoint" / "teacher.0.done"
    before = finished.read_bytes()
    (tmp_path / "kill").unlink()
    second = didact(tmp_path, "--resume", "run")
    assert second.returncode == 0, second.stderr
    assert finished.read_bytes() == before
    assert not [entry for entry in verify_run(tmp_path / "run") if entry.problem]
