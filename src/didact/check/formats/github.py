"""Annotations of a GitHub workflow run."""

from __future__ import annotations

from didact.check.findings.finding import Severity
from didact.check.findings.report import Diagnostic, Report
from didact.check.formats import Style

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, style: Style) -> str:
    """One workflow command for each finding; nothing if nothing was found."""
    return "".join(_command(diagnostic, style) + "\n" for diagnostic in report.diagnostics)


def _command(diagnostic: Diagnostic, style: Style) -> str:
    span = diagnostic.finding.span
    properties = {"title": f"didact {diagnostic.code}", "file": diagnostic.path}
    if diagnostic.cell is None:  # the lines of a cell are not lines of the file
        properties |= {"line": str(span.line), "endLine": str(span.end_line)}
        if span.line == span.end_line:
            columns = {"col": str(span.column + 1), "endColumn": str(span.end_column + 1)}
            properties |= columns
    message = diagnostic.finding.message.pick(style.language)
    listed = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    level = _LEVEL[diagnostic.finding.severity]
    return f"::{level} {listed}::{_escape(f'{diagnostic.where}: {diagnostic.code} {message}')}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
