"""Fixes as edits of the text: which of them go together, and whether they help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from didact.check.files.document import Document
from didact.check.files.opening import open_document
from didact.check.files.source import UnreadableError, parse
from didact.check.findings.finding import Edit, Finding, Fix, Safety
from didact.check.running.analysis import CheckContext, findings_in

ROUNDS = 10
"""How often a document is fixed again because its fixes overlapped or uncovered others."""

SAFE: frozenset[Safety] = frozenset({"safe"})
SAFE_AND_UNSAFE: frozenset[Safety] = frozenset({"safe", "unsafe"})


@dataclass(frozen=True, slots=True)
class Fixed:
    """A document after its fixes: what is still found in it, and how many findings went."""

    document: Document
    findings: list[Finding]
    count: int


def fix_document(
    document: Document, path: str, context: CheckContext, *, allowed: frozenset[Safety]
) -> Fixed:
    """Make the allowed fixes until nothing changes.

    A set of edits is kept only if the result parses, has fewer findings and none of another kind;
    where a set is not, its fixes are tried one by one.
    """
    findings = findings_in(document, path, context)
    before = len(findings)
    for _ in range(ROUNDS):
        fixes = compatible(applicable(findings, allowed))
        better = _try(document, path, context, findings, fixes) if fixes else None
        if better is None and len(fixes) > 1:
            better = _one_by_one(document, path, context, findings, fixes)
        if better is None:
            break
        document = better[0]
        findings = findings_in(document, path, context)
    return Fixed(document, findings, before - len(findings))


def _one_by_one(
    document: Document,
    path: str,
    context: CheckContext,
    findings: list[Finding],
    fixes: Sequence[Fix],
) -> tuple[Document, list[Finding]] | None:
    """The document after those of the fixes that help, each beside the ones kept before it."""
    kept: list[Fix] = []
    better = None
    for fix in fixes:
        left = findings if better is None else better[1]
        tried = _try(document, path, context, left, [*kept, fix])
        if tried is not None:
            kept.append(fix)
            better = tried
    return better


def applicable(findings: Iterable[Finding], allowed: frozenset[Safety]) -> list[Fix]:
    """The fixes of the findings that may be made, in the order of the text."""
    fixes = [f.fix for f in findings if f.fix and f.fix.safety in allowed and f.fix.edits]
    return sorted(fixes, key=lambda fix: (min(e.span for e in fix.edits), str(fix.edits)))


def compatible(fixes: Sequence[Fix]) -> list[Fix]:
    """The fixes that can be made together; of two that touch the same text the first."""
    chosen: list[Fix] = []
    for fix in fixes:
        taken = [edit for other in chosen for edit in other.edits]
        if not any(_collide(edit, other) for edit in fix.edits for other in taken):
            chosen.append(fix)
    return chosen


def _collide(one: Edit, other: Edit) -> bool:
    (start, end), (other_start, other_end) = _ends(one), _ends(other)
    if start == end or other_start == other_end:  # an insertion may not even touch
        return start <= other_end and other_start <= end
    return start < other_end and other_start < end


def _ends(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    span = edit.span
    return (span.line, span.column), (span.end_line, span.end_column)


def _try(
    document: Document,
    path: str,
    context: CheckContext,
    findings: list[Finding],
    fixes: Sequence[Fix],
) -> tuple[Document, list[Finding]] | None:
    try:
        text = document.edited(edit for fix in fixes for edit in fix.edits)
        fixed = open_document(path, text)
        parse(fixed.code)
    except (ValueError, UnreadableError):
        return None
    left = findings_in(fixed, path, context.without_suggestions())
    after, before = _codes(left), _codes(findings)
    if len(left) >= len(findings) or after - before or fixed.unread > document.unread:
        return None
    return fixed, left


def _codes(findings: Iterable[Finding]) -> Counter[str]:
    return Counter(finding.code for finding in findings)
