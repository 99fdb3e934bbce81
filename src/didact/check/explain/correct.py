"""The corrected code: every finding that can be mended is mended, one after the other."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass, field

from didact._core.i18n import Text
from didact.check.correct.proposals import proposals
from didact.check.correct.site import apply
from didact.check.engine.engine import Analysis, analyse
from didact.check.explain.checks import KINDS, formula_findings, unmasked
from didact.check.explain.formula.judge import judged_source
from didact.check.explain.own import misspelt, own_findings
from didact.check.explain.words.choices import CHOICES
from didact.check.findings.finding import Finding, Severity
from didact.check.rules import RULES, findings_of
from didact.check.snippet.repair import parse

ROUNDS = 25


@dataclass(slots=True)
class Correction:
    """Corrected code, with the codes that changed each of its lines."""

    source: str
    marks: list[set[str]] = field(default_factory=list)
    choices: list[Text] = field(default_factory=list)

    def step(self, source: str, code: str) -> None:
        """Take over a changed text and mark what changed."""
        old, new = self.source.split("\n"), source.split("\n")
        marks = self.marks or [set() for _ in old]
        result: list[set[str]] = []
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        for tag, begin, end, first, last in matcher.get_opcodes():
            if tag == "equal":
                result += marks[begin:end]
            else:
                before = set().union(*marks[begin:end], {code})
                result += [set(before) for _ in range(last - first)]
        self.source, self.marks = source, result


def kinds_of(code: str) -> tuple[str, ...]:
    """The kinds of mistakes that a code stands for."""
    return RULES[code].catalogue if code in RULES else KINDS.get(code, ())


def spelt(source: str, tree: ast.Module) -> tuple[str, list[Finding]]:
    """The source with misspelt names of PyTorch corrected, and what was found."""
    found = misspelt(tree)
    edits = [e for f in found if f.fix for e in f.fix.edits]
    result = apply(source, edits) if edits else source
    return (result, found) if result is not None and parse(result) is not None else (source, found)


def correct(
    source: str, *, start: Correction | None = None, words: str = "", rules: bool = True
) -> Correction:
    """Mend finding after finding; each change must parse and take its finding away.

    ``words`` is the text around the code, ``rules`` whether PyTorch's rules apply.
    """
    correction = start or Correction(source)
    if rules:
        _mend_by_rules(correction)
    _mend_formulas(correction, words)
    return correction


def _mend_formulas(correction: Correction, words: str) -> None:
    """Mend what the formulas show; each change must take its finding away."""
    for _ in range(6):
        found = beyond_rules(correction.source, words)
        for finding in found:
            edits = list(finding.fix.edits) if finding.fix is not None else []
            changed = apply(correction.source, edits) if edits else None
            if changed is None or parse(changed) is None:
                continue
            left = beyond_rules(changed, words)
            if (
                sum(f.code == finding.code for f in left)
                >= sum(f.code == finding.code for f in found)
                and finding.code != "KE111"
            ):
                continue
            correction.step(changed, finding.code)
            if finding.code == "KE111":
                return
            break
        else:
            return


def beyond_rules(source: str, words: str) -> list[Finding]:
    """What the formulas of a source show that the rules do not."""
    analysis = safe_analyse(source)
    if analysis is None:
        return []
    judged = judged_source(source, words)
    torch = applies(judged.tracer.frameworks)
    known = (
        frozenset(kind for f in findings_of(analysis) for kind in kinds_of(f.code))
        if torch
        else frozenset()
    )
    found = formula_findings(judged, known, words)
    return found if known & {"PAD-UNMASKED"} else [*found, *unmasked(judged)]


def applies(frameworks: set[str]) -> bool:
    """Whether PyTorch's rules apply."""
    return not frameworks or "torch" in frameworks


def _mend_by_rules(correction: Correction) -> None:
    given_up: set[tuple[str, str]] = set()
    for _ in range(ROUNDS):
        analysis = safe_analyse(correction.source)
        if analysis is None:
            break
        findings = sorted(
            [*findings_of(analysis), *own_findings(analysis.tree, renamed_lambda=False)],
            key=lambda f: (_ORDER[f.severity], f.span.line, f.code),
        )
        if not any(_mend(correction, analysis, f, given_up) for f in findings):
            break


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def safe_analyse(source: str, tree: ast.Module | None = None) -> Analysis | None:
    """The analysis, or None where the code is too deep for it."""
    tree = parse(source) if tree is None else tree
    if tree is None:
        return None
    try:
        return analyse(source, path="<paste>", tree=tree, thorough=True)
    except (RecursionError, MemoryError):
        return None


def _mend(
    correction: Correction, analysis: Analysis, finding: Finding, given_up: set[tuple[str, str]]
) -> bool:
    line = correction.source.split("\n")[finding.span.line - 1].strip()
    key = (finding.code, line)
    if key in given_up:
        return False
    given_up.add(key)
    kinds = kinds_of(finding.code)
    for edits in proposals(analysis, finding, kinds):
        changed = apply(correction.source, edits) if edits else None
        if (
            changed is None
            or changed == correction.source
            or not _helps(changed, analysis, finding)
        ):
            continue
        correction.step(changed, finding.code)
        for kind in kinds:
            choice = CHOICES.get(kind)
            if choice is not None and choice not in correction.choices:
                correction.choices.append(choice)
        return True
    return False


def _helps(changed: str, before: Analysis, finding: Finding) -> bool:
    after = safe_analyse(changed)
    if after is None:
        return False
    own = own_findings(after.tree, renamed_lambda=False)
    now = sum(f.code == finding.code for f in [*findings_of(after), *own])
    was = sum(
        f.code == finding.code
        for f in [*findings_of(before), *own_findings(before.tree, renamed_lambda=False)]
    )
    return now < was
