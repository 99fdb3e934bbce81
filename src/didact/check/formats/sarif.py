"""SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from didact import __version__
from didact._core.i18n import Language
from didact.check.findings.finding import Fix, Severity, Span
from didact.check.findings.meta import RuleInfo
from didact.check.findings.report import Diagnostic, Report, fingerprinted
from didact.check.formats import Style
from didact.check.rules import all_rules

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report, style: Style) -> str:
    """One run with the rules that were found and their pages."""
    rules = all_rules()
    codes = sorted({diagnostic.code for diagnostic in report.diagnostics})
    results = [
        _result(diagnostic, fingerprint, codes.index(diagnostic.code), style.language)
        for fingerprint, diagnostic in fingerprinted(report.diagnostics)
    ]
    driver = {
        "name": "didact",
        "version": __version__,
        "rules": [_rule(code, rules.get(code), style.language) for code in codes],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _rule(code: str, rule: RuleInfo | None, language: Language) -> dict[str, Any]:
    if rule is None:
        return {"id": code}
    page = rule.page(language)
    return {
        "id": code,
        "shortDescription": {"text": rule.summary.pick(language)},
        "fullDescription": {"text": rule.summary.pick(language)},
        "help": {"text": page, "markdown": page},
    }


def _result(
    diagnostic: Diagnostic, fingerprint: str, index: int, language: Language
) -> dict[str, Any]:
    finding = diagnostic.finding
    artifact = {"uri": quote(diagnostic.path.removeprefix("./"), safe="/", errors="replace")}
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": artifact, "region": _region(finding.span)}
    }
    if diagnostic.cell is not None:
        location["logicalLocations"] = [{"name": f"cell {diagnostic.cell}", "kind": "module"}]
        location["message"] = {"text": f"lines count within cell {diagnostic.cell}"}
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVEL[finding.severity],
        "message": {"text": finding.message.pick(language)},
        "locations": [location],
        "partialFingerprints": {"didact/v1": fingerprint},
    }
    if finding.fix is not None and finding.fix.edits and diagnostic.cell is None:
        result["fixes"] = [_fix(finding.fix, artifact, language)]
    return result


def _fix(fix: Fix, artifact: dict[str, str], language: Language) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        for edit in fix.edits
    ]
    return {
        "description": {"text": fix.message.pick(language)},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
    }


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column + 1,
        "endLine": span.end_line,
        "endColumn": span.end_column + 1,
    }
