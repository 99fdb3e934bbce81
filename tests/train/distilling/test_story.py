"""The guide "my teacher, my data, my normalisation" works as it is written, in both languages."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from didact.cli import main

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ["your-teacher.md", "your-teacher.zh-CN.md"]


def blocks(page: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page: language and text."""
    text = (DOCS / page).read_text("utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def forget_mine():
    """Other tests have a module of that name, too."""
    sys.modules.pop("mine", None)
    yield
    sys.modules.pop("mine", None)


@pytest.mark.parametrize("page", PAGES)
def test_the_story_works(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (mine, training, python), commands = (
        [text for language, text in blocks(page) if language == wanted]
        for wanted in ("python", "console")
    )
    Path("mine.py").write_text(mine)
    importlib.invalidate_caches()
    exec(compile(training, "training.py", "exec"), {})
    for number, command in enumerate(commands):
        words = shlex.split(command.removeprefix("$ "))
        extra = ["--no-onnx", "--threads", "1", "--accelerator", "cpu", "--output", f"run{number}"]
        monkeypatch.setattr(sys, "argv", [*words, *extra])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        shown = capsys.readouterr()
        assert not code, shown.err
        accuracy = re.search(r"Net=best\.pth: (\d+\.\d) % of \d+ validation", shown.err)
        assert accuracy, shown.err
        assert float(accuracy[1]) > 85
        assert "distilled" in shown.out
    exec(compile(python, "story.py", "exec"), space := {})
    assert min(space["result"].summary["arms"]["teacher"]["test_accuracy"]) > 0.85


def test_both_languages_have_the_same_code() -> None:
    english, chinese = (blocks(page) for page in PAGES)
    assert english == chinese
