"""Where a notebook's JSON keeps the source of each cell, so that it can be rewritten in place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Stretch:
    """The value of one ``"source"`` key: a string, or a list of one string for each line."""

    start: int
    end: int
    raw: str
    value: str

    def replaced(self, text: str, source: str) -> str:
        """The JSON text with this source, written as the old one was."""
        ascii_only = self.raw.isascii() and not source.isascii() and "\\u" in self.raw
        if self.raw.startswith("["):
            lines = source.splitlines(keepends=True) if source else []
            items = [json.dumps(line, ensure_ascii=ascii_only) for line in _json_lines(lines)]
            new = self._list(items)
        else:
            new = json.dumps(source, ensure_ascii=ascii_only)
        return text[: self.start] + new + text[self.end :]

    def _list(self, items: list[str]) -> str:
        opening = re.match(r"\[[ \t\r\n]*", self.raw)
        closing = re.search(r"[ \t\r\n]*\]$", self.raw)
        before = opening.group() if opening else "["
        after = closing.group() if closing else "]"
        between = before[1:] or (" " if '", "' in self.raw else "")
        return before + f",{between}".join(items) + after if items else "[]"


def _json_lines(lines: list[str]) -> list[str]:
    """Lines as notebooks cut them: at newlines alone, not at form feeds and the like."""
    joined: list[str] = []
    for line in lines:
        if joined and not joined[-1].endswith("\n"):
            joined[-1] += line
        else:
            joined.append(line)
    return joined


def cell_sources(text: str) -> dict[int, Stretch]:
    """The source of each cell by the cell's index.

    Raises:
        ValueError: The text is not JSON of that form.
    """
    sources: dict[int, Stretch] = {}
    for key, start, _ in _members(text, _skip(text, 0)):
        if key == "cells" and text[start] == "[":
            for index, cell_start in enumerate(_elements(text, start)):
                if text[cell_start] == "{":
                    for name, value_start, value_end in _members(text, cell_start):
                        if name == "source":
                            sources[index] = _stretch(text, value_start, value_end)
    return sources


def _stretch(text: str, start: int, end: int) -> Stretch:
    raw = text[start:end]
    value = json.loads(raw)
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str) for part in parts):
        raise ValueError("the source of a cell is neither a text nor a list of texts")
    return Stretch(start, end, raw, "".join(parts))


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of the value, for each member of the object at ``start``."""
    position = _skip(text, start + 1)
    while text[position] != "}":
        key, position = _DECODER.raw_decode(text, position)
        value_start = _skip(text, _skip(text, position) + 1)
        _, value_end = _DECODER.raw_decode(text, value_start)
        yield key, value_start, value_end
        position = _after_comma(text, value_end)


def _elements(text: str, start: int) -> Iterator[int]:
    """The start of each element of the array at ``start``."""
    position = _skip(text, start + 1)
    while text[position] != "]":
        yield position
        _, end = _DECODER.raw_decode(text, position)
        position = _after_comma(text, end)


def _after_comma(text: str, position: int) -> int:
    position = _skip(text, position)
    return _skip(text, position + 1) if text[position] == "," else position


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
