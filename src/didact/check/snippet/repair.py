"""From a cut statement to Python that parses, with small repairs that are told."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field

from didact._core.i18n import Text
from didact.check.snippet.grammar import HEADERS, is_lambda
from didact.check.snippet.statement import Cutter, Statement
from didact.check.snippet.tokens import Source

LAMBDA = Text(
    "`lambda` is a keyword of Python and cannot be the name of a parameter or variable "
    "(SyntaxError); it was renamed `lambda_` wherever it stands for a number.",
    "`lambda` 是 Python 关键字，不能作参数名或变量名（会报 SyntaxError）；"
    "凡是把它当数值用的地方都改名为 `lambda_`。",
)
PRINT = Text(
    "`print` without parentheses is Python 2; parentheses were added.",
    "不带括号的 `print` 是 Python 2 写法，已补上括号。",
)
COLON = Text("A missing colon was added after `{code}`.", "`{code}` 后面缺冒号，已补上。")
CLOSED = Text(
    "`{code}` is unfinished; the missing `{closers}` was added.",
    "`{code}` 没有写完，已补上缺少的 `{closers}`。",
)
ELLIPSIS = Text(
    "An ellipsis that stands for left-out parameters or arguments was removed from `{code}`.",
    "`{code}` 里用省略号代替的参数已去掉。",
)
PYTHON2 = Text(
    "Python 2 syntax was brought up to date: `{code}`.", "Python 2 语法已更新：`{code}`。"
)


@dataclass(slots=True)
class Code:
    """A statement that is known to parse."""

    text: str
    start: int
    end: int
    header: bool
    node: ast.stmt
    comments: list[str] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)


def read(
    source: Source, start: int, *, strict: bool, one_line: bool, before_words: bool = False
) -> Code | None:
    """The statement that begins at ``start``.

    ``strict`` allows no repair but that of ``lambda``; ``before_words`` ends the statement where
    an English sentence may go on (``f(x) and why is it negative``).
    """
    statement = Cutter(source, start, one_line=one_line, before_words=before_words).cut()
    if statement is None or (strict and (statement.missing_colon or statement.unclosed)):
        return None
    text, notes = _assemble(source, statement)
    node = parse_one(text, header=statement.header)
    if node is None and not strict:
        text, node = _fix(text, statement, notes)
    if node is None:
        return None
    if statement.missing_colon:
        notes.append(COLON.format(code=shorten(text.removesuffix(":"))))
    if statement.unclosed:
        notes.append(CLOSED.format(code=shorten(text), closers=statement.unclosed))
    return Code(text, start, statement.end, statement.header, node, list(statement.comments), notes)


def _assemble(source: Source, statement: Statement) -> tuple[str, list[Text]]:
    parts: list[str] = []
    notes: list[Text] = []
    position, before = statement.start, ""
    for token in statement.tokens:
        gap = source.raw[position : token.start]
        parts.append(gap if "\n" in gap else " " if gap else "")
        text = token.text
        if text == "lambda" and token.kind == "name" and not is_lambda(source, token, before):
            text = "lambda_"
            notes.append(LAMBDA)
        parts.append(text)
        position, before = token.end, token.text
    code = "".join(parts).strip() + statement.unclosed
    return code + (":" if statement.missing_colon else ""), notes[:1]


def _fix(text: str, statement: Statement, notes: list[Text]) -> tuple[str, ast.stmt | None]:
    """Try the repairs one after the other until the statement parses."""
    header = statement.header
    if match := re.match(r"print\s+(?!\()(.+)$", text, re.DOTALL):
        fixed = f"print({match[1].rstrip(',')})"
        if node := parse_one(fixed, header=False):
            notes.append(PRINT)
            return fixed, node
    fixed = re.sub(r",\s*\.\.\.\s*(?=[,)])|(?<=\()\s*\.\.\.\s*,\s*", "", text)
    fixed = re.sub(r"(?<=\()\s*\.\.\.\s*(?=\)\s*(?:->.*)?:$)", "", fixed)
    if fixed != text and (node := parse_one(fixed, header=header)):
        notes.append(ELLIPSIS.format(code=shorten(fixed)))
        return fixed, node
    fixed = re.sub(r"^except (\w[\w.]*), (\w+):", r"except \1 as \2:", text).replace("<>", "!=")
    if fixed != text and (node := parse_one(fixed, header=header)):
        notes.append(PYTHON2.format(code=shorten(fixed)))
        return fixed, node
    return text, None


_AROUND = {
    "elif": ("if 1: pass\n", 0),
    "else": ("if 1: pass\n", 0),
    "except": ("try: pass\n", 0),
    "finally": ("try: pass\n", 0),
}


def parse_one(text: str, *, header: bool) -> ast.stmt | None:
    """The one statement that the text is, or None."""
    first = re.match(r"\w*", text)
    word = first[0] if first else ""
    before = _AROUND.get(word, ("", 0))[0] if header else ""
    after = " pass" if header else ""
    if word == "try" and header:
        after += "\nfinally: pass"
    if text.startswith("@"):
        after += "\ndef decorated(): pass"
    tree = parse(before + text + after)
    if tree is None or len(tree.body) != 1:
        return None
    return tree.body[0]


def parse(text: str) -> ast.Module | None:
    """The syntax tree, or None for whatever reason Python has."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_strong(code: Code) -> bool:
    """Whether prose is unlikely to read as this statement by chance."""
    if code.header or code.text.startswith("@"):
        return True
    node = code.node
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    return not isinstance(node, ast.Pass | ast.Break | ast.Continue) or code.text in HEADERS


def shorten(text: str, width: int = 48) -> str:
    """One line of at most ``width`` characters, for a message."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
