"""The code on a page, without fences, quote marks, diff signs, line numbers and buttons."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from didact._core.i18n import Text
from didact.check.snippet.characters import without_html
from didact.check.snippet.furniture import is_furniture, without_buttons
from didact.check.snippet.repair import parse

FENCES = Text(
    "The code was taken from the fenced blocks of the page ({count}); the text around was left "
    "out.",
    "从页面中取出了 {count} 个代码块，其余文字略去。",
)
QUOTED = Text(
    "The `>` of a quotation was removed from each line.", "去掉了每行开头的引用符号 `>`。"
)
NUMBERS = Text("Line numbers were removed.", "去掉了行号。")
DIFF = Text(
    "This is a diff: removed lines were left out, the signs before the others taken away.",
    "这是 diff：删除的行已略去，其余行去掉了行首的符号。",
)
NOTEBOOK = Text(
    "The code was taken from the code cells of a notebook ({count}).",
    "从 notebook 的代码单元中取出了代码（{count} 个）。",
)
BUTTONS = Text(
    "Buttons, counters, notices and printed output were left out: {lines}.",
    "略去了页面上的按钮、计数、声明和运行输出：{lines}。",
)

_PYTHON = {"", "python", "py", "python3", "ipython", "ipython3", "pycon", "pytorch", "torch",
           "python2", "tensorflow", "tf", "keras", "jax", "flax", "paddle", "paddlepaddle",
           "mindspore", "mxnet", "numpy", "jupyter"}  # fmt: skip
_OTHER = {
    "bash", "sh", "shell", "zsh", "console", "text", "txt", "json", "yaml", "yml", "toml", "ini",
    "html", "xml", "css", "c", "cpp", "cuda", "java", "js", "javascript", "go", "rust", "sql",
    "output", "latex", "tex", "math", "markdown", "md", "powershell",
}  # fmt: skip
_FENCE = re.compile(r"(?:```|~~~)[ \t]*(?P<language>[\w+-]*)")
_NUMBERED = re.compile(
    r"^[ \t]*L?(\d{1,5})(?:[ \t]*[|│┃]|[.:)、．]|(?=[ \t]|$|[A-Za-z_#@+-]))[ \t]?(.*)$"
)
_ONLY_NUMBER = re.compile(r"^[ \t]*(\d{1,5})[.:]?[ \t]*$")
_DIFF_HEAD = re.compile(r"^(?:diff --git |index [0-9a-f]{4,}\.\.|--- [\w/.]|\+\+\+ [\w/.]|@@ .*@@)")
_GUTTER = re.compile(r"^[ \t]*\d{1,5}(?:[ \t]+\d{1,5})?[ \t]+(?P<sign>[+-])")
_BULLET = re.compile(r"^[ \t]*(?:[*•●▪·-]|[①-⑳]|\(\d\))[ \t]+(?P<rest>\S.*)$")
_SLASHES = re.compile(r"(?<=[\s)\]])//[ \t]*(?=[\u4e00-\u9fff])")
_BACKTICKS = re.compile(r"((?:[=(,+%\[]|\bprint|\breturn)[ \t]*)`([^`\n]+)`")
_SOURCE = re.compile(r'"source"\s*:\s*(?=\[|")')

_LEAST_NUMBERED = 3
"""Fewer lines that begin with a number are no listing."""

_NUMBERED_SHARE, _COUNTED = 0.6, 0.7
"""The shares of lines with a number, and of numbers that follow on the one before, from which on
they are line numbers: wrapped lines have none, and a listing may leave some out."""


@dataclass(slots=True)
class Page:
    """Lines, and for each the line of the paste that it came from.

    Attributes:
        lines: What is left.
        origin: For each line, the line of the paste, from 1.
        aside: Lines that stand around the code (outside a fence, behind a prompt's output), with
            the line of the paste. They may hold a question.
        notes: What was taken away.
    """

    lines: list[str]
    origin: list[int]
    aside: list[tuple[int, str]] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Page:
        """The lines of a text; HTML's line breaks make lines too."""
        page = cls([], [])
        for number, line in enumerate(text.split("\n"), 1):
            parts = without_html(line).split("\n")
            page.lines += parts
            page.origin += [number] * len(parts)
        return page

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    def in_strings(self) -> list[bool]:
        """For each line whether it holds a part of a string in triple quotes."""
        result, inside = [], False
        for line in self.lines:
            quotes = line.count('"""') + line.count("'''")
            result.append(inside or quotes > 0)
            inside ^= quotes % 2 == 1
        return result

    def rewrite(self, change: Callable[[str], str | None]) -> None:
        """Change each line; None takes it away, and a newline in the result makes two."""
        lines, origin = [], []
        for line, number in zip(self.lines, self.origin, strict=True):
            changed = change(line)
            if changed is not None:
                parts = changed.split("\n")
                lines += parts
                origin += [number] * len(parts)
        self.lines, self.origin = lines, origin

    def keep(self, kept: list[str | None]) -> None:
        """The same for changes that were worked out beforehand, one for each line."""
        changes = iter(kept)
        self.rewrite(lambda _: next(changes))


def without_fences(page: Page) -> None:
    """Only the code inside fences, where there are any."""
    if "```" not in page.text and "~~~" not in page.text:
        return
    kept: list[str | None] = []
    count = 0
    language: str | None = None
    outside: list[tuple[int, str]] = []
    for number, line in zip(page.origin, page.lines, strict=True):
        position = 0
        parts: list[str] = []
        for match in _FENCE.finditer(line):
            before = line[position : match.start()]
            _keep_fenced(before, language, parts, outside, number)
            position = match.start("language")
            if language is not None:
                language = None
                continue
            language = match["language"].lower()
            count += language not in _OTHER
            if language in _PYTHON or language in _OTHER or language == "diff":
                position = match.end()
            else:
                language = ""
        _keep_fenced(line[position:], language, parts, outside, number)
        kept.append("\n".join(parts) if parts or not line.strip() else None)
    if not any(part and part.strip() for part in kept):
        page.rewrite(lambda line: line.replace("```", "").replace("~~~", ""))
        return
    page.keep(kept)
    page.aside += outside
    page.notes.append(FENCES.format(count=count))


def _keep_fenced(
    text: str,
    language: str | None,
    parts: list[str],
    outside: list[tuple[int, str]],
    number: int,
) -> None:
    if language is None:
        if text.strip():
            outside.append((number, text))
    elif language not in _OTHER and (text.strip() or not parts):
        parts.append(text)


def without_quote_marks(page: Page) -> None:
    """Lines of a quotation without their ``>``; a prompt's ``>>>`` stays."""
    marked = [bool(re.match(r"[ \t]*(?:>|》)(?!>>)", line)) for line in page.lines]
    if sum(marked) < (1 if all(m or not x.strip() for m, x in zip(marked, page.lines)) else 2):  # noqa: B905
        return
    page.notes.append(QUOTED)
    page.rewrite(lambda line: re.sub(r"^[ \t]*(?:(?:>(?!>>)|》) ?)+(?=[^>]|>>>|$)", "", line))


def without_diff_signs(page: Page) -> None:
    """What a diff makes of a file: the lines that it adds and those that it leaves."""
    _without_number_gutter(page)
    heads = [bool(_DIFF_HEAD.match(line)) for line in page.lines]
    kept: list[str | None] = list(page.lines)
    if any(line.startswith(("diff --git", "@@ ")) for line in page.lines):
        inside = False
        for index, line in enumerate(page.lines):
            if heads[index]:
                inside, kept[index] = line.startswith("@@") or inside, None
                tail = re.match(r"@@ [^@]*@@(.*)", line)
                inside = inside and bool(tail)
            elif inside and line.startswith("\\ No newline"):
                kept[index] = None
            elif inside and line[:1] in {"+", "-", " "}:
                kept[index] = None if line[0] == "-" else line[1:]
            elif line.strip():
                inside = False
    else:
        for start, stop in _signed_runs(page.lines):
            body = [line for line in page.lines[start:stop] if not line.startswith("-")]
            tree = parse(textwrap.dedent("\n".join(line[1:] for line in body)))
            if tree is not None and not all(isinstance(n, ast.Expr) for n in tree.body):
                for index in range(start, stop):
                    kept[index] = None if page.lines[index][:1] == "-" else page.lines[index][1:]
    if kept != page.lines:
        page.keep(kept)
        page.notes.append(DIFF)


def _without_number_gutter(page: Page) -> None:
    """Without the two columns of numbers that stand before the signs of a diff on a page."""
    signed = [match for line in page.lines if (match := _GUTTER.match(line))]
    columns = {match.start("sign") for match in signed}
    if len(columns) != 1 or not any(match["sign"] == "+" for match in signed):
        return
    column = columns.pop()
    inside = [not line[:column].strip("0123456789 \t") for line in page.lines if line.strip()]
    if sum(inside) > len(inside) / 2:
        page.rewrite(lambda line: _behind_sign(line, column))
        page.notes.append(DIFF)


def _behind_sign(line: str, column: int) -> str | None:
    if line[:column].strip("0123456789 \t"):
        return line
    sign = line[column : column + 1]
    return None if sign == "-" else line[column + (sign in {"+", " "}) :]


def _signed_runs(lines: list[str]) -> list[tuple[int, int]]:
    """Stretches of lines that each begin with a sign, at least two of them with a plus."""
    runs, start = [], None
    for index, line in enumerate([*lines, "end"]):
        signed = line[:1] in {"+", "-"} or (start is not None and line[:1] in {" ", ""})
        if signed and start is None:
            start = index
        elif not signed and start is not None:
            if sum(line.startswith("+") for line in lines[start:index]) > 1:
                runs.append((start, index))
            start = None
    return runs


def without_numbers(page: Page) -> None:
    """Lines without their numbers, whether before each line or as a column of their own."""
    before = list(page.lines)
    _without_number_columns(page)
    filled = [x for x, inside in zip(page.lines, page.in_strings(), strict=True) if not inside]
    filled = [line for line in filled if line.strip()]
    matches = [_NUMBERED.match(line) for line in filled]
    first = next((i for i, m in enumerate(matches) if m), 0)
    last = len(matches) - next((i for i, m in enumerate(reversed(matches)) if m), 0)
    numbers = [int(match[1]) for match in matches if match]
    steps = sum(b - a == 1 for a, b in pairwise(numbers))
    counted = steps >= _COUNTED * (len(numbers) - 1)
    enough = len(numbers) >= max(_LEAST_NUMBERED, _NUMBERED_SHARE * (last - first))
    two = len(numbers) == last - first == 2 and numbers[0] < 2 and len(filled) <= 2 * 2
    printed = all(_PRINTED.match(match[2]) for match in matches if match)
    if counted and (enough or two) and not printed:
        listed = _listing(page.lines)
        page.keep([*_numbers_off(page.lines[:listed]), *page.lines[listed:]])
    if page.lines != before:
        page.notes.append(NUMBERS)


def _listing(lines: list[str]) -> int:
    """Where the numbered lines end: behind them may stand what was printed, numbered from 0 or 1.

    Only numbers that start again, behind a line without one, belong to something else.
    """
    last, gap = 0, False
    for index, line in enumerate(lines):
        match = _NUMBERED.match(line)
        if match is None:
            gap = gap or bool(line.strip())
            continue
        if gap and int(match[1]) <= min(1, last - _LEAST_NUMBERED) and _PRINTED.match(match[2]):
            return index
        last, gap = int(match[1]), False
    return len(lines)


_PRINTED = re.compile(r"^[\s\d.,:|/%eE+-]*\d[\s\d.,:|/%eE+-]*$")


def _numbers_off(lines: list[str]) -> list[str]:
    """Lines without the number in front, by whichever way gives code.

    Behind a number stands one space, or the code of all lines begins in the same column: then 10
    has one space less behind it than 9.
    """
    matches = [_NUMBERED.match(line) for line in lines]
    near = [m[2] if m else line for m, line in zip(matches, lines, strict=True)]
    starts = [m.end() - len(m[2].lstrip()) for m in matches if m and m[2].strip()]
    column = min(starts, default=0)
    if any(m and m.end(1) > column for m in matches) or "\t" in "".join(
        line[:column] for line in lines
    ):
        return near
    aligned = [line[column:] if m else line for m, line in zip(matches, lines, strict=True)]
    if parse(textwrap.dedent("\n".join(near))) is not None:
        return near
    if parse(textwrap.dedent("\n".join(aligned))) is not None:
        return aligned
    return aligned if _uneven(aligned) < _uneven(near) else near


def _uneven(lines: list[str]) -> int:
    """How many lines are indented by an odd number of spaces."""
    filled = [line for line in textwrap.dedent("\n".join(lines)).split("\n") if line.strip()]
    return sum((len(line) - len(line.lstrip(" "))) % 2 for line in filled)


def _without_number_columns(page: Page) -> None:
    """Without runs of lines that hold consecutive numbers and nothing else."""
    kept: list[str | None] = list(page.lines)
    run: list[int] = []
    for index, line in enumerate([*page.lines, "end"]):
        match = _ONLY_NUMBER.match(line)
        if match and (not run or int(match[1]) == int(page.lines[run[-1]].strip(" \t.:")) + 1):
            run.append(index)
            continue
        if not line.strip() and run:
            continue
        if len(run) >= _LEAST_NUMBERED or [page.lines[i].strip() for i in run] == ["1", "2"]:
            for number in run:
                kept[number] = None
        run = [index] if match else []
    page.keep(kept)


def without_buttons_of_page(page: Page) -> None:
    """Lines without buttons, counters, notices and code tags."""
    gone: list[str] = []
    kept: list[str | None] = []
    for line, in_string in zip(page.lines, page.in_strings(), strict=True):
        if in_string:
            kept.append(line)
        elif is_furniture(line):
            gone.append(line.strip())
            kept.append(None)
        else:
            kept.append(without_buttons(line))
    page.keep(kept)
    if gone:
        page.notes.append(BUTTONS.format(lines="; ".join(f"`{line[:40]}`" for line in gone[:5])))


def without_bullets(page: Page) -> None:
    """Statements without the bullets of a list; a line that goes on with ``*`` has no bullet."""
    bullets = [m for line in page.lines if (m := _BULLET.match(line)) and _is_step(m["rest"])]
    if len(bullets) > 1:
        page.rewrite(lambda line: _BULLET.sub(r"\g<rest>", line))


def _is_step(text: str) -> bool:
    tree = parse(text)
    return tree is not None and any(not isinstance(node, ast.Expr) for node in tree.body)


def with_python_signs(page: Page) -> None:
    """Comments of other languages and the backticks of Python 2 as Python writes them."""
    page.rewrite(lambda line: _BACKTICKS.sub(r"\1repr(\2)", _SLASHES.sub("# ", line)))


def from_notebook(text: str) -> tuple[str, list[Text]]:
    """The code cells of a notebook's JSON, whole or a part of it; any other text as it is."""
    if '"cell_type"' not in text or '"source"' not in text:
        return text, []
    decoder, cells, end = json.JSONDecoder(), [], 0
    for match in _SOURCE.finditer(text):
        if match.start() < end:
            continue
        kind = re.findall(r'"cell_type"\s*:\s*"(\w+)"', text[end : match.start()])
        try:
            value, end = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        parts = value if isinstance(value, list) else [value]
        if (not kind or kind[-1] == "code") and all(isinstance(part, str) for part in parts):
            cells.append("".join(parts))
    if not cells:
        return text, []
    return "\n\n".join(cells), [NOTEBOOK.format(count=len(cells))]
