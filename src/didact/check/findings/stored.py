"""Findings as plain lists that JSON can hold, and back."""

from __future__ import annotations

from typing import Any

from didact._core.i18n import Text
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span
from didact.check.findings.report import Diagnostic


def stored(diagnostic: Diagnostic) -> list[Any]:
    """A diagnostic without its path."""
    finding, fix = diagnostic.finding, diagnostic.finding.fix
    kept = None
    if fix is not None:
        edits = [[_numbers(edit.span), edit.text] for edit in fix.edits]
        kept = [edits, fix.safety, _texts(fix.message)]
    place = _numbers(finding.span)
    texts = _texts(finding.message)
    head = [diagnostic.cell, finding.code, str(finding.severity), place, texts]
    return [*head, diagnostic.source, kept]


def diagnostic_of(path: str, data: list[Any]) -> Diagnostic:
    """The diagnostic that was stored.

    Raises:
        TypeError, ValueError, KeyError: It is none.
    """
    cell, code, severity, place, texts, source, kept = data
    fix = None
    if kept is not None:
        edits, safety, message = kept
        made = tuple(Edit(Span(*span), text) for span, text in edits)
        fix = Fix(made, safety, Text(*message))
    finding = Finding(code, Severity(severity), Span(*place), Text(*texts), fix)
    return Diagnostic(path, cell, finding, source)


def _numbers(span: Span) -> list[int]:
    return [span.line, span.column, span.end_line, span.end_column]


def _texts(text: Text) -> list[str]:
    return [text.en, text.zh]
