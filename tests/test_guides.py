"""The guides hold: their code runs, what they name is there, both languages show the same code."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from didact import losses
from didact.cli import cache, distill, learn, predict

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = [
    *("quick-start", "install", "which-loss", "your-teacher", "distill", "learn", "model-in-use"),
    *("trees", "language-models", "language-trainers", "encoders"),
]
COMMANDS = {"distill": distill, "learn": learn, "cache": cache, "predict": predict}
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


@pytest.mark.parametrize("page", ["encoders.md"])  # the other language shows the same code
def test_the_code_on_encoders_runs_from_top_to_bottom(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    exec(compile("".join(blocks(page, "python")), page, "exec"), {})
    said = ["weather", "torch.Size([2, 32])", "(2, 32) (2, 2)", "mine.py:teacher"]
    assert capsys.readouterr().out.splitlines() == said


@pytest.mark.filterwarnings("ignore")  # the libraries advise of much
@pytest.mark.parametrize("page", ["language-trainers.md"])
def test_the_code_on_trainers_runs_as_far_as_their_libraries_are_there(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    names: dict[str, Any] = {}
    for code in blocks(page, "python"):
        wanted = re.findall(r"^(?:from|import) (\w+)", code, re.MULTILINE)
        if all(find_spec(name) for name in wanted):
            exec(compile(code, page, "exec"), names)
        assert code.count("# +") <= 3, "a user adds three lines at most"
    assert (tmp_path / "kept" / "header.json").is_file()


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
        command = COMMANDS.get(words[1] if len(words) > 1 else "")
        if command is not None:
            assert typed(words) <= options(command), typed(words) - options(command)


def typed(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("--")}


def options(command: Any) -> set[str]:
    """What a command is told, by the names that are typed."""
    app = typer.Typer()
    app.command()(command.command)
    found = typer.main.get_command(app).params
    return {name for one in found for name in (*one.opts, *one.secondary_opts)}


@pytest.mark.parametrize("guide", GUIDES)
def test_both_languages_show_the_same_code(guide: str) -> None:
    def code(page: str) -> list[str]:
        python = blocks(page, "python")
        return python + [re.sub(r"\s+#.*", "", text) for text in blocks(page, "console")]

    assert code(f"{guide}.md") == code(f"{guide}.zh-CN.md")
