"""Answers kept for the next run: those of a run without, gone when what they rest on changes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from didact._core.i18n import Text
from didact.check import check_paths
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span
from didact.check.findings.report import Diagnostic
from didact.check.findings.stored import diagnostic_of, stored
from didact.check.running import cache as caching
from didact.check.running import run as running
from didact.check.running.options import Options
from didact.check.wanted.config import Settings
from didact.check.wanted.select import Selection

HEAD = "import torch\nimport torch.nn.functional as F\n"
HELPER = HEAD + "\n\ndef soften(x, T):\n    return F.softmax(x / T, dim=1)\n"
LOSS = (
    HEAD
    + """from helper import soften


def kd(student_logits, teacher_logits, T=4.0):
    return F.kl_div(soften(student_logits, T), soften(teacher_logits, T), reduction="batchmean")
"""
)
OTHER = (
    HEAD + "\n\ndef loss(teacher, x):\n    return F.cross_entropy(F.softmax(x, dim=1), teacher)\n"
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "项目"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DIDACT_CACHE_DIR", os.fspath(tmp_path / "cache"))
    for name, text in (("helper", HELPER), ("loss", LOSS), ("other", OTHER)):
        Path(f"{name}.py").write_text(text)
    return folder


@pytest.fixture
def looked_at(monkeypatch):
    """The files that are analysed, in this process."""
    paths = []
    real = running.check_file
    monkeypatch.setattr(running, "check_file", lambda p, *more: paths.append(p) or real(p, *more))
    return paths


def report(*, cache=True, **settings):
    return check_paths(["."], Options(Settings(**settings), jobs=1, cache=cache))


def cached_file() -> Path:
    (file,) = Path(os.environ["DIDACT_CACHE_DIR"], "check").glob("*.json")
    return file


def test_the_answers_are_the_same_and_nothing_is_analysed_again(here, looked_at):
    plain = report(cache=False)
    assert "KD101" in [d.code for d in plain.diagnostics]
    assert any(d.finding.fix is not None for d in plain.diagnostics)
    assert report() == plain
    assert len(looked_at) == 6
    assert report() == plain
    assert len(looked_at) == 6
    assert not (here / ".cache").exists()


def test_a_file_is_looked_at_again_when_one_that_it_needs_changes(here, looked_at):
    report()
    looked_at.clear()
    (here / "helper.py").write_text(HELPER.replace("F.softmax", "F.log_softmax"))
    changed = report()
    assert sorted(looked_at) == ["helper.py", "loss.py"]
    assert "KD101" not in [d.code for d in changed.diagnostics]
    assert changed == report(cache=False)


def test_a_file_is_looked_at_again_when_one_that_calls_it_changes(here, looked_at):
    (here / "helper.py").write_text(
        HEAD + "\n\ndef kd(s, t):\n    return F.kl_div(s, t, reduction='batchmean')\n"
    )
    caller = HEAD + (
        "from helper import kd\n\n\ndef step(student, teacher, x):\n"
        "    return kd(F.{}(student(x), dim=1), F.softmax(teacher(x), dim=1))\n"
    )
    (here / "loss.py").write_text(caller.format("softmax"))
    before = report()
    (here / "loss.py").write_text(caller.format("log_softmax"))
    after = report()
    assert after == report(cache=False)
    assert after != before


def test_files_that_come_and_go_count(here):
    report()
    (here / "helper.py").rename(here / "helped.py")
    gone = report()
    assert gone == report(cache=False)
    assert "KD101" not in [d.code for d in gone.diagnostics]
    (here / "helped.py").rename(here / "helper.py")
    assert report() == report(cache=False)


def test_settings_count(here):
    assert {d.code for d in report().diagnostics} > {"KD101"}
    only = report(selection=Selection(("KD101",)))
    assert {d.code for d in only.diagnostics} == {"KD101"}
    quiet = report(per_file_ignores={"loss.py": ("KD",)})
    assert {d.path for d in quiet.diagnostics} == {"other.py"}


def test_didact_itself_counts(here, looked_at, monkeypatch):
    report()
    monkeypatch.setattr(caching.didact, "__version__", "0.0.0")
    report()
    assert len(looked_at) == 6


def damaged(data: bytes):
    yield b""
    yield data[: len(data) // 2]
    yield data + b"\n"
    yield bytes(range(256))
    yield b"[" * 100_000
    for place in range(0, len(data), max(1, len(data) // 40)):
        yield data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_damage_leaves_no_trace(here, looked_at):
    plain = report()
    data = cached_file().read_bytes()
    for bad in damaged(data):
        cached_file().write_bytes(bad)
        assert report() == plain
        assert cached_file().read_bytes() == data


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data | {"entries": dict.fromkeys(data["entries"])},
        lambda data: data | {"entries": {name: [1, 2, 3] for name in data["entries"]}},
        lambda data: data | {"entries": {n: [e[0], [], e[2]] for n, e in data["entries"].items()}},
        lambda data: data | {"entries": {n: [*e[:2], [[]]] for n, e in data["entries"].items()}},
        lambda data: data | {"entries": []},
        lambda data: {"layout": data["layout"]},
        lambda data: [data],
    ],
)
def test_another_shape_leaves_no_trace(here, change):
    plain = report()
    body = json.dumps(change(json.loads(cached_file().read_bytes().partition(b"\n")[2]))).encode()
    cached_file().write_bytes(caching._sum(body).encode() + b"\n" + body)
    assert report() == plain


def test_a_folder_that_cannot_be_written_leaves_no_trace(here, monkeypatch, tmp_path):
    plain = report(cache=False)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIDACT_CACHE_DIR", os.fspath(tmp_path / "file"))
    assert report() == plain
    assert (tmp_path / "file").read_text() == ""


def test_fixing_does_not_go_by_the_cache(here):
    report()
    kept = cached_file().read_bytes()
    check_paths(["."], Options(Settings(), mode="diff", cache=True))
    assert cached_file().read_bytes() == kept


def test_processes_do_not_disturb_each_other(here):
    command = [sys.executable, "-m", "didact", "check", ".", "--format", "json"]
    once = subprocess.run([*command, "--no-cache"], capture_output=True, check=False)
    assert b"KD101" in once.stdout
    assert not Path(os.environ["DIDACT_CACHE_DIR"], "check").exists()
    several = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[0] for process in several] == [once.stdout] * 4
    assert subprocess.run(command, capture_output=True, check=False).stdout == once.stdout
    assert cached_file().is_file()


def test_no_more_projects_are_kept_than_told(here, monkeypatch):
    monkeypatch.setattr(caching, "MOST_KEPT", 3)
    for code in ("KD1", "KD2", "KD3", "KD4", "KD5"):
        report(selection=Selection((code,)))
    assert len(list(Path(os.environ["DIDACT_CACHE_DIR"], "check").iterdir())) == 3


def test_a_diagnostic_comes_back_as_it_was():
    fix = Fix((Edit(Span(1, 2, 3, 4), "乙\n"),), "unsafe", Text("do", "做"))
    finding = Finding("KD101", Severity.ERROR, Span(1, 2, 3, 4), Text("bad", "错"), fix)
    for diagnostic in (
        Diagnostic("a.py", 3, finding, "x = '\udc80'"),
        Diagnostic("a.py", None, replace(finding, fix=None), ""),
    ):
        again = diagnostic_of("a.py", json.loads(json.dumps(stored(diagnostic))))
        assert again == diagnostic
