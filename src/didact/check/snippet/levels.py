"""How deep each statement stands: read off the indentation, or guessed."""

from __future__ import annotations

import re
from itertools import pairwise

from didact._core.i18n import Text
from didact.check.snippet.clauses import Line
from didact.check.snippet.nest import Nester
from didact.check.snippet.repair import shorten
from didact.check.snippet.segment import Piece
from didact.check.snippet.tokens import Source

GUESSED = Text(
    "Nesting guessed: `{header}` is taken to hold the statements up to `{last}` ({count}).",
    "嵌套是猜测的：假定 `{header}` 的块里有 {count} 条语句，到 `{last}` 为止。",
)
SPACES = Text(
    "The newlines were lost, but the runs of spaces still show the indentation.",
    "换行丢失了，但连续空格仍保留了缩进，按此恢复。",
)
LOST = Text(
    "The newlines were lost; statements were split where a new one must begin.",
    "换行丢失了；在必然开始新语句的位置重新断行。",
)
MIXED = Text(
    "Line {line} of the paste held several statements or words among them; it was taken apart.",
    "粘贴内容第 {line} 行混着几条语句或文字，已拆开。",
)
FLAT = Text(
    "The indentation was lost; the nesting is guessed from keywords.",
    "缩进丢失了，嵌套关系根据关键字推断。",
)
UNEVEN = Text(
    "Unexpected indentation was levelled (line {line} of the paste).",
    "粘贴内容第 {line} 行有多余缩进，已拉平。",
)

MOST_NOTES = 10
"""Blocks whose guessed end is told; more than these nobody reads."""

_FEW = 4
"""A text with so many whole lines for each that is glued together has not lost its newlines."""

_LEAST_INDENT, _TRAILING_SPACES = 2, 3
"""The least indentation that anybody uses, and how many spaces may stand at the end of a line."""


def word_of(piece: Piece) -> str:
    """The word that says what kind of statement a piece is."""
    if piece.text.startswith("@"):
        return "@"
    match = re.match(r"\w*", piece.text)
    word = match[0] if match else ""
    return word if piece.header or word in {"return", "raise"} else ""


def levels(source: Source, pieces: list[Piece]) -> tuple[list[int], list[Text]]:
    """The depth of each code piece, and what was guessed."""
    columns = [_column(source, p) for p in pieces]
    glued = [
        i
        for i, (piece, column) in enumerate(zip(pieces, columns, strict=True))
        if column is None and not _continues_line(source, pieces, i)
    ]
    headers = any(p.header for p in pieces)
    mixed = sorted({source.line_of(pieces[i].start) for i in glued})
    whole = {source.line_of(p.start) for p in pieces} - set(mixed)
    flat = headers and all(c in (None, 0) for c in columns)
    if mixed and _FEW * len(mixed) <= len(whole) and not flat:
        depths, notes = _trusted(source, pieces, _behind_words(source, pieces, columns))
        return depths, [*(MIXED.format(line=line) for line in mixed), *notes]
    if glued:
        by_spaces = _from_spaces(source, pieces)
        if by_spaces is not None:
            return by_spaces, [LOST, SPACES]
        guessed, notes = _guess(pieces)
        return guessed, [LOST, *notes]
    if flat and _bodies_missing(pieces, columns):
        guessed, notes = _guess(pieces)
        return guessed, [FLAT, *notes]
    return _trusted(source, pieces, columns)


def _behind_words(
    source: Source, pieces: list[Piece], columns: list[int | None]
) -> list[int | None]:
    """The columns, with that of the words for the first code behind them on a line."""
    result, last = [], 0
    for piece, column in zip(pieces, columns, strict=True):
        line = source.line_of(piece.start)
        if column is None and line != last:
            start = source.raw.rfind("\n", 0, piece.start) + 1
            before = source.raw[start : piece.start]
            column = len(before.expandtabs(4)) - len(before.expandtabs(4).lstrip())
        last = line
        result.append(column)
    return result


def _column(source: Source, piece: Piece) -> int | None:
    """The indentation of a piece that starts its line, else None."""
    start = source.raw.rfind("\n", 0, piece.start) + 1
    before = source.raw[start : piece.start]
    return None if before.strip() else len(before.expandtabs(4))


def _continues_line(source: Source, pieces: list[Piece], index: int) -> bool:
    """Whether a piece follows ``;`` or stands on the line of its own header."""
    if index == 0:
        return True
    before = pieces[index - 1]
    gap = source.ascii[before.end : pieces[index].start]
    if ";" in gap:
        return True
    inline = before.header and not pieces[index].header
    rest = source.ascii[pieces[index].end : source.line_end(pieces[index].end)].strip()
    return inline and (not rest or rest.startswith(("#", ";")))


def _bodies_missing(pieces: list[Piece], columns: list[int | None]) -> bool:
    following = zip(pieces, columns[1:], strict=False)
    return any(piece.header and column is not None for piece, column in following)


def _from_spaces(source: Source, pieces: list[Piece]) -> list[int] | None:
    """The depths that runs of spaces show, or None where they show none.

    A space that stood at the end of a line makes a run longer, never shorter; so a run stands for
    the deepest open block that it reaches, and a body whose first run was too long is corrected
    by the next.
    """
    gaps = []
    for before, piece in pairwise(pieces):
        between = source.raw[before.end : piece.start]
        gaps.append(len(between[len(between.rstrip(" \t")) :].expandtabs(4)))
    joined = min(gaps, default=0) > 0
    columns, result = [0], [0]
    for before, gap in zip(pieces, gaps, strict=False):
        column = gap - joined
        if before.header:
            if column < columns[-1] + _LEAST_INDENT:
                return None
            columns.append(column)
        elif column > columns[-1] + _TRAILING_SPACES:
            return None
        else:
            while len(columns) > 1 and column < columns[-2] + _LEAST_INDENT:
                columns.pop()
            columns[-1] = min(columns[-1], column) if len(columns) > 1 else 0
        result.append(len(columns) - 1)
    return result if any(piece.header for piece in pieces[:-1]) else None


def _guess(pieces: list[Piece]) -> tuple[list[int], list[Text]]:
    lines = [Line(word_of(p), p.node, p.header) for p in pieces if p.node is not None]
    nester = Nester(lines)
    result = nester.levels()
    notes: list[Text] = []
    for index, piece in enumerate(pieces):
        if not piece.header or len(notes) == MOST_NOTES:
            continue
        body = index
        while body + 1 < len(pieces) and result[body + 1] > result[index]:
            body += 1
        if body > index and body + 1 < len(pieces):
            notes.append(
                GUESSED.format(
                    header=shorten(piece.text), count=body - index, last=shorten(pieces[body].text)
                )
            )
    return result, notes


def _trusted(
    source: Source, pieces: list[Piece], columns: list[int | None]
) -> tuple[list[int], list[Text]]:
    """Depths from the indentation; what cannot be right is levelled."""
    result: list[int] = []
    notes: list[Text] = []
    stack: list[tuple[int, int]] = []
    for index, (piece, column) in enumerate(zip(pieces, columns, strict=True)):
        before = pieces[index - 1] if index else None
        if column is None:
            opened = before is not None and before.header
            result.append((result[-1] if result else 0) + opened)
            continue
        while stack and column < stack[-1][0]:
            stack.pop()
        if not stack:
            stack.append((column, 0))
        elif column > stack[-1][0]:
            opened = before is not None and before.header
            deeper = stack[-1][1] + 1 if opened else stack[-1][1]
            if not opened:
                notes.append(UNEVEN.format(line=source.line_of(piece.start)))
            stack.append((column, deeper))
        result.append(stack[-1][1])
    return result, notes
