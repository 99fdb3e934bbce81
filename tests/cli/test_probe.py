"""``didact probe``."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from didact.cli import main

RIGHT = """
import torch.nn.functional as F

def loss(student_logits, teacher_logits, T=4.0):
    print("noise")
    p = F.softmax(teacher_logits.detach() / T, -1)
    return F.kl_div(F.log_softmax(student_logits / T, -1), p, reduction="batchmean") * T**2
"""
WRONG = RIGHT.replace("batchmean", "mean")
MODULE = """
import torch
from torch import nn

class Loss(nn.Module):
    def __init__(self, T, scale):
        super().__init__()
        self.T, self.scale = T, scale

    def forward(self, a, b):
        p = (b.detach() / self.T).softmax(-1)
        return {"kd": -(p * (a / self.T).log_softmax(-1)).sum(-1).mean() * self.T**2}
"""


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["didact", "probe", *arguments])
    try:
        main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


@pytest.fixture
def written(tmp_path: Path):
    def write(source: str) -> Path:
        path = tmp_path / f"user_{abs(hash(source))}.py"
        path.write_text(source)
        return path

    return write


def test_a_right_loss_exits_with_0_and_the_import_is_said(written, monkeypatch, capsys):
    path = written(RIGHT)
    assert run(monkeypatch, f"{path}:loss", "--lang", "en") == 0
    captured = capsys.readouterr()
    assert captured.err == f"importing and running {path}\n"
    assert "student_logits = the student's logits [B, C]" in captured.out
    assert "noise" not in captured.out
    assert max(map(len, captured.out.splitlines())) <= 80


def test_a_wrong_loss_exits_with_1_and_is_diagnosed_in_both_languages(written, monkeypatch, capsys):
    path = written(WRONG)
    assert run(monkeypatch, f"{path}:loss", "--lang", "en") == 1
    assert "KL-MEAN (KD301)" in capsys.readouterr().out
    assert run(monkeypatch, f"{path}:loss", "--lang", "zh") == 1
    assert "梯度 ∝ C^-1.0" in capsys.readouterr().out


def test_a_class_is_built_and_bound_by_position(written, monkeypatch, capsys):
    path = written(MODULE)
    name = f"{path}:Loss"
    assert run(monkeypatch, name, "--init", "scale=2", "--format", "json", "--lang", "en") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["binding"]["T (constructor)"] == "temperature, varied"
    assert report["binding"]["a"] == "the student's logits [B, C]"
    assert report["notes"] == ["of what is returned: the entry 'kd'"]
    assert "cross-entropy" in report["match"]


def test_the_parts_can_be_named(written, monkeypatch, capsys):
    path = written(MODULE)
    given = ("--student", "b", "--teacher", "a", "--init", "scale=2", "--format", "json")
    assert run(monkeypatch, f"{path}:Loss", *given) == 1
    assert json.loads(capsys.readouterr().out)["binding"]["b"].startswith("the student")


def test_junit_counts_and_is_written_to_a_file(written, monkeypatch, tmp_path):
    output = tmp_path / "probe.xml"
    options = ("--format", "junit", "--output", str(output))
    assert run(monkeypatch, f"{written(WRONG)}:loss", *options) == 1
    (suite,) = ElementTree.parse(output).getroot()
    assert suite.get("failures") == "1"
    assert len(suite.findall("testcase")) == int(suite.get("tests"))


def test_a_law_can_be_left_out(written, monkeypatch):
    assert run(monkeypatch, f"{written(WRONG)}:loss", "--ignore", "class-count") == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "table2"), "did you mean 'table'"),
        (("--arg", "T"), "expected NAME=VALUE"),
        (("--arg", "Q=3"), "'Q' is no parameter of the loss"),
        (("--kind", "distance"), "kind is 'distance'"),
        (("--layout", "rows"), "layout is 'rows'"),
        (("--ignore", "class-cont"), "did you mean 'class-count'"),
        (("--init", "a=1"), "for a class"),
        (("--lang", "fr"), "language is 'fr'"),
    ],
)
def test_wrong_usage_is_one_message(options, message, written, monkeypatch, capsys):
    assert run(monkeypatch, f"{written(RIGHT)}:loss", *options) == 2
    assert message in capsys.readouterr().err


def test_what_cannot_be_bound_is_said_with_the_reason(written, monkeypatch, capsys):
    path = written("def loss(student_logits, teacher_logits):\n    raise KeyError('my reason')\n")
    assert run(monkeypatch, f"{path}:loss") == 2
    assert "KeyError: 'my reason'" in capsys.readouterr().err


def test_a_file_that_is_missing_is_one_message(monkeypatch, capsys):
    assert run(monkeypatch, "absent.py:loss") == 2
    assert "there is no file absent.py" in capsys.readouterr().err
