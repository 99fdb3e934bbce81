"""Python 2: which lines of a paste were brought up to date, and how they were written."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from didact.check.snippet import Recovered
from didact.check.snippet.repair import EXEC, PRINT, PYTHON2, UNEQUAL, parse

_NOTES = {note.en.split("{")[0] for note in (EXEC, PRINT, PYTHON2, UNEQUAL)}
_CALL = re.compile(r"(?P<indent>\s*)(?P<name>print|exec)\((?P<inside>.*)\)$")
_ALIKE = 0.6


def as_pasted(recovered: Recovered, text: str) -> list[str]:
    """The lines of the recovered code, each line of Python 2 as the paste has it."""
    lines = recovered.source.split("\n")
    if not any(guess.en.startswith(tuple(_NOTES)) for guess in recovered.guesses):
        return lines
    origin = text.split("\n")
    uses = {number: recovered.line_map.count(number) for number in set(recovered.line_map)}
    for place, number in enumerate(recovered.line_map[: len(lines)]):
        if 0 < number <= len(origin):
            lines[place] = _before(lines[place], origin[number - 1], alone=uses[number] == 1)
    return lines


def _before(line: str, origin: str, *, alone: bool) -> str:
    found = _CALL.match(line)
    if found is not None:
        old = f"{found['name']} {found['inside']}"
        return found["indent"] + old if _bare(old) in _bare(origin) else line
    old = origin.strip()
    if not alone or not line.strip() or old == line.strip() or not old.isascii():
        return line
    header = " pass" if old.endswith(":") else ""
    before = "try: pass\n" if old.startswith("except") else ""
    if parse(before + old + header) is not None:
        return line
    like = difflib.SequenceMatcher(None, old, line.strip(), autojunk=False).ratio() > _ALIKE
    return line[: len(line) - len(line.lstrip())] + old if like else line


def _bare(text: str) -> str:
    return " ".join(text.split())


def first_difference(lines: Sequence[str], other: Sequence[str]) -> int | None:
    """The number of the first line that differs, from 1."""
    pairs = enumerate(zip(lines, other, strict=False), start=1)
    return next((number for number, (a, b) in pairs if a != b), None)
