"""A text cut into statements, comments, and words that are neither."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from didact._core.i18n import Text
from didact.check.snippet.repair import Code, is_strong, read
from didact.check.snippet.tokens import Source

_CANDIDATE = re.compile(r"(?<![A-Za-z0-9_.])[A-Za-z_@\u0370-\u03ff]")
LONG_LINE = 160
"""Nobody writes a longer line by hand; one that is has probably lost its newlines."""

_FEW_LINES = 2
"""A whole paste of so few lines is taken for one that lost its newlines."""


@dataclass(slots=True)
class Piece:
    """A stretch of the text and what it is."""

    kind: Literal["code", "comment", "words"]
    text: str
    start: int
    end: int
    header: bool = False
    node: ast.stmt | None = None
    notes: list[Text] = field(default_factory=list)


class Segmenter:
    """Cuts a whole text into pieces."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.pieces: list[Piece] = []
        filled = sum(1 for line in source.raw.split("\n") if line.strip())
        self.lines_are_lost = filled <= _FEW_LINES

    def pieces_of_text(self) -> list[Piece]:
        """All pieces, in order."""
        position, text = 0, self.source.ascii
        while position < len(text):
            if text[position] in " \t\n;\\":
                position += 1
            elif text[position] == "#":
                position = self._comment(position)
            else:
                position = self._code_or_words(position)
        return self.pieces

    def _code_or_words(self, start: int) -> int:
        one_line = self._is_glued(start)
        code = read(self.source, start, strict=False, one_line=one_line)
        if code is not None and self._starts_with_words(code.end):
            shorter = read(self.source, start, strict=False, one_line=one_line, before_words=True)
            code = shorter if shorter is not None and is_strong(shorter) else code
        if code is not None and self._is_code_here(code):
            self._add(code)
            return code.end
        stop = self.source.line_end(start)
        end = self._next_statement(start + 1, stop)
        self.pieces.append(Piece("words", self.source.raw[start:end].strip(), start, end))
        return end

    def _add(self, code: Code) -> None:
        self.pieces.append(
            Piece("code", code.text, code.start, code.end, code.header, code.node, code.notes)
        )
        for comment in code.comments if self._is_glued(code.start) else ():
            self.pieces.append(Piece("comment", comment, code.end, code.end))

    def _is_code_here(self, code: Code) -> bool:
        """A statement outside a comment: strong, or alone on its line."""
        stop = self.source.line_end(code.end)
        rest = self.source.raw[code.end : stop].strip()
        if is_strong(code):
            return not (self._among_words(code.start) and self._prose_follows(code, stop))
        if not isinstance(code.node, ast.Expr) or self._is_docstring(code):
            return True
        alone = not rest or rest.startswith(("#", ";"))
        return alone and self._first_on_line(code.start)

    def _is_docstring(self, code: Code) -> bool:
        """Whether a string stands directly behind ``def ...:`` or ``class ...:``."""
        before = next((p for p in reversed(self.pieces) if p.kind != "comment"), None)
        opens = before is not None and before.header and before.text.startswith(("def", "class"))
        return opens and re.match(r"[rRuU]?[\"']", code.text) is not None

    def _among_words(self, offset: int) -> bool:
        """Whether words stand before this place on its line."""
        before = self.pieces[-1] if self.pieces else None
        if before is None or before.kind != "words":
            return False
        return "\n" not in self.source.raw[before.end : offset]

    def _first_on_line(self, offset: int) -> bool:
        return not self.source.raw[self.source.raw.rfind("\n", 0, offset) + 1 : offset].strip()

    def _starts_with_words(self, offset: int) -> bool:
        text = self.source.raw[offset : self.source.line_end(offset)].lstrip(" \t")
        if not text or text.startswith(("#", ";")):
            return False
        at = self.source.line_end(offset) - len(text)
        code = read(self.source, at, strict=True, one_line=True)
        return code is None or not is_strong(code)

    def _is_glued(self, offset: int) -> bool:
        """Whether the line at ``offset`` is one of which the newlines were lost."""
        if self.lines_are_lost:
            return True
        start = self.source.raw.rfind("\n", 0, offset) + 1
        if self.source.line_end(offset) - start > LONG_LINE:
            return True
        here = [p for p in self.pieces if p.kind == "code" and p.start >= start]
        return sum(";" not in self.source.raw[a.end : b.start] and not a.header
                   for a, b in pairwise(here)) > 0  # fmt: skip

    def _comment(self, start: int) -> int:
        stop = self.source.line_end(start)
        end = stop
        if self._is_glued(start):
            begin = start + len(re.match(r"#+[ \t]*", self.source.ascii[start:])[0])  # type: ignore[index]
            disabled = read(self.source, begin, strict=True, one_line=True)
            if disabled is not None and is_strong(disabled) and disabled.end <= stop:
                begin = disabled.end
            end = self._next_statement(begin, stop)
        text = self.source.raw[start:end].rstrip()
        self.pieces.append(Piece("comment", text.replace("＃", "#"), start, end))
        return end

    def _next_statement(self, start: int, stop: int) -> int:
        """The next place up to ``stop`` where code or a comment begins, or ``stop``."""
        hash_sign = self.source.ascii.find("#", start, stop)
        stop = hash_sign if hash_sign >= 0 else stop
        for match in _CANDIDATE.finditer(self.source.ascii, start, stop):
            for before_words in (False, True):
                code = read(
                    self.source, match.start(),
                    strict=True, one_line=True, before_words=before_words,
                )  # fmt: skip
                if code and is_strong(code) and not self._prose_follows(code, stop):
                    return match.start()
        return stop

    def _prose_follows(self, code: Code, stop: int) -> bool:
        """Whether what comes next on the line shows that ``code`` was part of a sentence."""
        if code.end >= stop or not self._starts_with_words(code.end):
            return False
        last = self._next_after(code.end, stop) is None
        spaced = self.source.raw[code.start - 1 : code.start].isspace()
        weighty = isinstance(code.node, ast.Return) or any(
            isinstance(n, ast.Call) for n in ast.walk(code.node)
        )
        return not (last and spaced and weighty)

    def _next_after(self, start: int, stop: int) -> int | None:
        for match in _CANDIDATE.finditer(self.source.ascii, start, stop):
            code = read(self.source, match.start(), strict=True, one_line=True)
            if code is not None and is_strong(code):
                return match.start()
        return None
