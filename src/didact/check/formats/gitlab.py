"""GitLab's code quality report."""

from __future__ import annotations

import json

from didact.check.findings.finding import Severity
from didact.check.findings.report import Report, fingerprinted
from didact.check.formats import Style

_SEVERITY = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(report: Report, style: Style) -> str:
    """A JSON list; the fingerprints stay when other lines move."""
    rows = [
        {
            "description": f"{d.code}: {d.finding.message.pick(style.language)}",
            "check_name": d.code,
            "fingerprint": fingerprint,
            "severity": _SEVERITY[d.finding.severity],
            "location": {
                "path": d.path.removeprefix("./"),
                "lines": {"begin": d.finding.span.line, "end": d.finding.span.end_line},
            },
        }
        for fingerprint, d in fingerprinted(report.diagnostics)
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
