import ast
import subprocess
import sys

import pytest
from tests.check.support import fake_analyse, install_fake_engine

from didact.check.editors.flake8 import Plugin


@pytest.fixture(autouse=True)
def _engine(monkeypatch):
    install_fake_engine(monkeypatch)
    monkeypatch.setattr(Plugin, "analyse", staticmethod(fake_analyse))
    monkeypatch.setenv("DIDACT_LANG", "en")


def run(code):
    lines = code.splitlines(keepends=True)
    return [row[:3] for row in Plugin(ast.parse(code), "a.py", lines).run()]


def test_findings_are_given_as_flake8_wants_them():
    assert run("x = 1\ny = bad_safe\n") == [(2, 4, "KD101 bad_safe is bad: 1/100 of it")]
    assert run("x = 1\n") == []


def test_noqa_comments_are_left_to_flake8():
    assert run("x = 1  # noqa: KD101\nbad_plain\n") == [
        (2, 0, "KD201 bad_plain is bad: 1/100 of it")
    ]


def test_flake8_runs_the_plugin(tmp_path):
    """Registered for one run by a configuration, as the entry point does for every run."""
    pytest.importorskip("flake8")
    (tmp_path / "flake8.ini").write_text(
        "[flake8]\nselect = KD\n[flake8:local-plugins]\n"
        "extension = KD = didact.check.editors.flake8:Plugin\n"
    )
    (tmp_path / "a.py").write_text("import torch.nn.functional as F\nx = F.softmax(y, dim=1)\n")
    command = [sys.executable, "-m", "flake8", "--config=flake8.ini", "--isolated", "a.py"]
    command.remove("--isolated")
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
