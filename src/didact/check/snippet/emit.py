"""Statements and comments written out again as a file that parses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from didact._core.i18n import Text
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
    notes: list[Text] = field(default_factory=list)
    last_word: dict[int, str] = field(default_factory=dict)
    last_end: int = 0

    def write(self, pieces: list[Piece], levels: list[int]) -> None:
        """Write all pieces; ``levels`` are those of the code pieces, in order."""
        code = [p for p in pieces if p.kind == "code"]
        depth = dict(zip(map(id, code), levels, strict=True))
        level, following_code = 0, iter([*code[1:], None])
        for piece in pieces:
            if piece.kind == "code":
                after = next(following_code)
                self._blank_lines(piece)
                following = depth[id(after)] if after is not None else -1
                level = depth[id(piece)]
                self._code(piece, level, after, following)
            elif piece.kind == "comment":
                self._blank_lines(piece)
                self._comment(piece, level)
            self.last_end = piece.end
        self._close_try(0, "")

    def _blank_lines(self, piece: Piece) -> None:
        gap = self.source.raw[self.last_end : piece.start]
        if self.lines and gap.count("\n") > 1 and self.lines[-1]:
            self._line("", piece)

    def _line(self, text: str, piece: Piece) -> None:
        self.lines.append(text)
        self.origin.append(self.source.line_of(piece.start))

    def _code(self, piece: Piece, level: int, after: Piece | None, following: int) -> None:
        word = word_of(piece)
        text = piece.text
        if word == "@" and (
            after is None or word_of(after) not in _DEFINITIONS or following != level
        ):
            self.notes.append(DECORATOR.format(code=shorten(text)))
            return
        self._close_try(level, word)
        if word in CLAUSES and self.last_word.get(level) not in CLAUSES[word]:
            self.notes.append(ORPHAN.format(code=shorten(text)))
            text = text.replace("elif", "if", 1) if word == "elif" else "if True:"
            word = "if"
        self.notes.extend(note for note in piece.notes if note not in self.notes)
        for number, line in enumerate(text.split("\n")):
            self._line(" " * 4 * level + line if number == 0 else line, piece)
            if number:
                self.origin[-1] += number
        self.last_word = {k: v for k, v in self.last_word.items() if k < level} | {level: word}
        if piece.header and following <= level:
            self.notes.append(BODY.format(code=shorten(text)))
            self._line(" " * 4 * (level + 1) + "pass", piece)

    def _close_try(self, level: int, word: str) -> None:
        for deeper in sorted((k for k in self.last_word if k >= level), reverse=True):
            closes = deeper == level and word in {"except", "finally"}
            if self.last_word[deeper] == "try" and not closes:
                self.lines.append(" " * 4 * deeper + "finally:")
                self.lines.append(" " * 4 * (deeper + 1) + "pass")
                self.origin += [self.origin[-1]] * 2
                self.notes.append(NO_HANDLER)
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
