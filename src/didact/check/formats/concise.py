"""One line for each finding: ``path:line:column: KD101 message``."""

from __future__ import annotations

from didact.check.findings.report import Report
from didact.check.formats import Style
from didact.check.formats.statistics import table
from didact.check.formats.words import summary


def render(report: Report, style: Style) -> str:
    """The report as lines that editors and ``grep`` understand."""
    last = summary(report, style.language) + "\n"
    if style.statistics:
        return table(report, style) + last
    lines = [
        f"{d.where}: {d.code} {' '.join(d.finding.message.pick(style.language).split())}\n"
        for d in report.diagnostics
    ]
    return "".join(lines) + last
