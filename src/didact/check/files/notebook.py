"""A Jupyter notebook as one module: its code cells one after the other."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from didact._core.i18n import Text
from didact.check.files.document import line_at, moved, moved_edit
from didact.check.files.jsontext import Stretch, cell_sources
from didact.check.files.source import (
    UnreadableError,
    apply_edits,
    lines_of,
    parse,
    with_unix_newlines,
)
from didact.check.findings.finding import Edit, Finding

_CODE_CELL_MAGIC = re.compile(r"%%(time|timeit|capture|prun|memray_flamegraph)\b")
_MAGIC = re.compile(r"^(\s*)(?:%{1,2}[A-Za-z_]|!|\?{1,2}\w|[\w.]+\?{1,2}\s*$|\w+\s*=\s*[!%])")


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell: its number among all cells from 1, its text, and where the JSON keeps it."""

    number: int
    text: str
    stretch: Stretch
    first_line: int


class NotebookDocument:
    """An ``.ipynb`` file. A cell that is no Python becomes a note and is left blank."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.notes: tuple[Finding, ...] = ()
        self._cells: list[Cell] = []
        parts: list[str] = []
        line = 1
        for number, stretch in _code_cells(text):
            cell = Cell(number, stretch.value, stretch, line)
            code, note = _as_python(with_unix_newlines(cell.text))
            if note is not None:
                self.notes += (moved(note, lines=line - 1),)
            self._cells.append(cell)
            parts.append(code)
            line += code.count("\n") + 1
        self.code = "\n".join(parts)
        self.unread = len(self.notes)

    def locate(self, finding: Finding) -> tuple[int | None, Finding]:
        """The cell's number and the finding in the cell's lines."""
        if not self._cells:
            return None, finding
        cell = self._cell_at(finding.span.line)
        fix = finding.fix
        if fix is not None and any(self._cell_at(e.span.line) is not cell for e in fix.edits):
            finding = replace(finding, fix=replace(fix, edits=()))
        return cell.number, moved(finding, lines=1 - cell.first_line)

    def source_line(self, finding: Finding) -> str:
        """The line of the cell, magics included."""
        if not self._cells:
            return ""
        cell = self._cell_at(finding.span.line)
        return line_at(lines_of(cell.text), finding.span.line - cell.first_line + 1)

    def edited(self, edits: Iterable[Edit]) -> str:
        """The JSON text with nothing but the changed cells written anew."""
        by_cell: dict[int, list[Edit]] = {}
        for edit in edits:
            index = self._index_at(edit.span.line)
            if self._index_at(edit.span.end_line) != index:
                raise ValueError(f"{edit} reaches over the end of a cell")
            back = 1 - self._cells[index].first_line
            by_cell.setdefault(index, []).append(moved_edit(edit, lines=back))
        text = self.text
        for index in sorted(by_cell, reverse=True):
            cell = self._cells[index]
            text = cell.stretch.replaced(text, apply_edits(cell.text, by_cell[index]))
        return text

    def _index_at(self, line: int) -> int:
        return max(0, bisect_right([cell.first_line for cell in self._cells], line) - 1)

    def _cell_at(self, line: int) -> Cell:
        return self._cells[self._index_at(line)]


def _code_cells(text: str) -> list[tuple[int, Stretch]]:
    if not text.strip():
        return []
    try:
        notebook: Any = json.loads(text)
        if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", []), list):
            raise ValueError("no list of cells")
        if _language(notebook) != "python":
            return []
        sources = cell_sources(text)
        return [
            (index + 1, sources[index])
            for index, cell in enumerate(notebook.get("cells", []))
            if isinstance(cell, dict) and cell.get("cell_type") == "code" and index in sources
        ]
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            Text("is not a notebook: {e}", "不是合法的 notebook：{e}").format(e=error)
        ) from error


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language") if isinstance(kernel, dict) else None
    return str(language or "python").lower()


def _as_python(cell: str) -> tuple[str, Finding | None]:
    """The cell with what is not Python blanked, line for line, and a note if it all is."""
    try:
        parse(cell)
    except UnreadableError:
        pass
    else:
        return cell, None
    lines = cell.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and not _CODE_CELL_MAGIC.match(first):
        return "\n" * (len(lines) - 1), None
    code = "\n".join(_without_magics(lines))
    try:
        parse(code)
    except UnreadableError as error:
        return "\n" * (len(lines) - 1), error.finding()
    return code, None


def _without_magics(lines: list[str]) -> list[str]:
    code: list[str] = []
    continued = False
    for line in lines:
        match = _MAGIC.match(line)
        if continued or match:
            code.append(f"{match.group(1)}pass" if match and not continued else "")
            continued = line.rstrip().endswith("\\")
        else:
            code.append(line)
    return code
