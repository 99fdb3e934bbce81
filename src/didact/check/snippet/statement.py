"""Where one Python statement ends, when newlines cannot be trusted.

Two tokens that each could stand alone (``a b``, ``) name``, ``label for``) never meet inside one
expression, so where they meet a new statement begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from didact.check.snippet.grammar import (
    CLOSE,
    CONJUNCTIONS,
    DECORATOR,
    HEADERS,
    INFIX,
    OPEN,
    STARTERS,
    TERNARY_REACH,
    ends_expression,
    is_async_name,
    is_lambda,
)
from didact.check.snippet.tokens import Source, Token

_ASSIGNED = re.compile(r"[A-Za-z_][\w.]{0,60}\s{0,4}[-+*/]?=(?!=)")
_BACKWARD = re.compile(r"\([^()]{1,80}\)\.backward\(")


@dataclass(slots=True)
class Statement:
    """One statement as it was cut out of the text; not yet proven to be Python."""

    tokens: list[Token] = field(default_factory=list)
    start: int = 0
    end: int = 0
    header: bool = False
    missing_colon: bool = False
    unclosed: str = ""
    comments: list[str] = field(default_factory=list)
    stopped_by: Token | None = None
    opener: Token | None = None

    @property
    def first(self) -> str:
        """The first word."""
        return self.tokens[0].text if self.tokens else ""


class Cutter:
    """Cuts one statement from a place in a source."""

    def __init__(
        self,
        source: Source,
        start: int,
        *,
        one_line: bool = False,
        before_words: bool = False,
        limit: int | None = None,
    ) -> None:
        self.source = source
        self.one_line = one_line
        self.before_words = before_words
        self.limit = len(source.raw) if limit is None else limit
        self.stack: list[str] = []
        self.openers: list[Token] = []
        self.ternaries = 0
        self.lambdas = 0
        self.imported = False
        self.result = Statement(start=start, end=start)
        self.previous: Token | None = None

    def cut(self) -> Statement | None:
        """The statement that begins here, or None where none does."""
        stream = self.source.tokens(self.result.start)
        while (token := next(stream, None)) is not None:
            if token.start >= self.limit:
                break
            if token.kind == "comment":
                if not self.stack:
                    break
                stream = self._skip_comment(token)
            elif self._ends_before(token):
                self.result.stopped_by = token
                break
            elif self._take(token):
                return self.result
        return self._finish()

    def _skip_comment(self, token: Token) -> Iterator[Token]:
        """Go on behind a comment inside brackets; where lines are lost, behind its words."""
        text = self.source.raw[token.start : token.end]
        self.result.comments.append(text)
        if self.one_line or token.end == len(self.source.raw):
            words = re.match(r"#\s*[^\x00-\x7f][^\s\x00-\x7f]*\s*", text)
            if words:
                self.result.comments[-1] = words[0].strip()
                return self.source.tokens(token.start + words.end())
        return self.source.tokens(token.end)

    def _ends_before(self, token: Token) -> bool:
        if token.kind == "newline":
            return self.previous is not None and not self.stack
        if token.kind == "words" or self._opens_a_remark(token):
            return True
        if not self.stack and token.text == ";":
            return True
        if self.before_words and token.text in CONJUNCTIONS and not self.stack:
            return self.result.first not in HEADERS
        if token.text and token.text in CLOSE:
            return not self.stack or self.stack[-1] != token.text
        return self.previous is not None and self._collides(self.previous, token)

    def _opens_a_remark(self, token: Token) -> bool:
        """Whether a bracket opens before Chinese words: ``mean()（转自某处）``."""
        follows = self.source.raw[token.end : token.end + 1]
        return (
            token.text == "(" and ends_expression(self.previous) and "\u4e00" <= follows <= "\u9fff"
        )

    def _collides(self, before: Token, token: Token) -> bool:
        if token.kind == "name" and self._starts(token) and not self._may_follow(token):
            return True
        if before.text in {"return", "raise"} and self._is_assigned(token):
            return True
        if token.text == "(" and self.one_line and self._is_backward(before, token):
            return True
        if not ends_expression(before) or (before.text == "else" and len(self.result.tokens) > 1):
            return False
        if token.kind == "name":
            return token.text not in INFIX or (token.text == "not" and not self._not_in(token))
        if token.kind == "string":
            return before.kind != "string"
        if token.text == "@" and not self.stack:
            return bool(DECORATOR.match(self.source.ascii, token.start))
        return token.kind == "number" or token.text == "{"

    def _is_assigned(self, token: Token) -> bool:
        """Whether an assignment to a name begins here, which no ``return`` can hold."""
        return token.kind == "name" and bool(_ASSIGNED.match(self.source.ascii, token.start))

    def _is_backward(self, before: Token, token: Token) -> bool:
        """Whether ``(a + b).backward()`` begins here, behind a whole call."""
        apart = before.text == ")" and not self.stack and before.end < token.start
        return apart and bool(_BACKWARD.match(self.source.ascii, token.start))

    def _starts(self, token: Token) -> bool:
        """Whether a word can start a statement; ``async`` alone was a name before Python 3.7."""
        if token.text == "async":
            return not is_async_name(self.source, token)
        return token.text in STARTERS

    def _not_in(self, token: Token) -> bool:
        return bool(re.match(r"not\s+in\b", self.source.ascii[token.start : token.start + 40]))

    def _may_follow(self, token: Token) -> bool:
        """Whether a word that can start a statement may go on with this one."""
        word, first = token.text, self.result.first
        if self.stack:
            return word in {"for", "if", "else", "async", "from"}
        if word == "if":
            return ends_expression(self.previous) and self._is_ternary(token)
        if word == "else":
            return self.ternaries > 0
        if word == "import":
            return first == "from" and not self.imported
        if word == "from":
            return first in {"raise", "yield"}
        return first == "async" and len(self.result.tokens) == 1

    def _is_ternary(self, start: Token) -> bool:
        """Whether ``else`` comes before a colon."""
        depth = 0
        for token in self.source.tokens(start.end):
            if token.end - start.end > TERNARY_REACH or token.kind == "newline":
                return False
            if token.text in OPEN:
                depth += 1
            elif token.text and token.text in CLOSE:
                depth -= 1
            elif depth == 0 and token.text in {":", "=", ";"}:
                return False
            elif depth <= 0 and token.text == "else":
                return True
        return False

    def _take(self, token: Token) -> bool:
        """Add a token; True where it completes a header."""
        if token.kind == "newline":
            return False
        self.result.tokens.append(token)
        self.previous = token
        self.result.end = token.end
        word = token.text
        if token.kind == "operator":
            if word in OPEN:
                self.stack.append(OPEN[word])
                self.openers.append(token)
            elif word in CLOSE:
                self.stack.pop()
                self.openers.pop()
            elif word == ":" and not self.stack:
                return self._colon()
        elif token.kind == "name" and not self.stack:
            self.ternaries += (word == "if" and len(self.result.tokens) > 1) - (
                word == "else" and self.ternaries > 0
            )
            before = self.result.tokens[-2].text if len(self.result.tokens) > 1 else ""
            self.lambdas += word == "lambda" and is_lambda(self.source, token, before)
            self.imported = self.imported or (word == "import")
        return False

    def _colon(self) -> bool:
        if self.lambdas:
            self.lambdas -= 1
            return False
        self.result.header = self.result.first in HEADERS
        return self.result.header

    def _finish(self) -> Statement | None:
        if not self.result.tokens:
            return None
        self.result.unclosed = "".join(reversed(self.stack))
        self.result.opener = self.openers[0] if self.openers else None
        if self.result.first in HEADERS:
            self.result.header = self.result.missing_colon = True
        return self.result
