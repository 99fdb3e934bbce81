"""Lines of at most 80 columns, where a Chinese character takes two."""

from __future__ import annotations

import re
import unicodedata

COLUMNS = 80
_TOKEN = re.compile(r"\s+|[!-~\u00a1-\u2e7f]+|.", re.DOTALL)
_NOT_FIRST = set("，。、；：！？）》”’」』】,.;:!?)]}")
_NOT_LAST = set("（《“‘「『【([{")


def width(text: str) -> int:
    """The columns that a text takes in a terminal."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, indent: str, columns: int = COLUMNS) -> list[str]:
    """A text in indented lines; Chinese breaks anywhere but before closing punctuation."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _wrap_paragraph(paragraph, indent, columns)
    return lines


def _wrap_paragraph(text: str, indent: str, columns: int) -> list[str]:
    lines: list[str] = []
    line, used = "", width(indent)
    for token in _units(text):
        size = width(token)
        if line and used + size > columns and not token.isspace():
            lines.append((indent + line).rstrip())
            line, used = "", width(indent)
        if token.isspace() and not line:
            continue
        line, used = line + token, used + size
    if line.strip():
        lines.append((indent + line).rstrip())
    return lines


def _units(text: str) -> list[str]:
    """Pieces that must not be torn: words, and characters with the punctuation at their side."""
    units: list[str] = []
    for token in _TOKEN.findall(text):
        glue = units and not token.isspace() and not units[-1].isspace()
        if glue and (token[0] in _NOT_FIRST or units[-1][-1] in _NOT_LAST):
            units[-1] += token
        else:
            units.append(token)
    return units
