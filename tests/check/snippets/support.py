"""Pastes with what should be recovered from them, and changes that leave their meaning."""

from __future__ import annotations

import ast
import html
import io
import json
import re
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any

PASTES = Path(__file__).parent / "pastes"
EXPLAINED = PASTES.parents[1] / "explain" / "pastes"
"""Pastes of which the explanation is tested too."""


def expectations() -> list[dict[str, Any]]:
    """What stands in ``pastes/expected.json``: for each paste its code, language and form."""
    rows: list[dict[str, Any]] = json.loads((PASTES / "expected.json").read_text("utf-8"))
    return rows


def paste(file: str) -> str:
    """The text of a paste, line ends as they are."""
    folder = PASTES if (PASTES / file).exists() else EXPLAINED
    return (folder / file).read_bytes().decode("utf-8")


def shape(source: str) -> str:
    """The syntax tree as text; runs of spaces in strings count as one space."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = " ".join(node.value.split())
    return ast.dump(tree)


def numbered(form: str) -> Callable[[str], str]:
    """A change that writes the number of each line before it."""
    return lambda code: "\n".join(
        form.format(number, line) for number, line in enumerate(code.split("\n"), 1)
    )


def _per_line(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda code: "\n".join(change(line) for line in code.split("\n"))


def _prompts(code: str) -> str:
    lines = code.split("\n")
    later = re.compile(r"\s|[)\]}]|(?:else|elif|except|finally)\b|$")
    return "\n".join(
        ("... " if index and later.match(line) else ">>> ") + line
        for index, line in enumerate(lines)
    )


def _glued(code: str) -> str:
    """A Chinese comment behind each statement, and no newline."""
    ends = {
        token.end[0]
        for token in tokenize.generate_tokens(io.StringIO(code).readline)
        if token.type == tokenize.NEWLINE
    }
    lines = enumerate(code.split("\n"), 1)
    return "".join(line.strip() + ("#中文注释" if n in ends else " ") for n, line in lines)


def _escaped(code: str) -> str:
    return html.escape(code).replace("    ", "&nbsp;" * 4)


def without_comments(code: str) -> str:
    """The code without its comments and blank lines."""
    lines = code.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            lines[line - 1] = lines[line - 1][:column].rstrip()
    return "\n".join(line for line in lines if line.strip())


LOSSLESS: dict[str, Callable[[str], str]] = {
    "entities": _escaped,
    "line breaks of HTML": lambda code: "<br>".join(_escaped(code).split("\n")),
    "numbers": numbered("{} {}"),
    "numbers with dots": numbered("{}. {}"),
    "numbers with bars": numbered("{:3d} | {}"),
    "column of numbers": lambda code: "\n".join(
        [*map(str, range(1, code.count("\n") + 2)), code]
    ),
    "prompts": _prompts,
    "notebook prompts": lambda code: "In [12]: " + code.replace("\n", "\n    ...: "),
    "quote marks": _per_line(lambda line: "> " + line),
    "diff": lambda code: "diff --git a/x.py b/x.py\n@@ -0,0 +1,9 @@\n+" + code.replace("\n", "\n+"),
    "fence": lambda code: f"My loss:\n```python\n{code}\n```\nWhy is it negative?",
    "no-break spaces": lambda code: code.replace(" ", "\u00a0"),
    "buttons": lambda code: f"python\n运行\n复制代码\n{code}\n登录后复制",
    "Chinese question": lambda code: f"请问这段代码为什么不收敛？\n{code}\n求大佬解答，谢谢",
    "English question": lambda code: f"Hi all, why does it not converge?\n\n{code}\n\nThanks!",
    "windows": lambda code: "\ufeff" + code.replace("\n", "\r\n"),
    "notebook": lambda code: json.dumps(
        {"cells": [{"cell_type": "code", "source": code.splitlines(keepends=True)}]}
    ),
}  # fmt: skip
"""Changes after which everything can be had back."""

LOSSY: dict[str, Callable[[str], str]] = {
    "one line": lambda code: " ".join(line.strip() for line in code.split("\n")),
    "one line, question": lambda code: (
        "请解释：" + " ".join(line.strip() for line in code.split("\n")) + " 逐行解释"
    ),
    "one line, comments": _glued,
    "one line, spaces kept": lambda code: " ".join(code.split("\n")),
    "indentation lost": _per_line(str.strip),
}
"""Changes that take the nesting away, so that some of it must be guessed."""
