"""Columns: the syntax tree counts them in bytes of UTF-8, a :class:`Span` in characters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from didact.check.files.document import line_at
from didact.check.findings.finding import Edit, Finding, Span


def in_characters(findings: Iterable[Finding], code: str) -> list[Finding]:
    """The findings of the engine, whose columns are bytes, with columns in characters."""
    if code.isascii():
        return list(findings)
    lines = code.split("\n")

    def column(line: int, offset: int) -> int:
        text = line_at(lines, line)
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))

    def span(old: Span) -> Span:
        end = column(old.end_line, old.end_column)
        return Span(old.line, column(old.line, old.column), old.end_line, end)

    def finding(old: Finding) -> Finding:
        fix = old.fix
        if fix is not None:
            fix = replace(fix, edits=tuple(Edit(span(e.span), e.text) for e in fix.edits))
        return replace(old, span=span(old.span), fix=fix)

    return [finding(old) for old in findings]
