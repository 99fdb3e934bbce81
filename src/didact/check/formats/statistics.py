"""How often each code was found."""

from __future__ import annotations

from didact.check.findings.report import Report
from didact.check.formats import Style
from didact.check.rules import all_rules


def table(report: Report, style: Style) -> str:
    """One line for each code: how often, the code, what it is; the commonest first."""
    rules = all_rules()
    rows = report.statistics()
    widest = len(str(rows[0][1])) if rows else 1
    lines = []
    for code, count in rows:
        summary = rules[code].summary.pick(style.language) if code in rules else ""
        lines.append(f"{count:>{widest}}  {code}  {summary}".rstrip())
    return "".join(line + "\n" for line in lines)
