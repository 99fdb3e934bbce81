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
