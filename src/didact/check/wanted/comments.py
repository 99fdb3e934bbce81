"""The comments that speak to the checker, and the statement that each belongs to."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

_RELEVANT = re.compile(r"#[^\n]*?(?:noqa|\bkd:)", re.IGNORECASE)
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: its text with the ``#``, where it begins, and whether code precedes it."""

    text: str
    line: int
    column: int
    alone: bool


def comments_in(code: str) -> list[Comment]:
    """The comments that may speak to the checker; a text inside a string is not a comment."""
    if not _RELEVANT.search(code):
        return []
    found: list[Comment] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT and _RELEVANT.match(token.string):
                alone = not token.line[: token.start[1]].strip()
                found.append(Comment(token.string, *token.start, alone))
    except (tokenize.TokenError, SyntaxError):
        pass  # what the parser accepts and the tokenizer does not has no comments to speak of
    return found


@dataclass(frozen=True, slots=True)
class Reach:
    """The lines of a statement: of its head, and of all of it with its body."""

    first: int
    last: int
    whole_last: int


class Statements:
    """Which statement a line belongs to."""

    def __init__(self, tree: ast.Module) -> None:
        self._by_line: dict[int, Reach] = {}
        for node in _statements(tree):
            reach = _reach(node)
            for line in range(reach.first, reach.last + 1):
                self._by_line[line] = reach  # an inner statement comes after the outer one
        self._lines = sorted(self._by_line)

    def at(self, line: int) -> Reach:
        """The statement whose head or text covers the line, else the line alone."""
        return self._by_line.get(line, Reach(line, line, line))

    def after(self, line: int) -> Reach:
        """The statement that covers the line or else the next one: where a lone comment points."""
        index = bisect_left(self._lines, line)
        return self.at(self._lines[index]) if index < len(self._lines) else self.at(line)


def _statements(tree: ast.Module) -> Iterator[ast.stmt | ast.excepthandler | ast.match_case]:
    """Every statement, in the order of the text."""
    stack: list[ast.AST] = [*reversed(tree.body)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            yield node
        for name in reversed(_BLOCKS):
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                stack.extend(reversed(inner))


def _reach(node: ast.stmt | ast.excepthandler | ast.match_case) -> Reach:
    body = getattr(node, "body", None)
    if isinstance(node, ast.match_case):
        first = last = node.pattern.lineno
        whole = node.body[-1].end_lineno or first
        return Reach(first, last, whole)
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)])
    whole = node.end_lineno or node.lineno
    if not isinstance(body, list) or not body:
        return Reach(first, whole, whole)
    inner_decorators = getattr(body[0], "decorator_list", [])
    body_starts = min([body[0].lineno, *(d.lineno for d in inner_decorators)])
    return Reach(first, max(node.lineno, body_starts - 1), whole)
