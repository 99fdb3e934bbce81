"""The Python blocks of a Markdown file as one module, each line where it stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from didact.check.files.document import line_at
from didact.check.files.source import UnreadableError, apply_edits, lines_of, parse
from didact.check.findings.finding import Edit, Finding, Span

_OPENING = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^`]*)$")
_PYTHON = re.compile(
    r"^\{?\s*(?:code-block|code-cell|code)?\}?\s*\.?(?:python3?|py|ipython3?)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of Python: its first line's number and its lines without their indent."""

    first_line: int
    lines: list[str]
    indents: list[str]


class MarkdownDocument:
    """A ``.md`` file. A block that is no Python is passed over: documents quote fragments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.notes: tuple[Finding, ...] = ()
        self._lines = lines_of(text)
        self._indents = [""] * len(self._lines)
        code = [""] * len(self._lines)
        self.unread = 0
        for block in _blocks(self._lines):
            if not _parses(block):
                self.unread += 1
                continue
            start = block.first_line - 1
            code[start : start + len(block.lines)] = block.lines
            self._indents[start : start + len(block.lines)] = block.indents
        self.code = "\n".join(code)

    def locate(self, finding: Finding) -> tuple[int | None, Finding]:
        """The finding with the indent of the fence added to its columns."""
        fix = finding.fix
        if fix is not None:
            fix = replace(fix, edits=tuple(self._in_file(edit) for edit in fix.edits))
        return None, replace(finding, span=self._shifted(finding.span), fix=fix)

    def source_line(self, finding: Finding) -> str:
        """The line of the file."""
        return line_at(self._lines, finding.span.line)

    def edited(self, edits: Iterable[Edit]) -> str:
        """The file's text with the edits made, new lines indented as the fence is."""
        return apply_edits(self.text, map(self._in_file, edits))

    def _in_file(self, edit: Edit) -> Edit:
        indent = self._indent(edit.span.line)
        return Edit(self._shifted(edit.span), edit.text.replace("\n", "\n" + indent))

    def _shifted(self, span: Span) -> Span:
        return replace(
            span,
            column=span.column + len(self._indent(span.line)),
            end_column=span.end_column + len(self._indent(span.end_line)),
        )

    def _indent(self, line: int) -> str:
        return line_at(self._indents, line)


def _parses(block: Block) -> bool:
    try:
        parse("\n".join(block.lines))
    except UnreadableError:
        return False
    return True


def _blocks(lines: list[str]) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        opening = _OPENING.match(lines[number])
        number += 1
        if opening is None:
            continue
        indent, fence, info = opening.groups()
        closing = re.compile(rf"^[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
        block = Block(number + 1, [], [])
        while number < len(lines) and not closing.match(lines[number]):
            line = lines[number]
            width = min(len(indent), len(line) - len(line.lstrip(" \t")))
            block.lines.append(line[width:])
            block.indents.append(line[:width])
            number += 1
        number += 1
        if _PYTHON.match(info):
            yield block
