"""Statements and comments written out again as a file that parses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from didact._core.i18n import Text
from didact.check.snippet.beside import are_behind
from didact.check.snippet.grammar import CLAUSES
from didact.check.snippet.levels import word_of
from didact.check.snippet.repair import shorten
from didact.check.snippet.segment import Piece
from didact.check.snippet.tokens import Source

BODY = Text(
    "`{code}` has no body (the code stops there); `pass` stands in for it.",
    "`{code}` 没有函数体/块（代码到此为止），用 `pass` 占位。",
)
ORPHAN = Text(
    "`{code}` belongs to nothing before it; its body is kept under `if True:`.",
    "`{code}` 前面没有对应的语句，其内容保留在 `if True:` 下。",
)
NO_HANDLER = Text(
    "`try` has no `except`; `finally: pass` was added.",
    "`try` 没有 `except`，补了 `finally: pass`。",
)
DECORATOR = Text(
    "The decorator `{code}` decorates nothing and was left out.",
    "装饰器 `{code}` 后面没有函数，已略去。",
)
_DEFINITIONS = {"def", "class", "async", "@"}


@dataclass(slots=True)
class Emitter:
    """Writes pieces line by line and remembers where each line came from."""

    source: Source
    lines: list[str] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    notes: dict[Text, None] = field(default_factory=dict)
    last_word: dict[int, str] = field(default_factory=dict)
    last_end: int = 0

    def write(self, pieces: list[Piece], levels: list[int]) -> None:
        """Write all pieces; ``levels`` are those of the code pieces, in order."""
        code = [p for p in pieces if p.kind == "code"]
        depth = dict(zip(map(id, code), levels, strict=True))
        decorates = self._decorators(code, depth)
        trailing = bool(pieces) and (pieces[-1].kind == "comment" or self._are_behind(pieces))
        level, after = 0, iter([*code, None])
        following = next(after)
        for piece in pieces:
            if piece.kind == "code":
                following = next(after)
                self._blank_lines(piece)
                level = depth[id(piece)]
                below = depth[id(following)] if following is not None else -1
                if word_of(piece) == "@" and id(piece) not in decorates:
                    self.notes.setdefault(DECORATOR.format(code=shorten(piece.text)))
                else:
                    self._code(piece, level, below)
            elif piece.kind == "comment":
                self._blank_lines(piece)
                if following is None or trailing or not self._stood_alone(piece, following):
                    self._comment(piece, level)
                else:
                    self._line(" " * 4 * depth[id(following)] + piece.text, piece)
            self.last_end = piece.end
        self._close_try(0, "")

    def _decorators(self, code: list[Piece], depth: dict[int, int]) -> set[int]:
        """The decorators that stand above a function or class."""
        result: set[int] = set()
        for piece, below in zip(reversed(code[:-1]), reversed(code), strict=False):
            word = word_of(below)
            decorated = word in _DEFINITIONS - {"@"} or id(below) in result
            if word_of(piece) == "@" and decorated and depth[id(piece)] == depth[id(below)]:
                result.add(id(piece))
        return result

    def _are_behind(self, pieces: list[Piece]) -> bool:
        """Whether the comments between statements whose newlines are lost belong to the left."""
        if any(
            one.kind == "comment" and self.source.raw[before.end : one.start].startswith("  ")
            for before, one in pairwise(pieces)
        ):
            return False  # a comment behind a statement has two spaces here
        triples = zip(pieces, pieces[1:], pieces[2:], strict=False)
        found = [
            (one.text, before.text, behind.text)
            for before, one, behind in triples
            if (before.kind, one.kind, behind.kind) == ("code", "comment", "code")
            and "\n" not in self.source.raw[before.end : behind.start]
        ]
        return bool(found) and are_behind(found)

    def _stood_alone(self, comment: Piece, following: Piece) -> bool:
        """Whether a comment stood on a line of its own before the newlines were lost.

        Who writes ``# so`` puts two spaces before a comment behind a statement; one space is
        what took a newline's place. Who writes ``#so`` does not care for spaces.
        """
        before = self.source.raw[self.last_end : comment.start]
        behind = self.source.raw[comment.end : following.start]
        return before == " " and comment.text.startswith("# ") and "\n" not in behind

    def _blank_lines(self, piece: Piece) -> None:
        gap = self.source.raw[self.last_end : piece.start]
        if self.lines and gap.count("\n") > 1 and self.lines[-1]:
            self._line("", piece)

    def _line(self, text: str, piece: Piece) -> None:
        self.lines.append(text)
        self.origin.append(self.source.line_of(piece.start))

    def _code(self, piece: Piece, level: int, below: int) -> None:
        word = word_of(piece)
        text = piece.text
        self._close_try(level, word)
        if word in CLAUSES and self.last_word.get(level) not in CLAUSES[word]:
            self.notes.setdefault(ORPHAN.format(code=shorten(text)))
            text = text.replace("elif", "if", 1) if word == "elif" else "if True:"
            word = "if"
        self.notes |= dict.fromkeys(piece.notes)
        for number, line in enumerate(text.split("\n")):
            self._line(" " * 4 * level + line if number == 0 else line, piece)
            if number:
                self.origin[-1] += number
        self.last_word = {k: v for k, v in self.last_word.items() if k < level} | {level: word}
        if piece.header and below <= level:
            self.notes.setdefault(BODY.format(code=shorten(text)))
            self._line(" " * 4 * (level + 1) + "pass", piece)

    def _close_try(self, level: int, word: str) -> None:
        for deeper in sorted((k for k in self.last_word if k >= level), reverse=True):
            closes = deeper == level and word in {"except", "finally"}
            if self.last_word[deeper] == "try" and not closes:
                self.lines.append(" " * 4 * deeper + "finally:")
                self.lines.append(" " * 4 * (deeper + 1) + "pass")
                self.origin += [self.origin[-1]] * 2
                self.notes.setdefault(NO_HANDLER)
                self.last_word[deeper] = "finally"

    def _comment(self, piece: Piece, level: int) -> None:
        between = self.source.raw[self.last_end : piece.start]
        text = re.sub(r"\s*\n\s*", " ", piece.text)
        if (
            self.lines
            and self.lines[-1].strip()
            and "\n" not in between
            and "#" not in self.lines[-1]
        ):
            self.lines[-1] += "  " + text
        else:
            self._line(" " * 4 * level + text, piece)
