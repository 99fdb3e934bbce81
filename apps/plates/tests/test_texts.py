"""Whatever a user is shown exists in English and in Chinese."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
import typer

import didact_plates
from didact_plates.chinese import TEXTS
from didact_plates.cli import build
from didact_plates.errors import PlatesError
from didact_plates.texts import language_of, say, speak, spoken

PACKAGE = Path(didact_plates.__file__).parent


def said(path: Path) -> list[tuple[int, str | None]]:
    """The texts that a file says; None for one that is no literal."""
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"
    ]
    return [
        (c.lineno, c.args[0].value if isinstance(c.args[0], ast.Constant) else None) for c in calls
    ]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_what_is_said_has_its_chinese(path: Path) -> None:
    texts = [(line, text) for line, text in said(path) if text is not None]
    missing = [f"{path.name}:{line}: {text!r}" for line, text in texts if text not in TEXTS]
    assert not missing, "add it to didact_plates/chinese.py: " + "\n".join(missing)
    raised = re.findall(r"raise \w*Error\(\s*f?\"", path.read_text("utf-8"))
    assert not raised, f"{path.name} raises a text that nobody says in Chinese"


def test_every_text_of_the_catalogue_is_chinese_and_has_the_same_fields() -> None:
    for english, chinese in TEXTS.items():
        assert re.search("[\u4e00-\u9fff]", chinese), english
        assert fields(english) == fields(chinese), english


def test_every_help_text_has_its_chinese() -> None:
    group = typer.main.get_command(build())
    for command in (group, *group.commands.values()):
        texts = (command.help or "").split("\n\n")
        texts += [p.help for p in command.params if getattr(p, "help", None)]
        for text in (" ".join(text.split()) for text in texts):
            assert text in TEXTS, text


def test_the_language_is_chosen_as_in_didact() -> None:
    assert language_of(["photo.jpg"], {"LANG": "zh_CN.UTF-8"}) == "zh"
    assert language_of(["photo.jpg"], {"DIDACT_LANG": "en", "LANG": "zh_CN.UTF-8"}) == "en"
    assert language_of(["--lang=zh"], {"LANG": "en_US.UTF-8"}) == "zh"
    assert language_of(["--lang", "en"], {"LANG": "zh_CN.UTF-8"}) == "en"
    speak("zh")
    try:
        assert say("interrupted") == "已中断"
        with pytest.raises(PlatesError, match="应为 en 或 zh"):
            speak("fr")
    finally:
        speak("en")
    assert spoken() == "en"
