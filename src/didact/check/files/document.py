"""A file of any kind as one piece of Python, with the way back to its own lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath
from typing import Protocol

from didact.check.files.source import apply_edits, lines_of, with_unix_newlines
from didact.check.findings.finding import Edit, Finding, Span

NOTEBOOK_SUFFIXES = frozenset({".ipynb"})
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})


class Document(Protocol):
    """What the checker needs to know of a file.

    Attributes:
        text: The file's text.
        code: The Python in it as one module, the lines ending in a bare newline.
        notes: What is to be said of parts that could not be read, in the lines of ``code``.
        unread: How many parts could not be read.
    """

    text: str
    code: str
    notes: tuple[Finding, ...]
    unread: int

    def locate(self, finding: Finding) -> tuple[int | None, Finding]:
        """The cell (from 1) if the file has cells, and the finding in the lines of the file."""
        ...

    def source_line(self, finding: Finding) -> str:
        """The line of the file on which the finding, in the lines of ``code``, begins."""
        ...

    def edited(self, edits: Iterable[Edit]) -> str:
        """The file's text with edits to ``code`` made."""
        ...


class PythonDocument:
    """A ``.py`` file: the text is the code."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.code = with_unix_newlines(text)
        self.notes: tuple[Finding, ...] = ()
        self.unread = 0
        self._lines: list[str] | None = None

    def locate(self, finding: Finding) -> tuple[int | None, Finding]:
        """The finding as it is."""
        return None, finding

    def source_line(self, finding: Finding) -> str:
        """The line as it is."""
        if self._lines is None:
            self._lines = lines_of(self.code)
        return line_at(self._lines, finding.span.line)

    def edited(self, edits: Iterable[Edit]) -> str:
        """The text with the edits made."""
        return apply_edits(self.text, edits)


def line_at(lines: list[str], number: int) -> str:
    """A line by its number from 1, or nothing where the parser points past the end."""
    return lines[number - 1] if 1 <= number <= len(lines) else ""


def moved(finding: Finding, *, lines: int) -> Finding:
    """The finding and its fix, some lines further on."""
    fix = finding.fix
    if fix is not None:
        fix = replace(fix, edits=tuple(moved_edit(edit, lines=lines) for edit in fix.edits))
    return replace(finding, span=_moved_span(finding.span, lines), fix=fix)


def moved_edit(edit: Edit, *, lines: int) -> Edit:
    """The edit, some lines further on."""
    return replace(edit, span=_moved_span(edit.span, lines))


def _moved_span(span: Span, lines: int) -> Span:
    return replace(span, line=span.line + lines, end_line=span.end_line + lines)


def is_python(path: str) -> bool:
    """Whether the bytes of the file may declare their own encoding."""
    return PurePath(path).suffix.lower() not in NOTEBOOK_SUFFIXES | MARKDOWN_SUFFIXES
