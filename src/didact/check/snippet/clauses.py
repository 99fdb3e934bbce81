"""Clauses that belong to an earlier header: ``else``, ``except`` and the like."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

CLAUSES = {
    "elif": {"if", "elif"},
    "else": {"if", "elif", "for", "while", "except"},
    "except": {"try", "except"},
    "finally": {"try", "except", "else"},
}


@dataclass(slots=True)
class Line:
    """One statement as the guess sees it."""

    word: str
    node: ast.stmt
    header: bool


@dataclass(slots=True)
class Block:
    """An open block: its header's index, and what was seen of its body."""

    header: int
    word: str
    last: int | None = None
    partner: int | None = None
    body: int = 0
    left: bool = False
    names: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)


def partners(lines: list[Line]) -> dict[int, int]:
    """For each header that has an ``else`` or the like: the index of that clause."""
    open_headers: list[int] = []
    partner: dict[int, int] = {}
    for index, line in enumerate(lines):
        if line.word in {"def", "class", "async"}:
            open_headers.clear()
        if line.word in CLAUSES:
            for opener in reversed(open_headers):
                if lines[opener].word in CLAUSES[line.word]:
                    partner[opener] = index
                    del open_headers[open_headers.index(opener) :]
                    break
        if line.word in {"if", "elif", "for", "while", "try", "except", "else"}:
            open_headers.append(index)
    return partner
