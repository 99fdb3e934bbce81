"""Which ``else``, ``elif``, ``except`` or ``finally`` belongs to which header."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from didact.check.snippet.grammar import CLAUSES

DEEPEST = 40
"""No deeper nesting is guessed; Python itself stops at 100 levels."""

LEAVES = ast.Return | ast.Raise | ast.Break | ast.Continue
_LOOPS = {"for", "while"}
_OPENERS = {"if", "elif", "try", "except", "else"} | _LOOPS


@dataclass(slots=True)
class Line:
    """One statement as the guess sees it."""

    word: str
    node: ast.stmt
    header: bool


def partners(lines: list[Line]) -> dict[int, int]:
    """For each header that has an ``else`` or the like: the index of that clause."""
    open_headers: list[int] = []
    last_break = -1
    partner: dict[int, int] = {}
    for index, line in enumerate(lines):
        if line.word in {"def", "class", "async"}:
            open_headers.clear()
        elif open_headers and line.word not in CLAUSES and _guards(lines, open_headers[-1], index):
            open_headers.pop()
        if isinstance(line.node, ast.Break):
            last_break = index
        if line.word in CLAUSES:
            opener = _opener(lines, open_headers, line, last_break)
            if opener is not None:
                partner[opener] = index
                del open_headers[open_headers.index(opener) :]
        if line.word in _OPENERS:
            open_headers.append(index)
            del open_headers[:-DEEPEST]
    return partner


def _opener(
    lines: list[Line], open_headers: list[int], clause: Line, last_break: int
) -> int | None:
    """The header that a clause goes on with.

    It is the nearest that can have such a clause, but a loop only where it holds a ``break`` or
    nothing else fits, since without one its ``else`` would always run; and of several ``if`` the
    nearest that asks for the same name as an ``elif`` does.
    """
    fitting = [opener for opener in open_headers if lines[opener].word in CLAUSES[clause.word]]
    likely = [o for o in fitting if lines[o].word not in _LOOPS or o < last_break]
    subject = _subject(clause.node)
    same = [o for o in likely if subject and _subject(lines[o].node) == subject]
    return next(iter(reversed(same or likely or fitting)), None)


def _subject(node: ast.stmt) -> list[str]:
    """The names that an ``if`` compares with a constant: ``kind`` of ``if kind == "soft":``."""
    test = node.test if isinstance(node, ast.If) else None
    if isinstance(test, ast.Compare) and isinstance(test.comparators[0], ast.Constant):
        nodes = list(ast.walk(test.left))
        return [n.id if isinstance(n, ast.Name) else getattr(n, "attr", "") for n in nodes]
    return []


def _guards(lines: list[Line], header: int, index: int) -> bool:
    """Whether an ``if`` holds but one statement, which leaves, before this one (``raise``)."""
    return index == header + 2 and isinstance(lines[header + 1].node, LEAVES)
