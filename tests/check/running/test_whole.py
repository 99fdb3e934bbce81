"""The shell with the engine that it is made for."""

import json
import os
import subprocess
import sys

import pytest

from didact.check import check_source
from didact.check.findings.meta import META
from didact.check.rules import RULES, all_rules
from didact.check.wanted.pragmas import PRAGMAS

BAD = "loss = F.kl_div(F.softmax(student_logits, dim=1), F.softmax(teacher_logits, dim=1))"


def places(code, path="a.py"):
    return {(f.span.line, f.span.column, f.span.end_column) for f in check_source(code, path)}


def test_columns_count_in_characters():
    start, end = BAD.index("F.kl_div"), len(BAD)
    assert places(BAD) == {(1, start, end)}
    shift = len("标签 = '中文'; ")
    assert places("标签 = '中文'; " + BAD) == {(1, start + shift, end + shift)}


def test_every_kind_of_file_reaches_the_engine():
    assert places(f"```python\n{BAD}\n```\n", "a.md") == {(2, BAD.index("F.kl_div"), len(BAD))}
    cell = {"cell_type": "code", "source": ["%time\n", BAD]}
    text = json.dumps({"cells": [cell], "metadata": {}})
    assert places(text, "a.ipynb") == {(2, BAD.index("F.kl_div"), len(BAD))}


def test_comments_silence_the_engine():
    codes = ", ".join(sorted({f.code for f in check_source(BAD)}))
    assert places(f"{BAD}  # noqa: {codes}") == set()
    assert places(f"{BAD}  # noqa") == set()


@pytest.mark.parametrize("word", PRAGMAS)
def test_every_variant_silences_a_rule(word):
    assert PRAGMAS[word].codes()


def test_a_reverse_kl_can_be_declared():
    code = (
        "loss = F.kl_div(F.log_softmax(teacher_logits, dim=1), F.softmax(student_logits, dim=1),"
        " reduction='batchmean')"
    )
    assert "KD106" in {f.code for f in check_source(code)}
    assert "KD106" not in {f.code for f in check_source(f"{code}  # kd: reverse-kl")}


def test_the_codes_of_the_shell_are_its_own():
    assert not set(META) & set(RULES)
    for code, rule in all_rules().items():
        assert rule.summary.en, code
        assert rule.page("zh").strip(), code


def test_the_command_finds_and_explains_itself(tmp_path):
    head = "import torch.nn.functional as F\n\n\ndef f(student_logits, teacher_logits):\n"
    (tmp_path / "a.py").write_text(f"{head}    {BAD}\n    return loss\n")
    command = [sys.executable, "-m", "didact", "check", "a.py", "--lang", "en", "--format", "sarif"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1, result.stderr
    (run,) = json.loads(result.stdout)["runs"]
    assert "KD101" in {found["ruleId"] for found in run["results"]}
    assert all(rule["help"]["markdown"] for rule in run["tool"]["driver"]["rules"])


PROJECT = {
    "base.py": """import torch.nn.functional as F


class Base:
    def soften(self, x):
        return F.softmax(x / self.T, dim=1)
""",
    "loss.py": """import torch.nn.functional as F
from base import Base


class Distill(Base):
    def forward(self, student_logits, teacher_logits):
        return F.kl_div(self.soften(student_logits), self.soften(teacher_logits))
""",
    "train.py": """import torch.nn.functional as F
from loss import Distill


def step(student, teacher, x, y):
    soft = Distill()(student(x), teacher(x))
    return soft + F.cross_entropy(F.softmax(student(x), dim=1), y)
""",
    "old.py": "print 'teacher'\nx = F.kl_div(a.softmax(1), b.softmax(1))\n",
    "notes.md": "```python\nF.cross_entropy(F.softmax(x, dim=1), y)\n```\n",
}
PROJECT_RUN = """
import sys
from didact.check import Options, Settings, check_paths
from didact.check.formats import Style, render
paths, jobs = sys.argv[2:], int(sys.argv[1])
report = check_paths(paths, Options(Settings(), jobs=jobs))
sys.stdout.write(render(report, "json", Style()))
"""


def test_order_hash_seed_and_processes_change_nothing(tmp_path):
    names = []
    for copy in range(3):
        (tmp_path / f"p{copy}").mkdir()
        for name, text in PROJECT.items():
            (tmp_path / f"p{copy}" / name).write_text(text)
            names.append(f"p{copy}/{name}")
    answers = []
    for seed, jobs, paths in (
        ("0", 1, ["."]),
        ("1", 3, ["."]),
        ("2", 2, names),
        ("3", 1, names[::-1]),
        ("4", 4, [*names[7:], "p0", *names[:7]]),
    ):
        answers.append(
            subprocess.run(
                [sys.executable, "-c", PROJECT_RUN, str(jobs), *paths],
                cwd=tmp_path,
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
        )
    assert len(json.loads(answers[0])["findings"]) > 6
    assert answers == answers[:1] * len(answers)
