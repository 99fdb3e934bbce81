"""Suggested edits: a correction that was tried, and took its finding away without a new one."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count

from didact._core.i18n import Text
from didact.check.correct.imports import missing_imports, names_are_known
from didact.check.correct.proposals import proposals
from didact.check.correct.site import apply
from didact.check.engine.engine import Analysis
from didact.check.findings.finding import Edit, Finding, Fix, Span
from didact.check.rules import RULES

MOST_TRIED = 60
"""So many corrections are tried in one file: each takes an analysis of the file."""
MOST_ANALYSED = 2_000_000
"""So many characters are analysed for them in all: of a long file fewer corrections are tried."""
_LONGEST_SHOWN = 100

Again = Callable[[str, ast.Module], Sequence[Finding]]
"""The findings of a changed text, given its tree; columns are bytes, as in the tree."""


def with_suggestions(
    analysis: Analysis, findings: Sequence[Finding], again: Again
) -> list[Finding]:
    """The findings with a suggested edit where one helps: the rule's own, else a correction.

    A suggestion changes what the code computes, as the message of its finding says, so it is never
    a safe fix. What a rule suggests and does not help is shown only, and a safe fix of a rule that
    would delete a comment is safe no longer.
    """
    tries = count()
    most = min(MOST_TRIED, 1 + MOST_ANALYSED // (len(analysis.source) + 1))
    result = []
    for finding in findings:
        if finding.fix is not None and finding.fix.safety == "safe":
            result.append(_completed(analysis, finding))
            continue
        fix = None
        for proposed in _proposed(analysis, finding):
            if next(tries) >= most:
                break
            needed = missing_imports(analysis, proposed)
            narrow = [part for edit in proposed for part in _narrowed(edit, analysis.source)]
            edits = list(dict.fromkeys([*needed, *narrow]))
            own = finding.fix is not None and list(finding.fix.edits) == proposed
            if (own or names_are_known(analysis, proposed)) and _helps(
                analysis.source, edits, finding, findings, again
            ):
                fix = Fix(tuple(edits), "unsafe", _words(finding, proposed, analysis.source))
                break
        if fix is None and finding.fix is not None:
            fix = replace(finding.fix, safety="display")
        result.append(replace(finding, fix=fix))
    return result


def _proposed(analysis: Analysis, finding: Finding) -> list[list[Edit]]:
    kinds = RULES[finding.code].catalogue if finding.code in RULES else ()
    own = list(finding.fix.edits) if finding.fix is not None else []
    found: list[list[Edit]] = []
    for edits in (own, *proposals(analysis, finding, kinds)):
        if edits and edits not in found:
            found.append(edits)
    return found


def _narrowed(edit: Edit, source: str) -> list[Edit]:
    """The edit as insertions where it writes something around what stands there."""
    old, span = _text_at(source, edit.span), edit.span
    if not old or old not in edit.text:
        return [edit]
    before, _, after = edit.text.partition(old)
    start = Edit(Span(span.line, span.column, span.line, span.column), before)
    end = Edit(Span(span.end_line, span.end_column, span.end_line, span.end_column), after)
    return [part for part in (start, end) if part.text]


def _text_at(source: str, span: Span) -> str:
    lines = [line.encode() for line in source.split("\n")[span.line - 1 : span.end_line]]
    if not lines:
        return ""
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return b"\n".join(lines).decode()


def _completed(analysis: Analysis, finding: Finding) -> Finding:
    """The rule's own fix with the imports that it needs; unsafe if a comment would go."""
    fix = finding.fix
    assert fix is not None
    edits = (*missing_imports(analysis, fix.edits), *fix.edits)
    unsafe = fix.safety == "safe" and deletes_comment(analysis.source, fix.edits)
    return replace(
        finding, fix=replace(fix, edits=edits, safety="unsafe" if unsafe else fix.safety)
    )


def _helps(
    source: str, edits: list[Edit], finding: Finding, before: Sequence[Finding], again: Again
) -> bool:
    """Whether the changed text parses, has this finding no longer and no other instead."""
    changed = apply(source, edits)
    if changed is None or changed == source or deletes_comment(source, edits):
        return False
    try:
        tree = ast.parse(changed)
        after = Counter(f.code for f in again(changed, tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    was = Counter(f.code for f in before)
    return after[finding.code] < was[finding.code] and not after - was


def _words(finding: Finding, edits: Sequence[Edit], source: str) -> Text:
    """What the edits write; where the rule has words of its own, these."""
    if finding.fix is not None and list(finding.fix.edits) == list(edits):
        return finding.fix.message
    olds = [_text_at(source, edit.span) for edit in edits]
    appended = all(e.text.startswith(old) for e, old in zip(edits, olds, strict=True))
    texts = [e.text.removeprefix(old) for e, old in zip(edits, olds, strict=True)]
    texts = texts if appended else [edit.text for edit in edits]
    shown = ", ".join(f"`{' '.join(text.split()).strip(', ')}`" for text in texts)
    if len(shown) > _LONGEST_SHOWN:
        return Text("as --diff --unsafe-fixes shows", "见 --diff --unsafe-fixes")
    return (
        Text(f"add {shown}", f"加上 {shown}")
        if appended
        else (Text(f"write {shown}", f"改写为 {shown}"))
    )


def deletes_comment(source: str, edits: Iterable[Edit]) -> bool:
    """Whether edits, with columns in bytes, would take a comment out of a text."""
    touched = [edit for edit in edits if edit.span.line != edit.span.end_line]
    if not touched:
        return False  # a comment ends its line, so an edit within one line cannot reach it
    return any(_comments(_text_at(source, e.span)) - _comments(e.text) for e in touched)


def _comments(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found[token.string] += 1
    except (tokenize.TokenError, SyntaxError):  # a part of a statement; its comments come first
        pass
    return found
