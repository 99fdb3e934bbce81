"""``didact report``."""

import sys
from pathlib import Path

import pytest
from tests.report.support import full_run

from didact.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["didact", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_it_renders_again_and_prints_the_path(tmp_path: Path, monkeypatch, capsys):
    folder = full_run(tmp_path / "run", seeds=2)
    assert run(monkeypatch, "report", str(folder)) == 0
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").is_file()


def test_what_is_no_run_is_one_message(tmp_path: Path, monkeypatch, capsys):
    assert run(monkeypatch, "report", str(tmp_path)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {tmp_path} is not a run folder")
    assert captured.err.count("\n") == 1


def test_what_has_no_digest_is_said_to_be_unchecked(tmp_path: Path, monkeypatch, capsys):
    folder = full_run(tmp_path / "run", seeds=2)
    for name in ("report.html", "notes \x1b.txt"):
        (folder / name).write_text("<script>")
    monkeypatch.setenv("DIDACT_LANG", "en")
    run(monkeypatch, "report", str(folder), "--verify")
    (said,) = [s for s in capsys.readouterr().out.splitlines() if s.startswith("not checked")]
    assert "report.html" in said
    assert "notes" in said
    assert "\x1b" not in said
