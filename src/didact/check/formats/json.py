"""For programs; the form is described in ``docs/check.md``."""

from __future__ import annotations

import json
from typing import Any

from didact import __version__
from didact._core.i18n import Language
from didact.check.findings.finding import Fix, Severity, Span
from didact.check.findings.report import Diagnostic, Report, fingerprinted
from didact.check.formats import Style

SCHEMA = 1


def render(report: Report, style: Style) -> str:
    """The report as one JSON object; lines and columns count from 1."""
    document = {
        "schema": SCHEMA,
        "tool": "didact",
        "version": __version__,
        "findings": [
            {**_finding(diagnostic, style.language), "fingerprint": fingerprint}
            for fingerprint, diagnostic in fingerprinted(report.diagnostics)
        ],
        "summary": {
            "files": len(report.results),
            "findings": len(report.diagnostics),
            **{severity.value: report.count(severity) for severity in Severity},
            "fixed": report.fixed,
            "baselined": report.baselined,
        },
        "statistics": dict(report.statistics()),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _finding(diagnostic: Diagnostic, language: Language) -> dict[str, Any]:
    finding = diagnostic.finding
    return {
        "path": diagnostic.path,
        "cell": diagnostic.cell,
        **_span(finding.span),
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message.pick(language),
        "source": diagnostic.source,
        "fix": None if finding.fix is None else _fix(finding.fix, language),
    }


def _fix(fix: Fix, language: Language) -> dict[str, Any]:
    edits = [{**_span(edit.span), "text": edit.text} for edit in fix.edits]
    return {"safety": fix.safety, "message": fix.message.pick(language), "edits": edits}


def _span(span: Span) -> dict[str, int]:
    return {
        "line": span.line,
        "column": span.column + 1,
        "end_line": span.end_line,
        "end_column": span.end_column + 1,
    }
