"""The verdict of a whole paste, and the lines that say it first."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from didact._core.i18n import Text
from didact.check.engine.scale import may_hold_square
from didact.check.explain.formula.definitions import GENERIC
from didact.check.explain.formula.judge import (
    Judged,
    has_square_in_front,
    is_distilling_elsewhere,
    is_given,
    is_of_labels,
    last_alone,
)
from didact.check.explain.formula.kinds import INDICES
from didact.check.explain.formula.libraries import FRAMEWORKS
from didact.check.explain.formula.methods import is_simple, method_keys
from didact.check.explain.formula.ranks import dimensions
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Constant, Given, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.formula.written import Writer
from didact.check.explain.runnable import given_names
from didact.check.explain.words import summary as words
from didact.check.findings.finding import Finding, Severity

HYGIENE = frozenset(
    {
        "LOG-OF-SOFTMAX", "TEACHER-GRAD", "TEACHER-TRAIN-MODE", "BN-DRIFT", "CE-ON-LOGP",
        "ARGMAX-SOFT-TARGET", "NON-CONVEX", "AVG-LOGITS-vs-PROBS", "TEACHER-IN-OPTIMIZER",
        "DIM-MISSING", "T-ZERO", "NOTHING-SELECTED",
    }
)  # fmt: skip
"""Kinds of findings that leave the value of the loss as it is."""
TRAINING = frozenset(
    {
        "NO-ZERO-GRAD", "OPT-HAS-TEACHER", "STUDENT-CUT", "STUDENT-NO-GRAD", "TARGET-IN-GRAPH",
        "LAYER-IN-LOSS", "ZERO-GRAD-LATE", "ALIAS-TEACHER", "TEACHER-GRAD", "DETACH-NOOP",
        "EMA-REVERSED", "STUDENT-EVAL-MODE", "NOT-IN-OPTIMIZER", "SUM-OUTLIVES",
        "RESULT-DISCARDED", "GRAPH-REUSED", "PENALTY-CUT", "LIVE-PARAMETERS",
        "STEP-MISSING", "STUDENT-FROZEN", "OPTIMIZER-ANEW", "SUM-NOT-TRAINED",
        "CHANGED-IN-PLACE", "HOOK-CUT", "VALIDATED-IN-TRAINING", "STORED-GRAPH", "LEAF-WRITTEN",
        "HEAD-WIDENED", "HEAD-ANEW", "MICRO-BATCH-MEAN", "ACCUMULATED-SUM", "PARAMETER-REBOUND",
        "CLIPPED-WHILE-SCALED", "SCHEDULER-EACH-BATCH",
    }
)  # fmt: skip
"""Kinds of findings about how a loss is trained, not about its formula."""
BESIDE = frozenset(
    {
        "KD604", "KE101", "KE102", "KE103", "KE104", "KE125", "KE128", "KE150", "KE153", "KE155",
        "KE156", "KE157", "KE158", "KE160", "KE161", "KE162", "KE164", "KE241",
    }
)  # fmt: skip
"""Codes that say nothing of the formula."""
_BY_FACTOR = {
    "T": {"NO-T2", "T-POW1"}, "C": {"KL-MEAN", "CLASS-MEAN", "REDUCE-KWARG"},
    "S": {"BATCHMEAN-3D"}, "H·W": {"BATCHMEAN-3D"}, "N": {"MULTI-TEACHER-SUM"},
    "B": {"BATCH-SUM"},
}  # fmt: skip
SOFTENED = frozenset({"softmax", "log_softmax", "sigmoid", "kl_div"})
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
Kinds = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the losses are those that they are named after.

    Attributes:
        outcome: ``"equal"``, ``"departs"``, ``"unknown"``, or ``"none"`` where there is no loss.
        method: The named method, if it is one.
        method_key: Its short name.
        reasons: What makes it depart.
        shape: The tensors for which this holds.
        notes: What else must be known: terms that are given, alternatives.
    """

    outcome: str
    method: Text | None = None
    method_key: str = ""
    reasons: tuple[Text, ...] = ()
    shape: str = ""
    notes: tuple[Text, ...] = ()
    trained: bool = False
    """The formula is the definition's; what departs is how it is trained."""
    named: bool = False
    """The method is the one that its name says, and something else is computed."""
    by_findings: bool = False
    """Findings are among the reasons, not the numbers of the formula alone."""


@dataclass(slots=True)
class _Case:
    judged: Judged
    corrected: Judged | None
    findings: Sequence[Finding]
    kinds: Kinds
    blocking: list[Finding] = field(default_factory=list)


def verdict_of(
    judged: Judged, corrected: Judged | None, findings: Sequence[Finding], kinds: Kinds
) -> Verdict:
    """The verdict, from the numbers of the formulas and from the findings."""
    case = _Case(judged, corrected, findings, kinds)
    case.blocking = [f for f in findings if blocks(f, kinds) or _decides(case, f)]
    return replace(_verdict(case), by_findings=bool(case.blocking))


def _decides(case: _Case, finding: Finding) -> bool:
    """Whether a remark is what keeps a term from being the one that it is meant as."""
    if "SLICE-AFTER-SOFTMAX" not in case.kinds(finding.code) or case.corrected is None:
        return False
    unknown, left = (any(map(is_unknown, j.terms)) for j in (case.judged, case.corrected))
    return unknown and not left


def _verdict(case: _Case) -> Verdict:
    judged, corrected, kinds = case.judged, case.corrected, case.kinds
    if not judged.losses:
        mended = corrected is not None and any(t.status != "unknown" for t in corrected.terms)
        if not (mended and case.blocking):
            return Verdict("none")
    keys = _methods(case)
    method = _named(keys, branches=any(len(x.branches) > 1 for x in judged.losses))
    elsewhere = [t for t in judged.terms if is_distilling_elsewhere(t, judged.roles)]
    unknown = [t for t in judged.terms if is_unknown(t) or t in elsewhere]
    if set(keys) <= {"plain"}:  # nothing is said of a whole of which a part is not shown
        unknown += [t for t in judged.terms if is_given(t) and not is_of_labels(t, judged.roles)]
    known = [t for t in judged.terms if t.status != "unknown"]
    reasons = _reasons(case)
    shape = _shape(judged)
    notes = tuple(_notes(case, unknown, known))
    key = keys[0] if keys else ""
    if not known and unknown and corrected is not None:
        shape = _shape(corrected) or shape
    if unknown:
        solved = corrected is not None and not any(map(is_unknown, corrected.terms))
        solved = (
            solved
            and bool(case.blocking)
            and any(t.status != "unknown" for t in (corrected.terms if corrected else []))
        )
        if solved:
            return Verdict("departs", method, key, tuple(reasons), shape, notes)
        if reasons and (known or case.blocking):
            if not known or set(keys) <= {"plain", "mse"}:
                plain = set(keys) <= {"plain"}
                key, method = _meant(judged) or (("", None) if plain else (key, method))
            return Verdict(
                "departs", method, key, tuple(reasons), shape or _shape_of(judged), notes
            )
        return Verdict("unknown", method if known else None, key if known else "", tuple(reasons),
                       shape, notes)  # fmt: skip
    if not known and case.blocking and reasons:
        return Verdict("departs", method, key, tuple(reasons), shape or _shape_of(judged), notes)
    if not known:
        return Verdict("unknown", notes=notes)
    if reasons:
        whole = not any(last_alone(t) for t in judged.terms)
        trained = (
            whole
            and all(t.status == "equal" or is_given(t) for t in judged.terms)
            and all(set(kinds(f.code)) <= TRAINING and kinds(f.code) for f in case.blocking)
        )
        return Verdict("departs", method, key, tuple(reasons), shape, notes, trained=trained)
    if shape == dimensions(2) and _may_have_more(judged):
        notes = (*notes, words.OF_MORE_DIMENSIONS.format(shape=shape))
    return Verdict("equal", method, key, (), shape, notes)


def _may_have_more(judged: Judged) -> bool:
    """Whether a ``batchmean`` stands where no labels and no slice of classes speak for [B, C]."""
    if (
        judged.incremental
        or judged.ranks.certain
        or any(kind in INDICES for kind in judged.kinds.values())
    ):
        return False
    return any(
        isinstance(part, Call) and part.name == "kl_div" and _is_batchmean(part)
        for term in judged.terms for part in walk(term.body)
    )  # fmt: skip


def _is_batchmean(call: Call) -> bool:
    given = call.keyword("reduction")
    return isinstance(given, Constant) and given.value == "batchmean"


def _meant(judged: Judged) -> tuple[str, Text] | None:
    """What a loss with a mistake is meant as: both models' scores behind softmaxes."""
    for term in judged.terms:
        if not is_unknown(term):
            continue
        soft = [p for p in walk(term.body) if isinstance(p, Call) and p.name in SOFTENED]
        sides = {judged.roles[g].role for p in soft for g in leaves(p) if g in judged.roles}
        if {"student", "teacher"} <= sides:
            key = "lwf" if judged.incremental else "kd"
            return key, words.METHODS[key]
    return None


def _shape_of(judged: Judged) -> str:
    """The tensors for which nothing was recognised: as they were tried first."""
    return " / ".join(
        dimensions(r) for r in sorted({b.rank for x in judged.losses for b in x.branches})
    )


def _named(keys: Sequence[str], *, branches: bool) -> Text | None:
    """The name of the method, of several in one loss all of them."""
    telling = [k for k in keys if k not in {"plain", "mse"}] or list(keys)
    names = [words.METHODS[k] for k in telling[:3]]
    if not names:
        return None
    link = words.OR if branches else words.AND
    return Text(link.en.join(n.en for n in names), link.zh.join(n.zh for n in names))


def is_unknown(term: Term) -> bool:
    """Whether nothing can be said of a term, as of a difference of parts that are not plain."""
    if term.status == "unknown":
        return not is_given(term)
    if term.definition is None or term.definition.key not in GENERIC:
        return False
    return not is_simple(term) or term.law is None or not term.law.is_one


def blocks(finding: Finding, kinds: Kinds) -> bool:
    """Whether a finding says that the loss is another one than the one it is named after."""
    if finding.severity is Severity.INFO or finding.code in BESIDE:
        return False
    return not set(kinds(finding.code)) or not set(kinds(finding.code)) <= HYGIENE


def _methods(case: _Case) -> list[str]:
    if any("JSD-WRONG" in case.kinds(f.code) for f in case.findings):
        return ["jsd"]
    keys = method_keys(case.judged)
    right = method_keys(case.corrected) if case.corrected is not None else []
    if right and right != keys and (case.blocking or not keys):
        real = [k for k in right if k not in {"plain", "mse"}]
        swapped = any("SWAPPED" in case.kinds(f.code) for f in case.findings)
        if real and (swapped or not {*keys} - {"plain", "mse", "reverse_kl", "hint"}):
            return real
    if (
        keys
        and keys[0] == "reverse_kl"
        and any("SWAPPED" in case.kinds(f.code) for f in case.findings)
    ):
        return ["kd"]
    return keys or right


def _shape(judged: Judged) -> str:
    ranks = {
        t.rank for t in judged.terms
        if t.definition is not None and t.definition.key not in _ANY_SHAPE
    }  # fmt: skip
    return " / ".join(dimensions(r) for r in sorted(ranks))


_ANY_SHAPE = frozenset({"mse", "l1", "smooth_l1", "mse_sum"})
"""Losses that are the same for tensors of any shape."""


def _written(judged: Judged, term: Term) -> str:
    text = Writer(judged.tracer.labels).write(term.body).plain
    return f"`{text}`" if len(text) <= 70 else f"`{text[:69]}…`"


_ROOT = re.compile(r"(?:self\.)?[^\W\d]\w*")


def _from_elsewhere(judged: Judged, unknown: Sequence[Term]) -> list[str]:
    """What the terms that are taken as given are called, where the code does not define it."""
    outside = set(given_names(judged.tracer.tree))
    found: dict[str, None] = {}
    for term in judged.terms:
        if not is_given(term) or term in unknown:
            continue
        root = _ROOT.match(Writer({}).write(term.body).plain)
        name = root[0] if root is not None else ""
        if name in outside or name.startswith("self."):
            found[name] = None
    return list(found)


def _reasons(case: _Case) -> list[Text]:
    reasons: list[Text] = []
    covered: set[str] = set()
    several = len(case.judged.terms) > 1
    told = {kind for f in case.findings for kind in case.kinds(f.code)}
    for term in case.judged.terms if not {"JSD-WRONG", "OVER-CHANNELS"} & told else ():
        if term.wrong_sign is not None:
            shown = Writer(case.judged.tracer.labels).write(term.wrong_sign).plain
            reasons.append(words.SIGN.format(term=f"`{shown}`"))
            covered.add("SIGN-MISSING")
        trained = several or any(
            loss.entry.how == "backward" and term in loss.terms for loss in case.judged.losses
        )
        if term.cut and term.definition is not None and trained:
            reasons.append(words.CUT.format(term=_written(case.judged, term)))
            covered |= {"ITEM-IN-GRAPH", "GRAPH-CUT"}
        if term.dead and not term.cut and term.definition is not None:
            if "STUDENT-CUT" not in told:
                reasons.append(words.DEAD.format(term=_written(case.judged, term)))
            covered |= {"ITEM-IN-GRAPH", "GRAPH-CUT", "STUDENT-UNUSED"}
        if (source := last_alone(term)) is not None:
            reasons.append(words.LAST_ALONE.format(source=source))
            covered.add("SUM-OVERWRITTEN")
        generic = term.definition is not None and term.definition.key in GENERIC
        if term.law is None or term.law.is_one or generic or "JSD-WRONG" in told:
            continue
        for size, power in term.law.powers:
            if size == "T" and has_square_in_front(case.judged, term):
                continue
            if size == "T" and told & {"WEIGHT-TYPO", "JSD-WRONG"}:
                continue  # T stands in the factor in front, in a sum; a JSD has no T²
            covered |= _BY_FACTOR.get(size, set())
            reason = _factor(case.judged, term, size, power)
            if size == "T" and power == -2 and not several and not told & {"NO-T2"}:
                reason = words.T2_ALONE
            if size in {"S", "H·W"} and _is_equal_flat(case.judged, term):
                word = f"`{case.judged.ranks.word}`"
                condition = words.IF_DEEP.format(shape=dimensions(term.rank), word=word)
                reason = Text(reason.en + condition.en, reason.zh + condition.zh)
            reasons.append(reason)
        if "JSD-WRONG" not in told:
            reasons += _constant(case.judged, term, covered)
    by_code: dict[str, list[Finding]] = {}
    for finding in case.blocking:
        kinds = set(case.kinds(finding.code))
        if not kinds & covered:
            by_code.setdefault(finding.code, []).append(finding)
    for code, found in by_code.items():
        numbers = [str(n) for n in dict.fromkeys(f.span.line for f in found)]
        form = words.FINDING if len(numbers) == 1 else words.FINDINGS
        lines = Text(", ".join(numbers), "、".join(numbers))
        message = _first_clause(found[0].message)
        reasons.append(form.format(message=message, code=code, line=lines))
    return list(dict.fromkeys(reasons))


def left_over(corrected: Judged) -> tuple[Text, ...]:
    """How the formulas of corrected code still depart from their definitions, by their numbers."""
    reasons = _reasons(_Case(corrected, None, (), lambda _: ()))
    return tuple(reason for reason in reasons if reason != words.T2_ALONE)


def _constant(judged: Judged, term: Term, covered: set[str]) -> list[Text]:
    """A number that a term is multiplied by; of −1 the sign is named."""
    assert term.law is not None
    constant = term.law.constant
    reasons: list[Text] = []
    if term.definition is not None and term.definition.key == "mse_masked" and constant > 0:
        return reasons  # a weight; the paper itself has one half
    if constant < 0:
        covered.add("SIGN-MISSING")
        reasons.append(words.SIGN.format(term=_written(judged, term)))
    if abs(abs(constant) - 1) > 1e-6:
        shown = f"{abs(constant):.4g}"
        reasons.append(words.FACTOR.format(term=_written(judged, term), factor=shown))
    return reasons


def _is_equal_flat(judged: Judged, term: Term) -> bool:
    branches = [b for loss in judged.losses for b in loss.branches if term in b.terms]
    return any(b.equal_flat for b in branches) and bool(judged.ranks.word)


def _factor(judged: Judged, term: Term, size: str, power: float) -> Text:
    known = words.FACTORS.get(f"{size}{power:g}")
    if known is None:
        shown = f"{size}^{power:g}"
        return words.FACTOR.format(term=_written(judged, term), factor=shown)
    if size == "T" and isinstance(term.temperature, Constant):
        value = term.temperature.value
        number = round(1 / value**power, 6)
        literal = words.LITERAL.format(value=f"{value:g}", factor=f"1/{number:g}")
        return Text(known.en + literal.en, known.zh + literal.zh)
    return known


def _first_clause(message: Text) -> Text:
    def cut(text: str, ends: str) -> str:
        text = re.sub(r" ?[\[［](input|输入)[^\]］]*[\]］]", "", text)
        for number, character in enumerate(text):
            following = text[number + 1 : number + 2]
            if number > 40 and character in ends and (following in {" ", ""} or ends == "；。"):
                return text[:number]
        return text.rstrip(".。")

    return Text(cut(message.en, ";."), cut(message.zh, "；。"))


def _notes(case: _Case, unknown: list[Term], known: list[Term]) -> list[Text]:
    notes = [
        words.UNKNOWN_TERM.format(term=_written(case.judged, t))
        for t in (unknown if known and not case.blocking else [])
    ]
    given = _from_elsewhere(case.judged, unknown)
    notes += [words.ASSUMED.format(call=c, loss=k) for c, k in case.judged.tracer.assumed.items()]
    if given:
        form = words.GIVEN_TERM if len(given) == 1 else words.GIVEN_TERMS
        notes.append(form.format(term=", ".join(f"`{name}`" for name in given)))
    conditions = {c.removeprefix("not ") for loss in case.judged.losses for b in loss.branches
                  for c in b.conditions}  # fmt: skip
    if conditions:
        shown = ", ".join(f"`{c}`" for c in sorted(conditions))
        notes.append(words.ALTERNATIVES.format(conditions=shown))
    notes += _folded_squares(case.judged)
    if _is_without_square(case.judged):
        notes.append(words.WITHOUT_SQUARE)
    if not case.blocking and _may_be_tokens(case.judged):
        notes.append(words.TOKENS)
    if any(t.mean and t.status == "equal" for t in case.judged.terms):
        notes.append(words.PER_SAMPLE)
    return list(dict.fromkeys(notes))


def _folded_squares(judged: Judged) -> list[Text]:
    """Numbers in front of a term that T² may be in, without being written apart."""
    found: list[Text] = []
    for term in judged.terms:
        definition, temperature = term.definition, term.temperature
        if definition is None or definition.power != 2 or not isinstance(temperature, Constant):
            continue
        value = temperature.value
        numbers = [
            float(w.value) ** p for w, p in term.weights if isinstance(w, Constant) and w.value
        ]
        whole = math.prod(numbers)
        apart = any(
            math.isclose(math.prod(group), value**power)
            for power in (1, 2)
            for size in range(1, len(numbers) + 1)
            for group in combinations(numbers, size)
        )
        if not apart and may_hold_square(whole, value):
            found.append(
                words.FOLDED.format(number=f"{whole:g}", t=f"{value:g}",
                                    weight=f"{whole / value**2:.3g}", square=f"{value**2:g}")
            )  # fmt: skip
    return found


def _is_without_square(judged: Judged) -> bool:
    """Whether a soft term at a temperature stands beside others without T², as in LwF's paper."""
    return judged.incremental and any(
        t.definition is not None and t.definition.key in {"kd", "soft_ce"}
        and t.status == "equal"
        and isinstance(t.temperature, Given)
        and not any(g is t.temperature for w, _ in t.weights for g in walk(w))
        for loss in judged.losses if len(loss.terms) > 1 for t in loss.terms
    )  # fmt: skip


def _may_be_tokens(judged: Judged) -> bool:
    """Whether the same code, given the logits of a sequence, would sum over its positions.

    It may be so only where the classes are the last dimension, and nothing else speaks for [B, C].
    """
    branches = [b for loss in judged.losses for b in loss.branches]
    if judged.incremental or any(len(b.terms) > 1 for b in branches):
        return False
    if judged.ranks.certain or not all(t.rank == 2 and t.status == "equal" for t in judged.terms):
        return False
    calls = [p for t in judged.terms for p in walk(t.body) if isinstance(p, Call)]
    dims = [
        call.keyword("dim") or (call.args[1] if len(call.args) > 1 else None)
        for call in calls if call.name in {"softmax", "log_softmax"}
    ]  # fmt: skip
    reductions = [call.keyword("reduction") for call in calls if call.name == "kl_div"]
    summed = any(isinstance(r, Constant) and r.value == "batchmean" for r in reductions)
    last = all(isinstance(dim, Constant) and dim.value == -1 for dim in dims)
    return bool(dims) and last and summed


def by_importance(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, each once."""
    unique = {(f.code, f.span.line, f.message): f for f in findings}
    return sorted(unique.values(), key=lambda f: (_ORDER[f.severity], f.span, f.code))


def summary_of(
    verdict: Verdict, findings: Sequence[Finding], kinds: Kinds, framework: str | None,
    *, apart: bool = False, hint: Text | None = None, procedure: Text | None = None,
) -> list[Text]:  # fmt: skip
    """Three to six lines: what it is, how far it is right, what happens if it is run."""
    lines: list[Text] = []
    if framework is not None:
        lines.append(words.NOT_PYTORCH.format(framework=FRAMEWORKS[framework]))
    if verdict.outcome == "none":
        lines.append(words.NO_LOSS if procedure is None else procedure)
    elif verdict.outcome == "unknown" and verdict.method is not None:
        plain = verdict.method_key == "plain"
        part = words.PARTLY.format(method=_spaced(verdict.method))
        lines.append(words.PARTLY_PLAIN if plain else part)
    elif verdict.method is not None:
        meant = any("JSD-WRONG" in kinds(f.code) for f in findings)
        form = words.MEANT_AS if meant else words.IS_METHOD
        form = words.NAMED_AS if verdict.named else form
        lines.append(form.format(method=_spaced(verdict.method)))
    elif verdict.outcome != "unknown":
        lines.append(words.NO_METHOD)
    lines += _verdict_lines(verdict, findings, kinds)
    if hint is not None and verdict.outcome == "unknown" and verdict.method is None:
        lines.append(hint)
    serious = [f for f in findings if f.severity is not Severity.INFO]
    if serious or (findings and verdict.outcome not in {"equal", "none"}):
        lines.append(words.FOUND.format(counts=_counts(findings)))
    elif findings:
        lines.append(words.ONLY_REMARKS.format(remarks=_number(words.REMARKS, len(findings))))
    elif verdict.outcome == "equal":
        lines.append(words.NOTHING_FOUND)
    consequence = consequence_of(findings, kinds, apart=apart)
    if consequence is not None:
        lines.append(words.AS_IT_IS.format(consequence=consequence))
    return [*lines, *verdict.notes][:7]


def _spaced(name: Text) -> Text:
    """A name behind a Chinese character: with a space where it begins in Latin letters."""
    return Text(name.en, f" {name.zh}" if name.zh[:1].isascii() else name.zh)


def _verdict_lines(verdict: Verdict, findings: Sequence[Finding], kinds: Kinds) -> list[Text]:
    if verdict.outcome == "equal":
        rest = [f for f in findings if f.severity is not Severity.INFO and f.code not in BESIDE]
        del kinds
        if rest:
            count = _number(words.WARNINGS, len(rest))
            form = words.EQUAL_UP_TO if verdict.shape else words.EQUAL_ALWAYS_UP_TO
            return [form.format(shape=verdict.shape, count=count)]
        return [words.EQUAL.format(shape=verdict.shape) if verdict.shape else words.EQUAL_ALWAYS]
    if verdict.outcome == "departs" and verdict.reasons:
        form = words.DEPARTS if verdict.method is not None else words.MISTAKEN
        form = words.TRAINED_OTHERWISE if verdict.trained else form
        return [form.format(reasons=_joined(verdict.reasons))]
    if verdict.outcome in {"unknown", "departs"} and verdict.method is None:
        return [words.UNKNOWN]
    return []


def _joined(reasons: Sequence[Text]) -> Text:
    shown = list(reasons)[:3]
    return Text("; ".join(r.en for r in shown), "；".join(r.zh for r in shown))


def _number(forms: tuple[Text, Text], count: int) -> Text:
    return forms[0] if count == 1 else forms[1].format(n=count)


def _counts(findings: Sequence[Finding]) -> Text:
    """How many there are; the same said of several lines is one, as in the list."""
    findings = list({(f.code, f.message): f for f in findings}.values())
    counted = []
    forms = ((Severity.ERROR, words.ERRORS), (Severity.WARNING, words.WARNINGS),
             (Severity.INFO, words.REMARKS))  # fmt: skip
    for severity, texts in forms:
        count = sum(f.severity is severity for f in findings)
        if count:
            counted.append(_number(texts, count))
    return Text(", ".join(t.en for t in counted), "、".join(t.zh for t in counted))


_FATAL = frozenset({"KL-TARGET-LOG", "ARGS-REVERSED", "INF-MASK", "CONSTRUCTOR", "HEAD-MISMATCH"})
"""Kinds that a reader sees at the first step: NaN, or an error."""
_STOPS = frozenset({"KD604", "KE103", "KE104", "KE156"})
_SCALES = {"NO-T2": "T", "KERAS-NO-T2": "T", "KL-MEAN": "C", "CLASS-MEAN": "C"}
"""What a soft term is divided by."""


def consequence_of(
    findings: Sequence[Finding], kinds: Kinds, *, apart: bool = False
) -> Text | None:
    """What happens if the code is run, by the worst finding.

    ``apart`` where several losses go back one after the other.
    """
    told = {
        kind for f in findings if f.severity is not Severity.INFO for kind in kinds(f.code)
    }  # fmt: skip
    later = [f for f in findings if set(kinds(f.code)) and set(kinds(f.code)) <= HYGIENE]
    first = [f for f in findings if f not in later]
    ordered = [*by_importance(first), *by_importance(later)]
    ordered.sort(key=lambda f: not (f.code in _STOPS or _FATAL & set(kinds(f.code))))
    for finding in ordered:
        if finding.code == "KD604":
            return words.SYNTAX_ERROR
        if finding.code == "KE104":
            return words.NAME_ERROR
        if finding.code in {"KE103", "KE156"} and finding.severity is Severity.ERROR:
            return words.OLD_OR_WRONG_NAME.format(line=finding.span.line)
        for kind in kinds(finding.code):
            if kind == "TARGET-IN-GRAPH" and "same network" in finding.message.en:
                return words.OWN_TARGET
            if kind == "TARGET-IN-GRAPH" and apart:
                return words.SECOND_BACKWARD
            if kind in _SCALES and len({_SCALES[k] for k in told if k in _SCALES}) > 1:
                return words.BOTH_SCALES
            if kind == "STUDENT-CUT":
                told_here = (words.CUT_BESIDE, words.CUT_ALONE)
                return next((t for t in told_here if finding.message.en.endswith(t.en)),
                            words.CUT_UNKNOWN)  # fmt: skip
            if kind in words.CONSEQUENCES and finding.severity is not Severity.INFO:
                return words.CONSEQUENCES[kind]
    return None
