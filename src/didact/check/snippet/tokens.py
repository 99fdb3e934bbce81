"""A tokeniser that reads from any place in any text, and never gives up."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from didact.check.snippet.characters import to_ascii

Kind = Literal["name", "number", "string", "operator", "comment", "newline", "words"]

_NAME = r"[A-Za-z_\u00c0-\u024f\u0370-\u03ff][A-Za-z0-9_\u00c0-\u024f\u0370-\u03ff]*"
_PATTERN = re.compile(
    rf"""
    (?P<space>(?:[ \t]|\\[ \t]*\n|\\(?=[ \t]|$))+)
  | (?P<newline>\n)
  | (?P<comment>\#)
  | (?P<quote>(?:[rRbBuUfF]|[rR][bBfF]|[bBfFuU][rR])?(?:\"\"\"|'''|\"|'))
  | (?P<number>0[xXbBoO][\da-fA-F_]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?:[jJlL](?!\w))?)
  | (?P<name>{_NAME})
  | (?P<operator>\*\*=|//=|>>=|<<=|\.\.\.|->|:=|==|!=|<>|<=|>=|[-+*/%@&|^]=|\*\*|//|<<|>>
      |[-+*/%@&|^~<>()\[\]{{}},:.;=!])
  | (?P<words>.)
    """,
    re.VERBOSE,
)
WORK_PER_CHARACTER, LEAST_WORK = 8, 20_000
"""How many tokens are handed out for each character of a text, and for a short text at least.
Ordinary pastes take less than one; texts that open a bracket at every word would take as many as
they have characters."""

_CLOSING = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“"}


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of the text; ``text`` is what it reads as in Python."""

    kind: Kind
    text: str
    start: int
    end: int


class Source:
    """A text, its look-alike in ASCII punctuation, and its tokens from any offset on."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.ascii = to_ascii(raw)
        self.handed_out = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", raw))]

    @property
    def exhausted(self) -> bool:
        """Whether so many tokens were handed out that the text is too tangled to go on."""
        return self.handed_out > LEAST_WORK + WORK_PER_CHARACTER * len(self.raw)

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each identifier stands in the text."""
        return Counter(re.findall(_NAME, self.ascii))

    def tokens(self, start: int) -> Iterator[Token]:
        """The tokens from ``start`` to the end of the text, lazily."""
        position = start
        while position < len(self.ascii):
            match = _PATTERN.match(self.ascii, position)
            if match is None:  # a lone backslash before the end of the text
                position += 1
                continue
            kind = match.lastgroup or "words"
            end = match.end()
            self.handed_out += 1
            if kind == "quote":
                yield (token := self._string(match))
                end = token.end
            elif kind == "comment":
                end = self.line_end(position)
                yield Token("comment", self.ascii[position:end], position, end)
            elif kind != "space":
                text = match[0].rstrip("lL") if kind == "number" else match[0]
                yield Token(kind, text, position, end)  # type: ignore[arg-type]
            position = end

    def _string(self, match: re.Match[str]) -> Token:
        """The string that a quote opens; a lone apostrophe is a word."""
        quote = match["quote"].lstrip("rRbBuUfF")
        prefix = match["quote"][: -len(quote)]
        prefix = "r" if prefix.lower() == "ur" else prefix
        body = match.end()
        end = self._closing_quote(body) if len(quote) == 1 else self.ascii.find(quote, body)
        if end < 0:
            return Token("words", match[0], match.start(), match.end())
        text = prefix + quote + self.raw[body:end] + quote
        return Token("string", text, match.start(), end + len(quote))

    def _closing_quote(self, body: int) -> int:
        """Where a string ends that must end on its line, or -1; a backslash joins lines."""
        opened = self.raw[body - 1]
        closing = {opened, _CLOSING.get(opened, opened), self.ascii[body - 1]}
        if opened in "\"'":
            closing = {opened}
        position = body
        while position < len(self.raw) and self.raw[position] != "\n":
            if self.raw[position] == "\\":
                position += 2
                continue
            if self.raw[position] in closing:
                return position
            position += 1
        return -1

    def line_of(self, offset: int) -> int:
        """The line of the text, from 1, that an offset stands on."""
        return bisect_right(self._line_starts, offset)

    def line_end(self, offset: int) -> int:
        """The offset of the end of the line that ``offset`` stands on."""
        end = self.raw.find("\n", offset)
        return len(self.raw) if end < 0 else end
