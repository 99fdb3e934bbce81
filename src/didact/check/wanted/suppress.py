"""From what was found to what is reported: comments have a say."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable

from didact.check.findings.finding import Finding, Span
from didact.check.wanted.comments import Statements, comments_in
from didact.check.wanted.noqa import Noqa, noqas_in, unused_finding
from didact.check.wanted.pragmas import allowed_by_pragmas, unknown_pragmas

_MENTIONS_KD = re.compile(r"noqa[^\n]*KD[0-9]|#[^\n]*\bkd:", re.IGNORECASE)


def unsuppressed(
    findings: Iterable[Finding],
    code: str,
    tree: ast.Module,
    *,
    wants: Callable[[str], bool] = lambda _: True,
    known: Callable[[str], bool] = lambda _: True,
) -> list[Finding]:
    """The findings that no comment silences, and one for each comment that silences nothing.

    Args:
        findings: What was found, wanted or not.
        code: The text.
        tree: Its syntax tree.
        wants: Whether findings with a code are reported.
        known: Whether a rule has a code that begins so.
    """
    wanted = [finding for finding in findings if wants(finding.code)]
    if not wanted and not _MENTIONS_KD.search(code):
        return []  # tokenizing is slow, and no comment can change or add anything
    comments = comments_in(code)
    if not comments:
        return wanted
    statements = Statements(tree)
    noqas = noqas_in(comments)
    allowed = allowed_by_pragmas(comments, statements)
    left = [
        finding
        for finding in wanted
        if not _allowed(finding, allowed) and not _silenced(finding, noqas, statements)
    ]
    lines = code.split("\n")
    meta = unknown_pragmas(comments)
    for noqa in noqas:
        unused = unused_finding(
            noqa,
            line_text=lines[noqa.comment.line - 1],
            is_last_line=noqa.comment.line == len(lines),
            wants=lambda named: known(named) and wants(named),
        )
        if unused is not None:
            meta.append(unused)
    return left + [finding for finding in meta if wants(finding.code)]


def _allowed(finding: Finding, allowed: dict[str, list[tuple[int, int]]]) -> bool:
    stretches = allowed.get(finding.code, ())
    return any(first <= finding.span.line <= last for first, last in stretches)


def _silenced(finding: Finding, noqas: list[Noqa], statements: Statements) -> bool:
    lines = _suppressing_lines(finding.span, statements)
    silenced = False
    for noqa in noqas:
        if noqa.for_file or noqa.comment.line in lines:
            silenced = noqa.silences(finding.code) or silenced
    return silenced


def _suppressing_lines(span: Span, statements: Statements) -> set[int]:
    """The finding's own lines, the first and last of its statement, or its whole head."""
    reach = statements.at(span.line)
    head = range(reach.first, reach.last + 1) if reach.last < reach.whole_last else ()
    return {span.line, span.end_line, reach.first, reach.last, *head}
