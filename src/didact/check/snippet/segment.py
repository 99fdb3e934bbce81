"""A text cut into statements, comments, and words that are neither."""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass, field
from typing import Literal

from didact._core.i18n import Text
from didact.check.snippet.prose import (
    is_chinese_sentence,
    is_english_sentence,
    is_field,
    is_idle,
    is_label,
    is_quotation,
    reads_as_sentence,
    sentence_words,
    title_words,
)
from didact.check.snippet.repair import EXEC, PRINT, Code, Reader, is_strong
from didact.check.snippet.tokens import Source

_CANDIDATE = re.compile(
    r"(?<![A-Za-z0-9_.])[A-Za-z_@\u0370-\u03ff]"
    r"|(?<=[A-Z])(?=def [A-Za-z_]\w*\(|class [A-Z]\w*[(:]|import \w|from \w[\w.]* import )"
    r"|(?<=[^\x00-\x7f])(?=\(\w)|(?<=;)\s*(?=\()|(?=[rR]?\"\"\")"
)
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
        self.reader = Reader(source)
        self.pieces: list[Piece] = []
        filled = sum(1 for line in source.raw.split("\n") if line.strip())
        self.lines_are_lost = filled <= _FEW_LINES
        self._joined_line = -1
        self._last_code: Piece | None = None
        self._next_strong = (0, 0, -1)

    def pieces_of_text(self) -> list[Piece]:
        """All pieces, in order."""
        position, text = 0, self.source.ascii
        while position < len(text):
            if text[position] in " \t\n;\\`":
                position += 1
            elif text[position] == "#":
                position = self._comment(position)
            else:
                position = self._code_or_words(position)
        self._idle_alone_is_code()
        return self.pieces

    def _code_or_words(self, start: int) -> int:
        if self._is_sentence_line(start):
            stop = self.source.line_end(start)
            self.pieces.append(Piece("words", self.source.raw[start:stop].strip(), start, stop))
            return stop
        one_line = self._is_glued(start)
        read = self.reader.read
        code = read(start, strict=False, one_line=one_line)
        if code is not None and self._goes_on_in_latin(code.end):
            shorter = read(start, strict=False, one_line=one_line, before_words=True)
            code = shorter if shorter is not None and is_strong(shorter) else code
        if code is not None and self._is_code_here(code):
            self._add(code)
            return code.end
        stop = self.source.line_end(start)
        if code is not None and is_idle(code.node):
            stop = min(stop, max(code.end, start + 1))
        end = self._next_statement(start + 1, stop) if stop > start + 1 else stop
        piece = Piece("words", self.source.raw[start:end].strip(), start, end)
        if code is not None and is_idle(code.node) and code.end <= end:
            piece.node = code.node
        self.pieces.append(piece)
        return end

    def _is_sentence_line(self, start: int) -> bool:
        """Whether a whole line is a sentence; a paste of one line mixes both."""
        if self.lines_are_lost or not self._first_on_line(start):
            return False
        line = self.source.raw[start : self.source.line_end(start)]
        if len(line) > LONG_LINE:
            return False
        return is_chinese_sentence(line) or is_english_sentence(line)

    def _goes_on_in_latin(self, offset: int) -> bool:
        """Whether words follow that could be taken into the statement (``and why ...``)."""
        rest = self.source.raw[offset : self.source.line_end(offset)].lstrip(" \t")
        return rest[:1].isascii() and self._starts_with_words(offset)

    def _add(self, code: Code) -> None:
        piece = Piece("code", code.text, code.start, code.end, code.header, code.node, code.notes)
        before = self._last_code
        start = self._line_start(code.start)
        joined = before is not None and before.start >= start and not before.header
        if before and joined and ";" not in self.source.ascii[before.end : code.start]:
            self._joined_line = start
        self._last_code = piece
        self.pieces.append(piece)
        for comment in code.comments if self._is_glued(code.start) else ():
            self.pieces.append(Piece("comment", comment, code.end, code.end))

    def _is_code_here(self, code: Code) -> bool:
        """A statement outside a comment: strong and no sentence, or alone on its line."""
        stop = self.source.line_end(code.end)
        if self._is_sentence(code, stop):
            return False
        if is_strong(code):
            return not (self._among_words(code.start) and self._prose_follows(code, stop))
        if not isinstance(code.node, ast.Expr | ast.AnnAssign) or self._is_docstring(code):
            return True
        if is_quotation(code.node) and self._last_code is not None:
            return False
        rest = self.source.raw[code.end : stop].strip()
        alone = not rest or rest.startswith(("#", ";"))
        if is_idle(code.node) and not (is_field(code.node) and self._in_class()):
            return False
        return alone and self._first_on_line(code.start)

    def _is_sentence(self, code: Code, stop: int) -> bool:
        """Whether a statement is a sentence that Python could read as well.

        It is where it holds nothing but words, and other words follow on its line, or its words
        stand nowhere else in the text.
        """
        if is_label(code.node):
            return True
        names = sentence_words(code.node) if code.header or is_strong(code) else None
        if names is None:
            if (PRINT in code.notes or EXEC in code.notes) and self._starts_with_words(code.end):
                return True
            names = title_words(code.node)
            return bool(names) and self._are_unknown(names) and (
                self.source.raw[code.start : code.end].find(" (") > 0
                or self._starts_with_words(code.end)
            )  # fmt: skip
        if code.header:
            follows = self._starts_with_weak_words(code.end, stop)
            return follows and self._are_unknown(names)
        if reads_as_sentence(code.node, self.source.counts):
            return True
        words_follow = self._starts_with_words(code.end)
        return words_follow and self._are_unknown(names) and not self._only_writing(code.end, stop)

    def _only_writing(self, offset: int, stop: int) -> bool:
        """Whether what follows is Chinese, which is no part of an English sentence."""
        return not re.search(r"[A-Za-z]", self.source.ascii[offset:stop])

    def _are_unknown(self, names: set[str]) -> bool:
        """Whether each of these words stands in the text once only."""
        return all(self.source.counts[name] <= 1 for name in names)

    def _starts_with_weak_words(self, offset: int, stop: int) -> bool:
        """Whether a header is followed on its line by what is no statement at all."""
        text = self.source.raw[offset:stop].lstrip(" \t")
        if not text or text.startswith(("#", "＃")):
            return False
        code = self.reader.read(stop - len(text), strict=True, one_line=True)
        return code is None or not (
            is_strong(code) or isinstance(code.node, ast.Pass | ast.Break | ast.Continue)
        )

    def _in_class(self) -> bool:
        """Whether a field of a class could stand here."""
        return any(p.header and p.text.startswith("class") for p in reversed(self.pieces[-60:]))

    def _is_docstring(self, code: Code) -> bool:
        """Whether a string stands directly behind ``def ...:`` or ``class ...:``."""
        before = next((p for p in reversed(self.pieces) if p.kind != "comment"), None)
        opens = before is not None and before.header and before.text.startswith(("def", "class"))
        return opens and re.match(r"[rRuU]?[\"']", code.text) is not None

    def _idle_alone_is_code(self) -> None:
        """An expression of names is code after all where there is no other (``a / T``)."""
        if self._last_code is not None:
            return
        for piece in self.pieces:
            value = piece.node.value if isinstance(piece.node, ast.Expr) else None
            if isinstance(value, ast.BinOp | ast.Attribute) and not self._among_other(piece):
                piece.kind = "code"

    def _among_other(self, piece: Piece) -> bool:
        """Whether other words stand beside a piece."""
        return any(p.kind == "words" and p is not piece for p in self.pieces)

    def _among_words(self, offset: int) -> bool:
        """Whether words stand before this place on its line."""
        before = self.pieces[-1] if self.pieces else None
        if before is None or before.kind != "words":
            return False
        return "\n" not in self.source.raw[before.end : offset]

    def _line_start(self, offset: int) -> int:
        return self.source.raw.rfind("\n", 0, offset) + 1

    def _first_on_line(self, offset: int) -> bool:
        return not self.source.raw[self._line_start(offset) : offset].strip()

    def _starts_with_words(self, offset: int) -> bool:
        end = self.source.line_end(offset)
        at = offset
        while at < end and self.source.raw[at] in " \t`":
            at += 1
        if at == end or self.source.ascii[at] in "#;":
            return False
        return not self.reader.strong_at(at)

    def _is_glued(self, offset: int) -> bool:
        """Whether the line at ``offset`` is one of which the newlines were lost."""
        if self.lines_are_lost:
            return True
        start = self._line_start(offset)
        return start == self._joined_line or self.source.line_end(offset) - start > LONG_LINE

    def _comment(self, start: int) -> int:
        stop = self.source.line_end(start)
        end = stop
        if self._is_glued(start):
            begin = start
            while begin < stop and self.source.ascii[begin] in "# \t":
                begin += 1
            disabled = self.reader.read(begin, strict=True, one_line=True)
            if disabled is not None and is_strong(disabled) and disabled.end <= stop:
                begin = disabled.end
            end = self._next_statement(begin, stop, in_comment=True)
        text = self.source.raw[start:end].rstrip()
        self.pieces.append(Piece("comment", text.replace("＃", "#"), start, end))
        return end

    def _next_statement(self, start: int, stop: int, *, in_comment: bool = False) -> int:
        """The next place up to ``stop`` where code or a comment begins, or ``stop``."""
        hash_sign = self.source.ascii.find("#", start, stop)
        stop = hash_sign if hash_sign >= 0 else stop
        for match in _CANDIDATE.finditer(self.source.ascii, start, stop):
            for before_words in (False, True):
                code = self.reader.read(
                    match.start(), strict=True, one_line=True, before_words=before_words
                )
                if code is None or self._is_sentence(code, stop):
                    continue
                if not is_strong(code) and not self._fills_a_header(code):
                    continue
                if in_comment and self._speaks_of_code(code):
                    continue
                if not self._prose_follows(code, stop, in_comment=in_comment):
                    return match.start()
        return stop

    def _fills_a_header(self, code: Code) -> bool:
        """Whether ``continue`` or a docstring is what the last header waits for."""
        if self._last_code is None or not self._last_code.header:
            return False
        if self._last_code.text.startswith(("def", "class")) and '"""' in code.text:
            return isinstance(code.node, ast.Expr)
        return isinstance(code.node, ast.Pass | ast.Break | ast.Continue)

    def _speaks_of_code(self, code: Code) -> bool:
        """Whether words of a Latin comment read as code: ``global model``, ``prob (softmax)``."""
        before = self.source.raw[max(code.start - 9, 0) : code.start].rstrip(" \t")[-1:]
        calls = any(isinstance(n, ast.Call) for n in ast.walk(code.node))
        if (before and before in ("([{" if calls else "+-*/=(,<>^|[{")) or re.match(
            r"\w+\.\s", code.text
        ):
            return True
        if isinstance(code.node, ast.Global | ast.Nonlocal | ast.Delete):
            return before.isascii() and before.isalnum()
        call = code.node.value if isinstance(code.node, ast.Expr) else None
        latin = before.isascii()
        if not (latin and title_words(code.node) and isinstance(call, ast.Call)):
            return False
        name = getattr(call.func, "id", "")
        if any(isinstance(argument, ast.BoolOp) for argument in call.args):
            return True
        called = len(re.findall(rf"(?<!\w){re.escape(name)}\(", self.source.ascii))
        return called <= 1 and not hasattr(builtins, name)

    def _prose_follows(self, code: Code, stop: int, *, in_comment: bool = False) -> bool:
        """Whether what comes next on the line shows that ``code`` was part of a sentence."""
        if code.end >= stop or not self._starts_with_words(code.end):
            return False
        if code.text.startswith(("def ", "class ")) and "(" in code.text:
            return False
        last = self._next_after(code.end, stop) is None
        before = self.source.raw[code.start - 1 : code.start]
        parted = before in {" ", "\t", "\n", "`", ""} or not (in_comment or before.isalnum())
        if not before.isascii():
            parted = not in_comment or isinstance(code.node, ast.Return)
        weighty = isinstance(code.node, ast.Return) or any(
            isinstance(n, ast.Call) for n in ast.walk(code.node)
        )
        return not (last and parted and weighty)

    def _next_after(self, start: int, stop: int) -> int | None:
        """Where the next strong statement begins; remembered, since many ask in a row."""
        asked, until, known = self._next_strong
        if until == stop and asked <= start and (known == -1 or start <= known):
            return known if known >= 0 else None
        found = -1
        for match in _CANDIDATE.finditer(self.source.ascii, start, stop):
            if self.reader.strong_at(match.start()):
                found = match.start()
                break
        self._next_strong = (start, stop, found)
        return found if found >= 0 else None
