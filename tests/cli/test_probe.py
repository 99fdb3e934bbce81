"""``didact probe``."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from rich.cells import cell_len

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


def test_junit_has_the_usual_shape_and_is_written_to_a_file(written, monkeypatch, tmp_path):
    output = tmp_path / "probe.xml"
    options = ("--format", "junit", "--lang", "zh", "--output", str(output))
    assert run(monkeypatch, f"{written(WRONG)}:loss", *options) == 1
    root = ElementTree.parse(output).getroot()
    (suite,) = root
    cases = suite.findall("testcase")
    inside = [each.tag for case in cases for each in case]
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert set(suite.attrib) == {"name", "tests", "failures", "errors", "skipped", "time"}
    assert all({"classname", "name"} <= set(case.attrib) for case in cases)
    assert set(inside) <= {"failure", "skipped", "system-out"}
    assert (int(suite.get("tests")), suite.get("failures")) == (len(cases), "1")
    assert int(suite.get("skipped")) == inside.count("skipped")
    assert suite.find("testcase/failure").attrib.keys() == {"message", "type"}


def test_a_law_can_be_left_out(written, monkeypatch):
    assert run(monkeypatch, f"{written(WRONG)}:loss", "--ignore", "class-count") == 0


@pytest.mark.parametrize(
    ("options", "message", "chinese"),
    [
        (("--format", "table2"), "did you mean 'table'", "是否想写 'table'"),
        (("--arg", "T"), "expected NAME=VALUE", "应为 NAME=VALUE"),
        (("--arg", "Q=3"), "'Q' is no parameter of the loss", "'Q' 不是该损失的参数"),
        (("--kind", "distance"), "kind is 'distance'", "kind 为 'distance'"),
        (("--layout", "rows"), "layout is 'rows'", "layout 为 'rows'"),
        (("--ignore", "class-cont"), "did you mean 'class-count'", "是否想写 'class-count'"),
        (("--init", "a=1"), "for a class", "只用于类"),
        (("--old-classes", "0"), "old_classes is 0", "old_classes 为 0"),
        (("--output", "/nowhere/x"), "cannot be written", "无法写入 /nowhere/x"),
        (("--step", "a.py:b"), "--step checks a training step", "--step 检查的是训练步"),
    ],
)
def test_wrong_usage_is_one_message(options, message, chinese, written, monkeypatch, capsys):
    name = f"{written(RIGHT)}:loss"
    assert run(monkeypatch, name, *options, "--lang", "en") == 2
    assert message in capsys.readouterr().err
    assert run(monkeypatch, name, *options, "--lang", "zh") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("错误：")
    assert chinese in error


def test_a_language_that_is_not_spoken_is_said(written, monkeypatch, capsys):
    assert run(monkeypatch, f"{written(RIGHT)}:loss", "--lang", "fr") == 2
    assert "'fr'" in capsys.readouterr().err


def test_nothing_to_probe_is_said(monkeypatch, capsys):
    assert run(monkeypatch, "--lang", "zh") == 2
    assert "没有要检查的对象" in capsys.readouterr().err


def test_a_loss_that_does_not_return_ends_in_one_message(written, monkeypatch, capsys):
    monkeypatch.setattr("didact.cli._probe._LONGEST", 0.5)
    path = written("def loss(student, teacher):\n    while True:\n        pass\n")
    assert run(monkeypatch, f"{path}:loss", "--lang", "en") == 2
    assert "no answer after 0.5 s" in capsys.readouterr().err


def test_a_file_alone_is_answered_with_what_is_in_it(written, monkeypatch, capsys):
    path = written(RIGHT + "\n1 / 0\n")
    assert run(monkeypatch, str(path), "--lang", "en") == 2
    assert f"name what is to be probed in it, as {path}:loss" in capsys.readouterr().err


def test_an_import_that_is_missing_is_told_what_to_do(written, monkeypatch, capsys):
    path = written("import nothing_of_this_name\n" + RIGHT)
    assert run(monkeypatch, f"{path}:loss", "--lang", "en") == 2
    assert "No module named 'nothing_of_this_name'; install it" in capsys.readouterr().err


def test_an_argument_of_the_constructor_is_said_in_chinese(written, monkeypatch, capsys):
    path = written(MODULE)
    assert run(monkeypatch, f"{path}:Loss", "--init", "scale=2", "--lang", "zh") == 0
    assert "T（构造函数） = 温度（会变化）" in capsys.readouterr().out


def test_what_cannot_be_bound_is_said_with_the_reason(written, monkeypatch, capsys):
    path = written("def loss(student_logits, teacher_logits):\n    raise KeyError('my reason')\n")
    assert run(monkeypatch, f"{path}:loss", "--lang", "zh") == 2
    error = capsys.readouterr().err
    assert "KeyError: 'my reason'" in error
    assert "无法用构造的输入调用该损失" in error


@pytest.mark.parametrize(
    ("source", "attribute", "message", "chinese"),
    [
        ("loss = 1 / 0", "loss", "failed: ZeroDivisionError", "失败：ZeroDivisionError"),
        ("import sys; sys.exit(5)", "loss", "with exit code 5", "退出码 5"),
        ("def kd(s, t): pass", "kdd", "did you mean 'kd'?", "是否想写 'kd'？"),
    ],
)
def test_what_cannot_be_imported_is_one_message(
    source, attribute, message, chinese, written, monkeypatch, capsys
):
    name = f"{written(source)}:{attribute}"
    assert run(monkeypatch, name, "--lang", "en") == 2
    assert message in capsys.readouterr().err
    assert run(monkeypatch, name, "--lang", "zh") == 2
    assert chinese in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.py:loss", "there is no file absent.py"),
        ("kdd", "did you mean 'kd'"),
        ("math:no_such", "math has no 'no_such'"),
    ],
)
def test_a_name_that_names_nothing_is_one_message(name, message, monkeypatch, capsys):
    assert run(monkeypatch, name, "--lang", "en") == 2
    assert message in capsys.readouterr().err


def test_the_number_of_old_classes_can_be_given(written, monkeypatch, capsys):
    path = written(RIGHT.replace("student_logits / T", "student_logits[:, :4] / T"))
    assert run(monkeypatch, f"{path}:loss", "--old-classes", "4", "--lang", "zh") == 0
    assert "学生有 6 个类别，教师认识其中 4 个" in capsys.readouterr().out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_line_of_the_table_is_wider_than_the_terminal(language, written, monkeypatch, capsys):
    path = written(WRONG.replace("teacher_logits.detach() / T", "teacher_logits.detach()"))
    monkeypatch.setenv("COLUMNS", "80")
    assert run(monkeypatch, f"{path}:loss", "--lang", language) == 1
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert not [line for line in lines if "…" in line]


STEP = """
import torch
from torch import nn

def step(student, teacher, batch):
    print("noise")
    return ((student(batch) - teacher(batch).detach()) ** 2).mean()

def make():
    teacher = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    return step, nn.Linear(3, 2), teacher.train(), torch.randn(4, 3)
"""


def test_a_training_step_is_checked_from_the_command_line(written, monkeypatch, capsys):
    name = f"{written(STEP)}:make"
    options = ("--processes", "1", "--lang", "zh")
    assert run(monkeypatch, "--step", name, *options) == 1
    out = capsys.readouterr().out
    assert "TEACHER-TRAIN-MODE (KD501)：教师处于 train 模式" in out
    assert "noise" not in out
    assert run(monkeypatch, "--step", name, *options, "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["mistakes"][0]["kind"] == "TEACHER-TRAIN-MODE"
    assert run(monkeypatch, "--step", name, "--processes", "3") == 2
    assert run(monkeypatch, "--step", name.replace(":make", ":step")) == 2


def test_a_value_on_the_command_line_is_a_number_a_text_or_an_object(written, monkeypatch, capsys):
    path = written(TAKES)
    options = ["--arg", "T=3", "--arg", "mode=soft", "--init", f"layers={path}:last"]
    assert run(monkeypatch, f"{path}:Loss", "--lang", "en", *options) == 0
    assert "9 x forward KL(teacher || student), T = 3" in capsys.readouterr().out
    assert run(monkeypatch, f"{path}:Loss", "--lang", "en", "--init", f"layers={path}:none") == 2
    assert "has no 'none'" in capsys.readouterr().err


TAKES = """
import torch.nn.functional as F
from torch import nn

def last(layers):
    return layers[-1]

class Loss(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, student_logits, teacher_logits, T, mode):
        assert mode == "soft"
        s, t = (self.layers([x]) for x in (student_logits, teacher_logits))
        p = (t / T).softmax(-1)
        return F.kl_div((s / T).log_softmax(-1), p, reduction="batchmean") * T * T
"""
