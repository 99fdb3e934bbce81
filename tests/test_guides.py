"""The guides hold: their code runs, what they name is there, both languages show the same code."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from didact import losses
from didact.cli import cache, distill, learn

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = [
    "quick-start", "install", "which-loss", "your-teacher", "distill", "learn", "trees",
    "language-models",
]  # fmt: skip
PAGES = [f"{guide}{language}.md" for guide in GUIDES for language in ("", ".zh-CN")]


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["quick-start.md", "quick-start.zh-CN.md"])
def test_the_code_of_the_quick_start_runs(page: str) -> None:
    (code,) = blocks(page, "python")
    exec(compile(code, page, "exec"), {})


@pytest.mark.parametrize("page", ["language-models.md", "language-models.zh-CN.md"])
def test_the_code_on_language_models_runs_from_top_to_bottom(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "".join(blocks(page, "python"))
    names: dict[str, Any] = {}
    exec(compile(code, page, "exec"), names)
    assert capsys.readouterr().out == "padded 304 (300,)\n"
    assert names["loss"].isfinite()
    assert (tmp_path / "teacher-cache" / "header.json").is_file()


@pytest.mark.parametrize("page", PAGES)
def test_every_loss_and_link_of_a_guide_is_there(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    for name in re.findall(r"losses\.md#([\w-]+)", text):
        assert name in {loss.lower() for loss in losses.CARDS}, name
    for link in re.findall(r"\]\(([\w.-]+\.md)", text):
        assert (DOCS / link).is_file(), link


@pytest.mark.parametrize("page", PAGES)
def test_every_option_that_a_guide_types_exists(page: str) -> None:
    for line in "".join(blocks(page, "console")).replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        command = {"distill": distill, "learn": learn, "cache": cache}.get(
            words[1] if len(words) > 1 else ""
        )
        if command is not None:
            known = set(inspect.signature(command.command).parameters)
            typed = {w[2:].replace("-", "_") for w in words if w.startswith("--")}
            assert typed <= known, typed - known


@pytest.mark.parametrize("guide", GUIDES)
def test_both_languages_show_the_same_code(guide: str) -> None:
    def code(page: str) -> list[str]:
        python = blocks(page, "python")
        return python + [re.sub(r"\s+#.*", "", text) for text in blocks(page, "console")]

    assert code(f"{guide}.md") == code(f"{guide}.zh-CN.md")
