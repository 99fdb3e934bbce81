"""Whatever a user is shown exists in English and in Chinese: help, errors, progress, pages."""

from __future__ import annotations

import ast
import re
import sys
from html import unescape
from pathlib import Path

import pytest
import typer

from didact._core.chinese import catalogue
from didact._core.translate import translated
from didact.check.explain.layout import width
from didact.cli import COMMANDS, build, main
from didact.report.render import to_html
from didact.train.record.log import Log
from tests.report.support import make_disagreements, make_result, make_rows, write_run

SOURCE = Path(__file__).parents[1] / "src" / "didact"
IN_BOTH_BY_THEMSELVES = ("check", "probe", "web", "recipes")  # their texts stand in pairs
NOT_SAID = ("_core/words.py", "_core/chinese", "report/drawing/svg.py")
WORD = re.compile(r"(?<![\w.{-])[a-z]{2,}(?![\w(=.])")
CHINESE = re.compile("[\u4e00-\u9fff]")
FEWEST_WORDS = 3
FIELDS_AS_THEY_ARE = ("formula", "paper", "form", "usage")


def is_pair(node: ast.Call | ast.Tuple) -> bool:
    """Whether a text stands beside its Chinese: ``Text(en, zh)``, an error of both, a tuple."""
    both = node.args if isinstance(node, ast.Call) else node.elts
    if len(both) != 2:
        return False
    said = [p.value for p in ast.walk(both[1]) if isinstance(p, ast.Constant)]
    return any(isinstance(one, str) and CHINESE.search(one) for one in said)


def templates(path: Path) -> list[tuple[int, str]]:
    """The texts of a file with ``{}`` for values: what is no docstring and has three words."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    inside |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):  # shapes in annotations
            inside |= {id(part) for part in ast.walk(node.slice)}
        elif isinstance(node, ast.keyword) and node.arg in FIELDS_AS_THEY_ARE:
            inside |= {id(part) for part in ast.walk(node.value)}
        elif isinstance(node, ast.Call | ast.Tuple) and is_pair(node):
            inside |= {id(part) for part in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if text.startswith("<"):  # of a page, which is read as a whole below
            continue
        if len(WORD.findall(text)) >= FEWEST_WORDS and " " in text.strip():
            found.append((node.lineno, text))
    return found


def is_known(text: str) -> bool:
    """Whether the catalogue has it, or each piece between its values is a part of some text."""
    if text in catalogue() or translated(text, "zh") != text:
        return True
    pieces = [piece.strip(" .,;:") for piece in re.split(r"\{\w*\}|  +", text)]
    pieces = [piece for piece in pieces if len(WORD.findall(piece)) >= 1]
    return bool(pieces) and all(any(piece in known for known in catalogue()) for piece in pieces)


def spoken_files() -> list[Path]:
    files = sorted(SOURCE.rglob("*.py"))
    said = [
        path for path in files if path.relative_to(SOURCE).parts[0] not in IN_BOTH_BY_THEMSELVES
    ]
    return [p for p in said if not str(p.relative_to(SOURCE)).startswith(NOT_SAID)]


@pytest.mark.parametrize("path", spoken_files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_text_of_the_source_lacks_chinese(path: Path) -> None:
    missing = [
        f"{path.relative_to(SOURCE)}:{line}: {text!r}"
        for line, text in templates(path)
        if not is_known(text)
    ]
    assert not missing, "add it to didact/_core/chinese: " + "\n".join(missing)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_help_text_exists_in_chinese(name: str) -> None:
    group = typer.main.get_command(build([]))
    command = group.commands[name] if name else group
    texts = (command.help or "").split("\n\n")
    texts += [parameter.help for parameter in command.params if getattr(parameter, "help", None)]
    for text in (" ".join(text.split()) for text in texts):
        assert max(translated(text, "zh")) > "\u3000" or text.startswith("didact "), text


def english_left(html: str) -> list[str]:
    """Pieces of a Chinese page with three English words in a row that are not the user's."""
    html = re.sub(r"<(style|pre|code)\b.*?</\1>", "", html, flags=re.DOTALL)
    html = re.sub(r'<(\w+)[^>]*translate="no"[^>]*>.*?</\1>', "", html, flags=re.DOTALL)
    texts = re.findall(r">([^<>]+)<", html)
    texts += re.findall(r'(?:alt|title|aria-label)="([^"]*)"', html)
    return [t for t in map(unescape, texts) if re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", t)]


@pytest.mark.parametrize("seeds", [1, 2, 5])
@pytest.mark.parametrize("teachers", [1, 2])
def test_a_page_in_chinese_has_no_english_sentence(
    tmp_path: Path, seeds: int, teachers: int
) -> None:
    folder = tmp_path / "run"
    result = make_result(seeds=seeds, teachers=teachers)
    write_run(folder, result, rows=make_rows(seeds=seeds), disagreements=make_disagreements())
    html = to_html(folder, "zh")
    assert '<html lang="zh-CN">' in html
    assert english_left(html) == []
    assert english_left(to_html(folder, "en")), "the test sees English where there is some"


def test_the_command_line_answers_in_the_language_that_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, said in (
        (["report", str(tmp_path / "no"), "--lang", "zh"], "错误：没有文件夹"),
        (["--lang", "zh", "report", str(tmp_path / "no")], "错误：没有文件夹"),
        (["report", str(tmp_path / "no"), "--lang=en"], "error: there is no folder"),
        (["report", str(tmp_path / "no"), "--lang", "fr"], "expected 'en' or 'zh'"),
        (["compare", "--lang", "zh"], "错误：缺少参数"),
        (["compare", "--nothing", "--lang", "zh"], "没有选项 --nothing"),
        (["list", "lossez", "--lang", "zh"], "没有 'lossez' 的列表；是否想写 'losses'？"),
    ):
        monkeypatch.setattr(sys, "argv", ["didact", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_the_locale_decides_where_nothing_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["didact", "runs", "--help"])
    for language, title in (("zh_CN.UTF-8", "选项："), ("en_US.UTF-8", "Options:")):
        monkeypatch.setenv("DIDACT_LANG", language)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        shown = capsys.readouterr().out
        assert title in shown
        assert max(map(width, shown.split("\n"))) <= 80


@pytest.mark.parametrize(
    "metric", ["accuracy", "bits_per_byte", "mean_absolute_error", "mean_average_precision"]
)
def test_an_epoch_is_told_in_chinese_whatever_is_measured(metric: str) -> None:
    for arm in ("teacher", "alone", "distilled"):
        said: list[str] = []
        log = Log(None, total=3)
        log._show = lambda text, said=said, **_: said.append(text)  # type: ignore[method-assign]
        row = {"seed": 1, "arm": arm, "epoch": 2, "epochs": 3, "train_loss": 0.5}
        log.epoch({**row, f"validation_{metric}": 0.25})
        for text in (said[0], f"[ 33%] {said[0]}"):
            shown = translated(text, "zh")
            assert not WORD.findall(shown), shown
