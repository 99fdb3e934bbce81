"""The words around the findings, in both languages."""

from __future__ import annotations

import shlex

from didact._core.i18n import Language, Text
from didact.check.findings.finding import Fix, Severity
from didact.check.findings.meta import META
from didact.check.findings.report import Report

SEVERITY = {
    Severity.ERROR: Text("error", "错误"),
    Severity.WARNING: Text("warning", "警告"),
    Severity.INFO: Text("info", "提示"),
}
FIX = {
    "safe": Text("fix (--fix): {what}", "修正（--fix）：{what}"),
    "unsafe": Text("fix (--unsafe-fixes): {what}", "修正（--unsafe-fixes）：{what}"),
    "display": Text("fix by hand: {what}", "需手工修正：{what}"),
}
_EN_PLURAL = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.INFO: "info"}


def fix_hint(fix: Fix, language: Language) -> str:
    """What a fix does, and by which option."""
    return FIX[fix.safety].format(what=fix.message).pick(language)


def summary(report: Report, language: Language) -> str:
    """The last line: how much was found, how bad it is, what can be fixed."""
    parts = _found(report, language)
    if report.fixed:
        parts.append(Text(f"{report.fixed} fixed", f"已修正 {report.fixed} 处").pick(language))
    for option, safety in (("--fix", "safe"), ("--unsafe-fixes", "unsafe")):
        fixes = [d.finding.fix for d in report.diagnostics]
        count = sum(fix is not None and fix.safety == safety for fix in fixes)
        if count:
            fixable = Text(f"{count} fixable with {option}", f"{count} 处可用 {option} 修正")
            parts.append(fixable.pick(language))
    if report.baselined:
        known = Text(f"{report.baselined} in the baseline", f"基线中已有 {report.baselined} 处")
        parts.append(known.pick(language))
    return "；".join(parts) + "。" if language == "zh" else "; ".join(parts) + "."


def more(report: Report, language: Language) -> str:
    """Where to read on: once for a report, at its worst finding; nothing where none explains."""
    order = list(Severity)
    known = [d for d in report.diagnostics if d.code not in META and _can_be_explained(d.path)]
    if not known:
        return ""
    worst = min(known, key=lambda diagnostic: order.index(diagnostic.finding.severity))
    return _MORE.format(path=shlex.quote(worst.path), code=worst.code).pick(language)


def _can_be_explained(path: str) -> bool:
    return path.lower().endswith((".py", ".pyw"))


_MORE = Text(
    "didact explain {path} goes through the code line by line; didact explain {code} is the "
    "rule's page.",
    "didact explain {path} 逐行解释代码；didact explain {code} 显示规则说明。",
)


def _found(report: Report, language: Language) -> list[str]:
    files, found = len(report.results), len(report.diagnostics)
    if not found:
        checked = Text(
            f"Nothing found in {_n(files, 'file')}", f"检查了 {files} 个文件，没有发现问题"
        )
        return [checked.pick(language)]
    counts = [(severity, report.count(severity)) for severity in Severity if report.count(severity)]
    with_findings = sum(bool(result.diagnostics) for result in report.results)
    if language == "zh":
        detail = "、".join(f"{SEVERITY[s].zh} {n}" for s, n in counts)
        return [f"{files} 个文件中有 {with_findings} 个发现问题，共 {found} 处（{detail}）"]
    detail = ", ".join(f"{n} {s if n == 1 else _EN_PLURAL[s]}" for s, n in counts)
    return [f"Found {_n(found, 'problem')} ({detail}) in {with_findings} of {_n(files, 'file')}"]


def _n(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
