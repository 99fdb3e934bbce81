"""Fences, prompts and line numbers: what stands around the code on a page."""

from __future__ import annotations

import re
from itertools import pairwise

from didact._core.i18n import Text

_FENCE = re.compile(r"(?:```|~~~)[ \t]*(?P<language>[\w+-]*)(?P<code>.*?)(?:```|~~~|\Z)", re.DOTALL)
_PYTHON = {"", "python", "py", "python3", "ipython", "ipython3", "pycon", "pytorch", "torch"}
_OTHER = {
    "bash", "sh", "shell", "zsh", "console", "text", "txt", "json", "yaml", "yml", "toml", "ini",
    "html", "xml", "css", "c", "cpp", "cuda", "java", "js", "javascript", "go", "rust", "sql",
    "output", "latex", "tex", "math", "diff", "markdown", "md", "powershell",
}  # fmt: skip
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.(?!:)|In ?\[\d*\] ?:|\.{3,}:)(?: |$)?", re.MULTILINE)
_OUTPUT = re.compile(r"^[ \t]*Out ?\[\d*\] ?:")
_SHELL = re.compile(r"^[ \t]*(?:\$ |%%?\w|!\w|pip install )")
_NUMBERED = re.compile(r"^[ \t]*(\d{1,4})(?:[.:|)](?=[ \t]|$)|(?=[ \tA-Za-z_#@]|$))[ \t]?(.*)$")
_LEAST_NUMBERED = 3
"""Fewer lines that begin with a number are no listing."""

_NUMBERED_SHARE, _COUNTED = 0.6, 0.7
"""The shares of lines with a number, and of numbers that follow on the one before, from which on
they are line numbers: wrapped lines have none, and a listing may leave some out."""

FENCES = Text(
    "The code was taken from the fenced blocks of the page ({count}); the text around was left "
    "out.",
    "从页面中取出了 {count} 个代码块，其余文字略去。",
)
PROMPTS = Text(
    "Prompts were removed; lines that look like output or shell commands were left out.",
    "去掉了交互提示符；看起来是输出或 shell 命令的行已略去。",
)
QUOTED = Text(
    "The `>` of a quotation was removed from each line.", "去掉了每行开头的引用符号 `>`。"
)
NUMBERS = Text("Line numbers at the start of lines were removed.", "去掉了行首的行号。")
SHELL = Text(
    "Shell commands and notebook magics were left out: {lines}.",
    "略去了 shell 命令和 notebook 魔法命令：{lines}。",
)


def unwrap(text: str) -> tuple[str, list[Text]]:
    """The code on a page, without fences, quote marks, prompts and line numbers."""
    notes: list[Text] = []
    text = _without_fences(text, notes)
    text = _without_quote_marks(text, notes)
    text = _without_prompts(text, notes)
    text = _without_shell(text, notes)
    return _without_numbers(text, notes), notes


def _without_fences(text: str, notes: list[Text]) -> str:
    if "```" not in text and "~~~" not in text:
        return text
    blocks = []
    for match in _FENCE.finditer(text):
        language, code = match["language"], match["code"]
        if language.lower() in _OTHER:
            continue
        blocks.append(code if language.lower() in _PYTHON else language + code)
    if not any(block.strip() for block in blocks):
        return text.replace("```", "").replace("~~~", "")
    notes.append(FENCES.format(count=len(blocks)))
    return "\n\n".join(block.strip("\n") for block in blocks)


def _without_quote_marks(text: str, notes: list[Text]) -> str:
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    if filled and all(line.startswith(">") and not line.startswith(">>>") for line in filled):
        notes.append(QUOTED)
        return "\n".join(line.removeprefix(">").removeprefix(" ") for line in lines)
    return text


def _without_prompts(text: str, notes: list[Text]) -> str:
    if not re.search(r"(?:^|\s)(?:>>>|In ?\[\d*\] ?:)", text):
        return text
    notes.append(PROMPTS)
    text = re.sub(r"(?<=\S)[ \t]+(?=>>> |In ?\[\d+\] ?:|Out ?\[\d+\] ?:)", "\n", text)
    doctest = bool(re.search(r"^[ \t]*>>>", text, re.MULTILINE))
    kept, after_output = [], False
    for line in text.split("\n"):
        match = _PROMPT.match(line)
        if match:
            kept.append(line[match.end() :])
            after_output = False
        elif _OUTPUT.match(line):
            after_output = True
        elif not line.strip():
            kept.append("")
            after_output = False
        elif not doctest and not after_output:
            kept.append(line)
    return "\n".join(kept)


def _without_shell(text: str, notes: list[Text]) -> str:
    lines = text.split("\n")
    gone = [line.strip() for line in lines if _SHELL.match(line)]
    if not gone:
        return text
    notes.append(SHELL.format(lines="; ".join(f"`{line[:40]}`" for line in gone[:5])))
    return "\n".join(line for line in lines if not _SHELL.match(line))


def _without_numbers(text: str, notes: list[Text]) -> str:
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    matches = [_NUMBERED.match(line) for line in filled]
    numbers = [int(match[1]) for match in matches if match]
    steps = sum(b - a == 1 for a, b in pairwise(numbers))
    counted = steps >= _COUNTED * (len(numbers) - 1)
    if len(numbers) < max(_LEAST_NUMBERED, _NUMBERED_SHARE * len(filled)) or not counted:
        return text
    notes.append(NUMBERS)
    return "\n".join(m[2] if (m := _NUMBERED.match(line)) else line for line in lines)
