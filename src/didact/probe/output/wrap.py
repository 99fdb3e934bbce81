"""Lines of one width for a terminal, where a Chinese character is two columns wide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text as Rich

_CLOSING = "，。；：、！？）》”’"
_OPENING = "（《“‘"
_WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]"
)
_PIECE = re.compile(rf"\s+|[{_OPENING}]*{_WIDE.pattern}[{_CLOSING}]*|[^\s{_OPENING}]", re.DOTALL)


class Wrapped:
    """A text that breaks between words, and between Chinese characters.

    Args:
        text: The text.
        style: A style of rich.
        indent: Spaces before every line but the first.
    """

    def __init__(self, text: str, style: str = "", *, indent: int = 0) -> None:
        self.text, self.style, self.indent = text, style, indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines."""
        lines = wrap(self.text, options.max_width, self.indent)
        yield Rich("\n".join(lines), style=self.style, overflow="fold")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """As narrow as one may like, as wide as the longest line."""
        widest = max(map(cell_len, self.text.splitlines()), default=0)
        return Measurement(1, max(1, min(widest, options.max_width)))


def wrap(text: str, width: int, indent: int = 0) -> list[str]:
    """The lines of ``text``, none wider than ``width`` unless one word is."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for piece in _pieces(paragraph):
            if line.strip() and cell_len(line + piece.rstrip()) > width:
                lines.append(line.rstrip())
                line = " " * indent + piece.lstrip()
            else:
                line += piece
        lines.append(line.rstrip())
    return lines


def _pieces(text: str) -> Iterator[str]:
    """The parts between which a line may end: spaces, words, and Chinese characters."""
    word = ""
    for match in _PIECE.finditer(text):
        piece = match[0]
        if len(piece) == 1 and not piece.isspace() and not _WIDE.match(piece):
            word += piece
            continue
        if piece in _OPENING:
            if word:
                yield word
            word = piece
            continue
        if piece[0] in _CLOSING:
            word += piece
            continue
        if word:
            yield word
            word = ""
        yield piece
    if word:
        yield word
