"""How wide a text is on a terminal, where a Chinese letter takes two columns."""

from __future__ import annotations

import re

from rich.cells import cell_len

_NO_BREAK_BEFORE = frozenset("，。；：！？、）》」』】…,.;:!?)]}")
_WIDE = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_PIECE = re.compile(rf"[ \t]+|[{_WIDE}]|[^\s{_WIDE}]+")


def width_of(text: str) -> int:
    """The number of columns that the text takes."""
    return cell_len(text)


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` columns, broken at spaces or between Chinese letters.

    A single word that is wider than a line stays whole.
    """
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines += _wrap_paragraph(paragraph, width)
    return lines or [""]


def _wrap_paragraph(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        fits = width_of(line) + width_of(piece.rstrip()) <= width
        if fits or not line.strip() or piece[0] in _NO_BREAK_BEFORE:
            line += piece
        else:
            lines.append(line.rstrip())
            line = piece.lstrip()
    return [*lines, line.rstrip()]


def visible(text: str) -> str:
    """The text with its control characters replaced: a source line must not steer a terminal."""
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def window(line: str, column: int, end: int, width: int) -> tuple[str, int, int]:
    """The part of a line around ``column:end`` that fits, and where these lie on the screen.

    Returns:
        The part, the number of columns before the place, and the number of columns of the place.
    """
    line = visible(line).expandtabs(1)
    first, last = 0, len(line)
    limit = width - 2  # room for the two marks of the cut
    while width_of(line[first:last]) > limit and (first < column or last > column + 1):
        step = max(1, (width_of(line[first:last]) - limit) // 4)
        before, after = column - first, last - max(end, column + 1)
        if before > max(after, 0):
            first = min(first + step, column)
        else:
            last = max(last - step, column + 1)
    last = max(last, column)
    head, tail = ("…" if first > 0 else ""), ("…" if last < len(line) else "")
    shown = head + line[first:last] + tail
    offset = width_of(head + line[first:column])
    return shown, offset, max(1, width_of(line[column : min(end, last)]))
