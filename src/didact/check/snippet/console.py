"""What a terminal or a notebook puts around code: prompts, output, commands, tracebacks."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.snippet.page import Page

PROMPTS = Text("Prompts were removed.", "去掉了交互提示符。")
PROMPTS_AND_OUTPUT = Text(
    "Prompts were removed; lines that look like output or shell commands were left out.",
    "去掉了交互提示符；看起来是输出或 shell 命令的行已略去。",
)
SHELL = Text(
    "Shell commands and notebook magics were left out: {lines}.",
    "略去了 shell 命令和 notebook 魔法命令：{lines}。",
)
TRACEBACK = Text(
    "The traceback was left out: `{error}`.",
    "略去了报错的 traceback：`{error}`。",
)

_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.(?!:)|In ?\[[\d ]*\] ?:|\.{3,}:)(?: |$)?")
_ANY_PROMPT = re.compile(r"(?:^|\s)(?:>>>|In ?\[[\d ]*\] ?:)", re.MULTILINE)
_DOCTEST = re.compile(r"^[ \t]*>>>", re.MULTILINE)
_DEFINED = re.compile(r"^(?:def \w+\(|class \w+[(:]).*$", re.MULTILINE)
"""What no output begins with: the ``>>>`` beside it is a mark of another kind."""

_GLUED_PROMPT = re.compile(r"(?<=\S)[ \t]+(?=>>> |In ?\[\d+\] ?:|Out ?\[\d+\] ?:)")
_OUTPUT = re.compile(r"^[ \t]*Out ?\[\d*\] ?:")
_SHELL = re.compile(
    r"^[ \t]*(?:\$ |%%?\w|!\w|(?:\(\w+\) ?)?[\w.-]+@[\w.-]+:\S*[$#] |"
    r"(?:pip3?|conda) install |python3? (?:-[mc] |[A-Za-z0-9_./-]+\.py\b))"
)

_TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
_FILE = re.compile(r"^[ \t]*File \".*\", line \d+")
_RANK = re.compile(r"^\[rank\d+\]:[ \t]?", re.MULTILINE)
_MESSAGE = re.compile(
    r"^[ \t]*(?:E[ \t]+)?(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Warning)[ "
    r"\t]*[:：]"
    r"[ \t]*(?!\w+(?:\[[^\]]*\])?[ \t]*=(?!=))\S"
)
"""The last line of a traceback, also where it stands alone."""

_ERROR = re.compile(r"^(?:E[ \t]+)?[\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Iteration)\b")
_FRAME = re.compile(
    r"^[ \t]*(?:File \"|<ipython-input|Cell In ?\[|~?/\S+ in |[\w./-]+ in \w+\(|-+> ?\d+ |"
    r"[~^]+[ \t]*$|\[Previous line repeated|\d+ .*|During handling of|The above exception)"
)
_PYTEST = re.compile(r"^(?:[=_]{3,} .*[=_]{3,}|[\w./-]+\.py:\d+: ?.*|E {2,}.*|[=_]{10,})$")
_PYTEST_ERROR = re.compile(r"^E {2,}\S", re.MULTILINE)


def without_tracebacks(page: Page) -> list[str]:
    """Take tracebacks away; the lines of code that they showed, innermost last."""
    shown: list[str] = []
    if _RANK.search(page.text):
        page.rewrite(lambda line: _RANK.sub("", line))
    if _TRACEBACK.search(page.text) or any(_FILE.match(line) for line in page.lines):
        _without_python_traceback(page, shown)
    if _PYTEST_ERROR.search(page.text):
        _without_pytest_report(page)
    _without_messages(page)
    return shown


def _without_messages(page: Page) -> None:
    """Take away error messages that stand alone, without the traceback above them."""
    kept: list[str | None] = []
    for number, line, in_string in zip(page.origin, page.lines, page.in_strings(), strict=True):
        error = not in_string and _MESSAGE.match(line)
        kept.append(None if error else line)
        if error:
            page.aside.append((number, line.strip()))
            page.notes.append(TRACEBACK.format(error=line.strip()[:100]))
    page.keep(kept)


def _without_python_traceback(page: Page, shown: list[str]) -> None:
    kept: list[str | None] = list(page.lines)
    inside, after_frame = False, False
    for index, line in enumerate(page.lines):
        if head := _TRACEBACK.search(line):
            inside = True
            before = line[: head.start()]
            kept[index] = None if _ERROR.match(before) or not before.strip() else before
        elif _FILE.match(line):
            inside, after_frame, kept[index] = True, True, None
        elif inside and _ERROR.match(line):
            inside, after_frame, kept[index] = False, False, None
            page.notes.append(TRACEBACK.format(error=line.strip()[:100]))
        elif inside and (
            not line.strip() or line[:1].isspace() or _FRAME.match(line) or after_frame
        ):
            arrow = re.match(r"^[ \t]*-+> ?\d+ (.*)", line)
            if arrow or (after_frame and line.strip() and not _FRAME.match(line)):
                shown.append(arrow[1] if arrow else line)
            after_frame = bool(_FRAME.match(line))
            kept[index] = None
        else:
            inside = after_frame = False
    page.keep(kept)


def _without_pytest_report(page: Page) -> None:
    error = next(line for line in page.lines if _PYTEST_ERROR.match(line))
    page.notes.append(TRACEBACK.format(error=error[1:].strip()[:100]))
    page.rewrite(lambda line: None if _PYTEST.match(line) else re.sub(r"^>(?= {2,})", " ", line))


def without_prompts(page: Page) -> None:
    """Only what was typed at the prompts."""
    if not _ANY_PROMPT.search(page.text):
        return
    page.rewrite(lambda line: _GLUED_PROMPT.sub("\n", line))
    typed = [line[m.end() :] for line in page.lines if (m := _PROMPT.match(line))]
    doctest = bool(_DOCTEST.search(page.text)) and not _DEFINED.search(page.text)
    doctest = doctest and any(map(_is_typed, typed))
    kept: list[str | None] = []
    after_output, is_open = False, False
    for number, line in zip(page.origin, page.lines, strict=True):
        match = _PROMPT.match(line)
        if match:
            kept.append(line[match.end() :])
            is_open = line.rstrip().endswith((":", ",", "(", "[", "{", "\\")) or (
                is_open and line[match.end() :][:1].isspace()
            )
            after_output = False
        elif not line.strip():
            kept.append("")
            after_output = is_open = False
        elif _OUTPUT.match(line):
            after_output = True
            kept.append(None)
        elif (doctest and not (is_open and line[0].isspace())) or after_output:
            page.aside.append((number, line))
            kept.append(None)
        else:
            kept.append(line)
    page.notes.append(PROMPTS_AND_OUTPUT if None in kept else PROMPTS)
    page.keep(kept)


def _is_typed(line: str) -> bool:
    """Whether what stands at a prompt is Python, or may begin it; a quoted sentence is neither."""
    if not re.match(r"[A-Za-z]+(?: [A-Za-z']+){2}", line) or re.match(r"(?:from|import) ", line):
        return bool(line.strip())
    try:
        ast.parse(line)
    except (SyntaxError, ValueError):
        return line.rstrip().endswith((":", ",", "(", "[", "{", "\\"))
    return True


def without_shell(page: Page) -> None:
    """Without shell commands and notebook magics."""
    gone = [line.strip() for line in page.lines if _SHELL.match(line)]
    if gone:
        page.notes.append(SHELL.format(lines="; ".join(f"`{line[:40]}`" for line in gone[:5])))
        page.rewrite(lambda line: None if _SHELL.match(line) else line)
