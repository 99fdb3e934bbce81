"""The corrected code: every finding that can be mended is mended, one after the other."""

from __future__ import annotations

import ast
import builtins
import difflib
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache

from didact._core.i18n import Text
from didact.check.correct.proposals import proposals
from didact.check.correct.site import apply, span
from didact.check.engine.engine import Analysis, analyse
from didact.check.engine.names import is_temperature
from didact.check.explain.called_once import called_once
from didact.check.explain.formula.judge import Judged, flat_divergences, judged_source, tree_of
from didact.check.explain.formula.kinds import INDICES, Kind
from didact.check.explain.formula.libraries import ALIASES
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.trace import trace
from didact.check.explain.formula.tree import Call, Given, walk
from didact.check.explain.kept import name_at, reads_foreign
from didact.check.explain.mistakes import formula_findings, kinds_of_mistakes
from didact.check.explain.mistakes.temperatures_differ import other_temperature
from didact.check.explain.own import misspelt, own_findings
from didact.check.explain.remedies import is_per_place, remedies
from didact.check.explain.words.choices import CHOICES
from didact.check.findings.finding import Edit, Finding, Severity, Span
from didact.check.rules import RULES, findings_of, teacher_average_reversed
from didact.check.snippet.repair import parse

ROUNDS = 25
_WORK = 60_000
"""So many characters are analysed again for the changes; a long paste is changed less often."""
_RETRIED = 8
"""So many findings that could not be mended are tried again after each change."""


@dataclass(slots=True)
class Correction:
    """Corrected code, with the codes that changed each of its lines."""

    source: str
    marks: list[set[str]] = field(default_factory=list)
    choices: list[Text] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    spent: int = 0
    """How many characters were analysed to try changes."""
    imported: Text | None = None
    """Which imports were added to those that the paste has; None where there were none."""

    def undoes(self, source: str) -> bool:
        """Whether a changed text brings back a line that an earlier change replaced."""
        present = set(self.source.split("\n"))
        return any(line in self.removed and line not in present for line in source.split("\n"))

    def settled(self, original: str) -> Correction:
        """The same without marks on lines that are in the end as they were."""
        old, new = original.split("\n"), self.source.split("\n")
        marks = list(self.marks)
        for tag, _, _, first, last in _changes(old, new):
            if tag == "equal":
                marks[first:last] = [set() for _ in marks[first:last]]
        return Correction(self.source, marks, self.choices, self.removed)

    def step(self, source: str, code: str) -> None:
        """Take over a changed text and mark what changed."""
        old, new = self.source.split("\n"), source.split("\n")
        marks = self.marks or [set() for _ in old]
        result: list[set[str]] = []
        for tag, begin, end, first, last in _changes(old, new):
            if tag == "equal":
                result += marks[begin:end]
            else:
                before = set().union(*marks[begin:end], {code})
                self.removed |= {line for line in old[begin:end] if line.strip()}
                result += [set(before) for _ in range(last - first)]
        self.source, self.marks = source, result


def _changes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    """What differs between two lists of lines; of many lines only what lies between the same."""
    first = last = 0
    if len(old) > _MANY:
        while first < min(len(old), len(new)) and old[first] == new[first]:
            first += 1
        while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
            last += 1
    inner_old, inner_new = old[first : len(old) - last], new[first : len(new) - last]
    matcher = difflib.SequenceMatcher(None, inner_old, inner_new, autojunk=len(inner_old) > _MANY)
    found = [("equal", 0, first, 0, first)] if first else []
    found += [(tag, a + first, b + first, c + first, d + first)
              for tag, a, b, c, d in matcher.get_opcodes()]  # fmt: skip
    if last:
        found.append(("equal", len(old) - last, len(old), len(new) - last, len(new)))
    return found


_MANY = 300


def kinds_of(code: str) -> tuple[str, ...]:
    """The kinds of mistakes that a code stands for; those of Keras are also of the common kind."""
    kinds = RULES[code].catalogue if code in RULES else kinds_of_mistakes().get(code, ())
    common = (k.removeprefix("KERAS-") for k in kinds if k in {"KERAS-SWAPPED", "KERAS-NO-T2"})
    return (*kinds, *common)


def spelt(source: str, tree: ast.Module) -> tuple[str, list[Finding]]:
    """The source with misspelt names of PyTorch corrected, and what was found."""
    found = misspelt(tree)
    edits = [e for f in found if f.fix for e in f.fix.edits]
    result = apply(source, edits) if edits else source
    return (result, found) if result is not None and parse(result) is not None else (source, found)


def correct(source: str, *, start: Correction | None = None, words: str = "") -> Correction:
    """Mend finding after finding; each change must parse and take its finding away.

    ``words`` is the text around the code.
    """
    correction = start or Correction(source)
    if any(f.code in _BEFORE for f in beyond_rules(correction.source, words)):
        _mend_formulas(correction, words, only=_BEFORE)
    _mend_by_rules(correction, words)
    before = correction.source
    _mend_formulas(correction, words)
    if correction.source != before:
        _mend_by_rules(correction, words)
    shared = called_once(source, correction.source)
    if shared is not None:
        correction.step(shared, "once")
    return correction


_BEFORE = frozenset({"KE126", "KE146"})
"""Mended before what the rules find: the new form leaves nothing of that."""


def _mend_formulas(correction: Correction, words: str, only: frozenset[str] = frozenset()) -> None:
    """Mend what the formulas show; each change must take its finding away."""
    for _ in range(max(1, min(6, _WORK // (len(correction.source) + 1)))):
        found = beyond_rules(correction.source, words)
        for finding in found:
            if only and finding.code not in only:
                continue
            edits = list(finding.fix.edits) if finding.fix is not None else []
            changed = apply(correction.source, edits) if edits else None
            if changed is None or parse(changed) is None or correction.undoes(changed):
                continue
            if reads_foreign(tree_of(changed), tree_of(correction.source)):
                continue
            left = beyond_rules(changed, words)
            if (
                sum(f.code == finding.code for f in left)
                >= sum(f.code == finding.code for f in found)
                and finding.code != "KE111"
            ):
                continue
            loops = set(kinds_of(finding.code)) & _LOOPS
            if not loops and _obscures(changed, correction.source, words):
                continue
            correction.step(changed, finding.code)
            if finding.code == "KE111":
                return
            break
        else:
            return


def beyond_rules(source: str, words: str) -> list[Finding]:
    """What the formulas of a source show that the rules do not."""
    if safe_analyse(source) is None:
        return []
    judged = judged_source(source, words)
    known = frozenset(k for f in found_by_rules(source, words) for k in kinds_of(f.code))
    return told_once(formula_findings(judged, known, words))


_TOLD_BY: dict[str, frozenset[str]] = {
    "CE-ON-PROBS": frozenset({"KERAS-SOFTMAX-TWICE"}),
    "JSD-WRONG": frozenset({"JS-EXCHANGED", "SWAPPED", "T-ONE-SIDE", "NO-T2", "KL-MEAN"}),
    "CLASS-MEAN": frozenset({"KL-MEAN"}),
    "LAYER-IN-LOSS": frozenset({"FRESH-ADAPTER"}),
    "LOSS-OVERWRITTEN": frozenset({"SUM-OVERWRITTEN"}),
}
"""What a kind of mistake says already: the same mistake, seen by another rule."""


def says(code: str, other: str) -> bool:
    """Whether a code stands for a mistake that another code stands for, too."""
    kinds = set(kinds_of(other))
    pairs = ((set(kinds_of(code)), kinds), (kinds, set(kinds_of(code))))
    return any(_TOLD_BY.get(kind, frozenset()) & b for a, b in pairs for kind in a)


def told_once(findings: Sequence[Finding]) -> list[Finding]:
    """The findings without those that say the mistake of another once more."""
    kinds = {kind for f in findings for kind in kinds_of(f.code)}
    told = frozenset().union(*(_TOLD_BY[kind] for kind in kinds if kind in _TOLD_BY))
    left = [f for f in findings if not kinds_of(f.code) or not set(kinds_of(f.code)) <= told]
    first: dict[str, str] = {}
    for finding in left:
        for kind in _ONE_CODE & set(kinds_of(finding.code)):
            first.setdefault(kind, finding.code)
    return [
        f for f in left
        if all(first[k] == f.code for k in _ONE_CODE & set(kinds_of(f.code)))
    ]  # fmt: skip


_ONE_CODE = frozenset({"NOT-IN-OPTIMIZER"})
"""Kinds that a rule and ``explain`` look for in ways of their own: told by the first of them."""


def applies(frameworks: Set[str]) -> bool:
    """Whether PyTorch's rules apply."""
    return not frameworks or "torch" in frameworks


def _mend_by_rules(correction: Correction, words: str) -> None:
    given_up: set[tuple[str, str]] = set()
    for _ in range(ROUNDS):
        analysis = safe_analyse(correction.source)
        if analysis is None:
            break
        findings = sorted(
            _all_findings(correction.source, analysis, words),
            key=lambda f: (_ORDER[f.severity], f.span.line, f.code),
        )
        if not any(_mend(correction, analysis, f, given_up, words) for f in findings):
            break


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@lru_cache(maxsize=16)
def safe_analyse(source: str) -> Analysis | None:
    """The analysis, or None where the code is too deep for it; the last few are kept."""
    try:
        return analyse(source, path="<paste>", tree=tree_of(source), thorough=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def found_by_rules(source: str, words: str = "") -> tuple[Finding, ...]:
    """What the rules find in a source; the last few are kept.

    Words around it that ask for the reverse KL make it no mistake.
    """
    found = _found_by_rules(source)
    analysis = safe_analyse(source) if _TOLD.search(words) else None
    if analysis is not None:
        rule = RULES[teacher_average_reversed.CODE]
        told = told_numbers(words, analysis.tree)
        more = [rule.finding(f) for f in teacher_average_reversed.check(analysis, told)]
        known = {(f.code, f.span) for f in found}
        found = (*found, *(f for f in more if (f.code, f.span) not in known))
    if not _REVERSE.search(words):
        return found
    return tuple(f for f in found if "SWAPPED" not in kinds_of(f.code))


_TOLD = re.compile(
    r"(?<![\w.])(?P<name>[A-Za-z_]\w*)[ `]*(?:=|:|：|is|of|为|取|设为|是)[ `]*"
    r"(?P<value>(?:0?\.|1\.)\d+)"
)


def told_numbers(words: str, tree: ast.Module) -> dict[str, float]:
    """The values that the words around a code give its names, where they agree.

    What the code sets itself is left out: there its statements count.
    """
    stored = {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)
              and isinstance(n.ctx, ast.Store)}  # fmt: skip
    values: dict[str, set[float]] = {}
    for match in _TOLD.finditer(words):
        values.setdefault(match["name"], set()).add(float(match["value"]))
    return {name: told.pop() for name, told in values.items()
            if len(told) == 1 and name not in stored}  # fmt: skip


_REVERSE = re.compile(
    r"(is|it's|this) (a )?forward or reverse|reverse (kl )?is|mode.?seeking|minillm"
    r"|want (the )?reverse|反向 ?kl.{0,12}(想|要)|(想|要|用)(的是)?反向 ?kl",
    re.IGNORECASE,
)
"""The reverse KL is what is wanted."""


@lru_cache(maxsize=16)
def _found_by_rules(source: str) -> tuple[Finding, ...]:
    analysis = safe_analyse(source)
    if analysis is None:
        return ()
    found = tuple(findings_of(analysis))
    frameworks = frameworks_of(source)
    if not applies(frameworks):
        judged = judged_source(source, "")
        tensorflow = "tensorflow" in frameworks
        swapped = [t for t in judged.terms if t.definition and t.definition.key == "reverse_kl"]
        return tuple(
            f for f in found
            if tensorflow and _is_keras(f)
            and not (swapped and "KERAS-SWAPPED" in kinds_of(f.code))
        )  # fmt: skip
    if _others_from_outside(analysis.tree):
        found = tuple(f for f in found if "UNDEFINED-NAME" not in kinds_of(f.code))
    if not any(_ASKS_NUMBERS & set(kinds_of(f.code)) for f in found):
        return found
    judged = judged_source(source, "")
    return tuple(f for f in found if not _is_answered(f, judged))


def _others_from_outside(tree: ast.Module) -> bool:
    """Whether a paste reads tensors and models that it does not set: then T may be set there too.

    A function that is whole but for its temperature cannot run; a part of a script can.
    """
    known = {*ALIASES, *dir(builtins)}
    stored = {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)
              and isinstance(n.ctx, ast.Store)}  # fmt: skip
    stored |= {n.arg for n in nodes_of(tree) if isinstance(n, ast.arg)}
    stored |= {n.name for n in nodes_of(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    stored |= {(a.asname or a.name).split(".")[0] for n in nodes_of(tree)
               if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}  # fmt: skip
    read = {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)}
    return any(not is_temperature(name) for name in read - stored - known)


_ASKS_NUMBERS = frozenset(
    {
        "BATCHMEAN-3D",
        "MULTI-TEACHER-SUM",
        "NO-T2",
        "PAD-UNMASKED",
        "T-ONE-SIDE",
        "SOFTMAX-OF-SOFTMAX",
        "MSE-OF-PROBS",
        "LOG-OF-SOFTMAX",
    }
)
"""Kinds of findings that the numbers of the formula may answer."""


@lru_cache(maxsize=16)
def frameworks_of(source: str) -> frozenset[str]:
    """The frameworks that a source names."""
    return frozenset(trace(tree_of(source)).frameworks)


def _is_keras(finding: Finding) -> bool:
    return kinds_of(finding.code)[:1] != () and kinds_of(finding.code)[0].startswith("KERAS")


def _is_answered(finding: Finding, judged: Judged) -> bool:
    """Whether the numbers of the formula show that what a rule suspects is not so."""
    kinds = set(kinds_of(finding.code))
    if "BATCHMEAN-3D" in kinds:
        flat = finding.span.line in flat_divergences(judged)
        return flat or is_per_place(judged, finding.span.line)
    virtual = [t for t in judged.terms if t.definition and t.definition.key == "tf_kd"]
    if kinds & {"T-ONE-SIDE", "SOFTMAX-OF-SOFTMAX"} and virtual:
        return True  # the smoothed labels are Tf-KD's teacher, softened once more
    if "MULTI-TEACHER-SUM" in kinds:
        summed = [t for t in judged.terms if t.over is not None]
        return bool(summed) and all(t.status == "equal" for t in summed)
    if "NO-T2" in kinds:
        return any(True for t in judged.terms for _ in other_temperature(judged, t))
    if "LOG-OF-SOFTMAX" in kinds:
        return _is_of_another(finding, judged)
    if "PAD-UNMASKED" in kinds:
        return judged.ranks.order[0] == 4
    if "T-ONE-SIDE" in kinds:
        return _is_made_by_hand(finding, judged) or _is_averaged(judged)
    return "MSE-OF-PROBS" in kinds and _is_averaged(judged)


def _is_averaged(judged: Judged) -> bool:
    """Whether the teacher is a moving average: its targets are sharpened, and MSE is the rule."""
    return any(
        re.search(r"(^|_)ema(_|$|\()|mean_teacher|momentum", g.text, re.IGNORECASE)
        for g, told in judged.roles.items() if told.role == "teacher"
    )  # fmt: skip


def _is_of_another(finding: Finding, judged: Judged) -> bool:
    """Whether the logarithm is of sums of probabilities: log_softmax does not give it."""
    for node in nodes_of(judged.tracer.tree):
        value = judged.tracer.values.get(id(node))
        if getattr(node, "lineno", 0) != finding.span.line or not isinstance(value, Call):
            continue
        if value.name == "log" and value.args:
            inner = value.args[0]
            while isinstance(inner, Call) and inner.name in _SAME_NUMBERS and inner.args:
                inner = inner.args[0]
            return isinstance(inner, Call) and inner.name in {"stack", "cat", "sub", "sum"}
    return False


_SAME_NUMBERS = frozenset(
    {"detach", "index", "clamp", "clamp_min", "add", "identity", "floating", "squeeze"}
)


_FILLED = frozenset({"scatter", "one_hot", "put"})


def _is_made_by_hand(finding: Finding, judged: Judged) -> bool:
    """Whether the target of a divergence is made of labels: no model's scores to be softened."""
    for node in nodes_of(judged.tracer.tree):
        value = judged.tracer.values.get(id(node))
        if getattr(node, "lineno", 0) != finding.span.line or not isinstance(value, Call):
            continue
        if value.name == "kl_div" and len(value.args) > 1:
            held = {g for g in leaves(value.args[1]) if "cls" not in g.text}
            kinds = {judged.kinds.get(g) for g in held}
            whose = {judged.roles[g].role for g in held if g in judged.roles}
            filled = any(isinstance(p, Call) and p.name in _FILLED for p in walk(value.args[1]))
            by_hand = Kind.TENSOR not in kinds or (filled and not {"student", "teacher"} & whose)
            return by_hand and bool(kinds & INDICES)
    return False


def _all_findings(source: str, analysis: Analysis, words: str) -> list[Finding]:
    return [*found_by_rules(source, words), *own_findings(analysis.tree, renamed_lambda=False)]


def _mend(
    correction: Correction, analysis: Analysis, finding: Finding, given_up: set[tuple[str, str]],
    words: str,
) -> bool:  # fmt: skip
    line = correction.source.split("\n")[finding.span.line - 1].strip()
    key = (finding.code, line)
    if key in given_up:
        return False
    given_up.add(key)
    rule = RULES.get(finding.code)
    kinds = rule.catalogue if rule is not None else kinds_of(finding.code)
    if finding.severity is Severity.INFO and "NO-T2" in kinds:
        return False  # as in the paper of the method
    for edits in [*_per_position(correction.source, finding, kinds, words),
                  *proposals(analysis, finding, kinds),
                  *remedies(analysis.tree, finding, tuple(kinds))]:  # fmt: skip
        changed = apply(correction.source, edits) if edits else None
        if correction.spent > _WORK:
            return False
        correction.spent += len(correction.source) if changed is not None else 0
        if (
            changed is None
            or changed == correction.source
            or correction.undoes(changed)
            or (
                parse(changed) is not None
                and reads_foreign(tree_of(changed), tree_of(correction.source))
            )
            or not _helps(changed, correction.source, finding, words)
            or (not set(kinds) & _LOOPS and _obscures(changed, correction.source, words))
        ):
            continue
        correction.step(changed, finding.code)
        if len(given_up) <= _RETRIED:
            given_up.clear()  # what did not help before may help now
        for kind in kinds:
            choice = CHOICES.get(kind)
            if kind == "BCE-ON-SOFTMAX" and "_with_logits" in changed:
                continue  # the classes stay independent
            if choice is not None and choice not in correction.choices:
                correction.choices.append(choice)
        return True
    return False


def _per_position(
    source: str, finding: Finding, kinds: tuple[str, ...], words: str
) -> list[list[Edit]]:
    """``kl_div(..., reduction="none").sum(classes).mean()``: for more than two dimensions."""
    if "BATCHMEAN-3D" in kinds:
        return _divided_by_places(source, finding, words)
    if "KL-MEAN" not in kinds:
        return []
    judged = judged_source(source, words)
    rank = judged.ranks.order[0]
    deep = rank > 2 and (judged.ranks.certain or bool(judged.ranks.word))
    if not deep or finding.span.line in flat_divergences(judged):
        return []
    for node in nodes_of(tree_of(source)):
        if not isinstance(node, ast.Call) or span(node) != finding.span:
            continue
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "kl_div":
            continue
        reducing = {"reduction", "size_average", "reduce"}
        kept = [ast.unparse(a) for a in node.args]
        kept += [f"{k.arg}={ast.unparse(k.value)}" for k in node.keywords if k.arg not in reducing]
        call = f"{ast.unparse(node.func)}({', '.join(kept)}, reduction='none')"
        axis = 1 if rank == 4 else -1
        return [[Edit(span(node), f"{call}.sum({axis}).mean()")]]
    return []


def _divided_by_places(source: str, finding: Finding, words: str) -> list[list[Edit]]:
    """``/ (s.size(2) * s.size(3))`` behind a ``kl_div`` that sums over the places of a map."""
    judged = judged_source(source, words)
    if not judged.ranks.certain and not judged.ranks.word:
        return []
    for term in judged.terms:
        powers = dict(term.law.powers) if term.law is not None else {}
        if not {"S", "H·W"} & powers.keys() or not isinstance(term.student, Given):
            continue
        name = name_at(judged, term.student, finding.span)
        if name is None:
            continue
        count = f"{name}.size(1)" if term.rank == 3 else f"({name}.size(2) * {name}.size(3))"
        for node in nodes_of(judged.tracer.tree):
            if isinstance(node, ast.Call) and span(node) == finding.span:
                where = span(node)
                end = Span(where.end_line, where.end_column, where.end_line, where.end_column)
                return [[Edit(end, f" / {count}")]]
    return []


_LOOPS = frozenset({"SUM-OVERWRITTEN", "LOSS-OVERWRITTEN", "MULTI-TEACHER-SUM"})
"""Mended to a sum over a loop, which may be understood less well than its last term alone."""


def _obscures(changed: str, before: str, words: str) -> bool:
    """Whether a formula that was understood is so no longer: such a change is no mending."""
    counts = []
    for source in (before, changed):
        judged = judged_source(source, words)
        if not applies(judged.tracer.frameworks):
            return False
        counts.append((sum(t.status == "unknown" for t in judged.terms), len(judged.losses)))
    (unknown, losses), (unknown_now, losses_now) = counts
    return unknown_now > unknown or losses_now < losses


def _helps(changed: str, before: str, finding: Finding, words: str) -> bool:
    """Whether a change takes its finding away and brings no error of another kind."""
    after, first = safe_analyse(changed), safe_analyse(before)
    if after is None or first is None:
        return False
    now = _all_findings(changed, after, words)
    was = _all_findings(before, first, words)
    errors = {f.code for f in now if f.severity is Severity.ERROR}
    if errors - {f.code for f in was}:
        return False
    return sum(f.code == finding.code for f in now) < sum(f.code == finding.code for f in was)
