"""The whole explanation of a paste."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from didact._core.i18n import Text
from didact._core.text import writable
from didact.check.engine.engine import Analysis
from didact.check.engine.names import is_model
from didact.check.explain.answers import Code
from didact.check.explain.asked import answer_to
from didact.check.explain.causes import goes_back_twice, message_in
from didact.check.explain.correct import (
    Correction,
    applies,
    beyond_rules,
    correct,
    found_by_rules,
    kinds_of,
    safe_analyse,
    says,
    spelt,
    told_numbers,
    told_once,
)
from didact.check.explain.expressions import Reader
from didact.check.explain.formula.judge import Judged, Loss, judged_source
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.listed import role_lines
from didact.check.explain.mistakes.overwritten_loss import OVERWRITTEN
from didact.check.explain.mistakes.returned import NOTHING
from didact.check.explain.mistakes.uncleared import UNCLEARED
from didact.check.explain.naming import as_called, called, hint_by_name
from didact.check.explain.old_python import as_pasted, first_difference
from didact.check.explain.own import KEYWORD_AS_NAME, own_findings
from didact.check.explain.procedures import procedure_in
from didact.check.explain.proof import Proof
from didact.check.explain.questions import Question, Snippet, questions
from didact.check.explain.runnable import given_names, runnable
from didact.check.explain.statements import Explainer
from didact.check.explain.summary import (
    Verdict,
    by_importance,
    left_over,
    summary_of,
    verdict_of,
)
from didact.check.explain.who import RoleLine
from didact.check.explain.words.answers_direct import DEPENDS
from didact.check.explain.words.summary import (
    AS_IT_IS,
    BESIDE_THE_ERROR,
    NOTHING_FOUND,
    OLD_PYTHON,
    ON_PYTHON2,
)
from didact.check.findings.finding import Finding, Severity
from didact.check.rules.teacher_average_reversed import unknown_averages
from didact.check.snippet import Recovered, recover
from didact.check.snippet.repair import LAMBDA

TOO_DEEP = Text(
    "The code is nested too deeply to be analysed; only its statements are listed.",
    "代码嵌套过深，无法分析，只列出语句。",
)
MENDED = 20_000
"""Characters of code up to which mistakes are mended, not only listed."""
NOT_MENDED = Text(
    "The code is longer than {most} characters: mistakes are listed and not mended.",
    "代码超过 {most} 个字符：只列出问题，不自动改正。",
)
EXPLAINED = 1_000
"""So many statements are put into words; those behind them are only listed."""
ONLY_LISTED = Text(
    f"Only listed: the first {EXPLAINED:,} statements are explained.",
    f"仅列出：只解释前 {EXPLAINED:,} 条语句。",
)
GIVEN = Text(
    "Used here but defined elsewhere, taken as given: {names}.",
    "以下名字在别处定义，视为已知：{names}。",
)


@dataclass(frozen=True, slots=True)
class Note:
    """One statement with its explanation; ``line`` counts in the recovered code, from 1."""

    line: int
    code: str
    explanation: Text


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that there is to say about a paste.

    Attributes:
        source: The recovered code, with the spelling of PyTorch's names corrected.
        statements: Each statement in words, in the order of the lines.
        losses: The formulas as the code computes them, with their terms.
        corrected_losses: The formulas of the corrected code.
        verdict: How far the losses are those that they are named after.
        summary: Three to six lines that say the most important first.
        roles: What the names stand for.
        framework: The framework, where it is not PyTorch.
        findings: What is wrong, the worst first.
        correction: The corrected code with its marks and choices.
        asked: The question that stands in the paste, answered.
        questions: What else the code makes people ask.
        guesses: What recovering the code took, and what it needs from outside.
        rebuilt: Whether the paste had lost its lines or indentation.
        gone: The codes of findings that the corrected code no longer has.
        still: How the corrected formulas depart from their definitions all the same.
        pasted: The lines of the code as they were read, those of Python 2 as the paste has them.
        known: What is known of each expression of ``source``; None where it is nested too deeply.
    """

    source: str
    statements: list[Note]
    losses: tuple[Loss, ...]
    corrected_losses: tuple[Loss, ...]
    verdict: Verdict
    summary: list[Text]
    roles: list[RoleLine]
    framework: str | None
    findings: list[Finding]
    correction: Correction
    asked: Question | None
    questions: list[Question]
    guesses: list[Text] = field(default_factory=list)
    known: Proof | None = None
    rebuilt: bool = False
    gone: frozenset[str] = frozenset()
    still: tuple[Text, ...] = ()
    pasted: tuple[str, ...] = ()

    @property
    def mended(self) -> set[str]:
        """The codes that the corrected code no longer has, or that a line of it is marked with."""
        return set(self.gone).union(*self.correction.marks)

    @property
    def open_findings(self) -> list[Finding]:
        """The findings, remarks left out, that the corrected code still has."""
        mended = self.mended
        return [
            f for f in self.findings
            if f.code not in mended and f.severity is not Severity.INFO
        ]  # fmt: skip


def explain(text: str) -> Explanation:
    """Explain a paste; see the module ``didact.check.snippet`` for what is understood of it."""
    text = writable(text)
    recovered = recover(text)
    source, misspelt = spelt(recovered.source, recovered.tree)
    guesses = list(recovered.guesses)
    try:
        return _explained(text, recovered, source, misspelt, guesses)
    except RecursionError:
        return _too_deep(source, recovered.tree, misspelt, list(recovered.guesses))


def _explained(
    text: str, recovered: Recovered, source: str, misspelt: list[Finding], guesses: list[Text]
) -> Explanation:
    judged = _judged(source, text)
    analysis = safe_analyse(source) if judged is not None else None
    if judged is None or analysis is None:
        return _too_deep(source, recovered.tree, misspelt, guesses)
    torch = applies(judged.tracer.frameworks)
    if not torch:
        source, misspelt = recovered.source, []
        judged = _judged(source, text) or judged
        analysis = safe_analyse(source) or analysis
    own = own_findings(analysis.tree, renamed_lambda=LAMBDA in guesses)
    rules = list(found_by_rules(source, text))
    own = [f for f in own if not (f.code == UNCLEARED and any(
        "NO-ZERO-GRAD" in kinds_of(r.code) for r in rules))]  # fmt: skip
    told = {f.span.line for f in own if f.code == NOTHING}
    rules = [r for r in rules if r.span.line not in told or "LOSS-UNUSED" not in kinds_of(r.code)]
    overwritten = {f.span.line for f in rules if "SUM-OVERWRITTEN" in kinds_of(f.code)}
    own = [f for f in own if f.code != OVERWRITTEN or f.span.line not in overwritten]
    findings = by_importance(told_once([*rules, *own, *misspelt, *beyond_rules(source, text)]))
    pasted = as_pasted(recovered, text)
    old = first_difference(pasted, recovered.source.split("\n"))
    if old is not None:
        findings = by_importance([_as_remark(f) for f in findings])
    correction = _named(_corrected(source, recovered.source, own, text), findings)
    right = _judged_again(correction.source, source, judged, text)
    framework = None if torch else min(judged.tracer.frameworks)
    kinds = frozenset(k for f in findings for k in kinds_of(f.code))
    names = _names(analysis.tree)
    verdict = as_called(verdict_of(judged, right, findings, kinds_of), called(names[0]))
    apart = goes_back_twice(analysis.tree)
    hint = hint_by_name(*names)
    known = procedure_in(analysis.tree) if torch and not judged.losses else None
    summary = summary_of(
        verdict, findings, kinds_of, framework, apart=apart, hint=hint, procedure=known
    )
    if old is not None:
        stops = AS_IT_IS.en.split("{")[0]
        summary = [s for s in summary if not (s.en.startswith(stops) and "Python 3" in s.en)]
        summary = [_on_python2(s) for s in summary]
    if len(source) > MENDED:
        guesses.append(NOT_MENDED.format(most=f"{MENDED:,}"))
    if message_in(text) is not None:
        begin = AS_IT_IS.en.split("{")[0]
        summary = [s for s in summary if not s.en.startswith(begin)]  # the error says it
        summary = [BESIDE_THE_ERROR if s is NOTHING_FOUND else s for s in summary]
    given = given_names(analysis.tree)
    if given:
        guesses.append(GIVEN.format(names=", ".join(f"`{n}`" for n in given)))
    proof = Proof(analysis, judged)
    notes = _statements(analysis, judged, proof)
    lines = [(note.line, note.code, note.explanation) for note in notes]
    asked = answer_to(
        text, findings, kinds, verdict, summary, judged.losses, analysis.tree, lines,
        right.losses, _depends(analysis, text),
        Code(analysis.tree, judged, proof, findings, kinds, verdict, lines), recovered.guesses,
    )  # fmt: skip
    ready = runnable(correction) if torch else correction
    if ready.imported is not None and not findings and message_in(text) is None:
        summary = [*summary, ready.imported]
    return Explanation(
        source=source,
        statements=notes,
        losses=judged.losses,
        corrected_losses=right.losses,
        verdict=verdict,
        summary=summary if old is None else [OLD_PYTHON.format(line=old), *summary],
        roles=role_lines(judged, verdict.method_key),
        framework=framework,
        findings=findings,
        correction=ready,
        asked=asked,
        questions=_others(questions(Snippet(analysis, kinds, source)) if torch else [], asked),
        guesses=guesses,
        known=proof,
        rebuilt=_is_rebuilt(text, recovered.source),
        gone=_gone(findings, correction.source, source, text),
        still=left_over(right) if torch and right is not judged else (),
        pasted=tuple(pasted),
    )


def _on_python2(line: Text) -> Text:
    """What happens if it is run, of code that Python 2 alone runs."""
    english, chinese = AS_IT_IS.en.split("{")[0], AS_IT_IS.zh.split("{")[0]
    if not line.en.startswith(english):
        return line
    return Text(
        ON_PYTHON2.en + line.en.removeprefix(english), ON_PYTHON2.zh + line.zh.removeprefix(chinese)
    )


def _as_remark(finding: Finding) -> Finding:
    """A name of Python 2 in a paste of Python 2: the summary has said that it is old."""
    old = finding.code == "KE103" and "Python 2" in finding.message.en
    return replace(finding, severity=Severity.INFO) if old else finding


def _depends(analysis: Analysis, text: str) -> Text | None:
    """On which value that is not shown it depends whether a moving average is right."""
    told = told_numbers(text, analysis.tree)
    for update in unknown_averages(analysis, told):
        names = [n for n in nodes_of(update.new_weight) if isinstance(n, ast.Name | ast.Attribute)]
        return DEPENDS.format(
            name=ast.unparse(names[0] if names else update.new_weight),
            old=f"`{ast.unparse(update.old_weight)}`", new=f"`{ast.unparse(update.new_weight)}`",
            target=ast.unparse(update.target), source=ast.unparse(update.source),
        )  # fmt: skip
    return None


def _names(tree: ast.Module) -> tuple[list[str], list[str]]:
    """What functions and classes are called, and the functions that are called and not shown."""
    defined = [n.name for n in nodes_of(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    called = {
        n.func.id for n in nodes_of(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and not is_model(n.func.id)
    }  # fmt: skip
    return defined, sorted(called & set(given_names(tree)))


def _others(raised: list[Question], asked: Question | None) -> list[Question]:
    """The questions without the one that was asked and answered."""
    if asked is None:
        return raised
    told = " ".join(one.answer.en for one in (asked, *asked.further))
    return [q for q in raised if q.answer.en not in told]


def _gone(findings: Sequence[Finding], corrected: str, source: str, words: str) -> frozenset[str]:
    """The codes that the change of another finding took away as well."""
    if not findings or corrected == source:
        return frozenset()
    left = {f.code for f in found_by_rules(corrected, words)}
    left |= {f.code for f in beyond_rules(corrected, words)}
    tree = safe_analyse(corrected)
    if tree is not None:
        left |= {f.code for f in own_findings(tree.tree, renamed_lambda=False)}
    return frozenset(f.code for f in findings if f.code not in left)


def _is_rebuilt(text: str, source: str) -> bool:
    """Whether most lines of the source do not stand so in the paste, less a common indentation."""
    written = {line.strip() for line in text.split("\n")}
    levels = {line.rstrip() for line in textwrap.dedent(text).split("\n")}
    lines = [line for line in source.split("\n") if line.strip()]
    glued = sum(line.strip() not in written for line in lines)
    moved = sum(line.strip() in written and line.rstrip() not in levels for line in lines)
    return 2 * (glued + moved) > len(lines)


def _too_deep(
    source: str, tree: ast.Module, misspelt: list[Finding], guesses: list[Text]
) -> Explanation:
    lines = source.split("\n")
    notes = [Note(n.lineno, _head(n, lines), TOO_DEEP) for n in tree.body]
    return Explanation(
        source, notes, (), (), Verdict("unknown"), [TOO_DEEP], [], None, misspelt,
        Correction(source), None, [], [*guesses, TOO_DEEP],
    )  # fmt: skip


def _judged(source: str, words: str) -> Judged | None:
    try:
        return judged_source(source, words)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _judged_again(corrected: str, source: str, judged: Judged, text: str) -> Judged:
    again = _judged(corrected, text) if corrected != source else None
    return again if again is not None else judged


def _corrected(source: str, before: str, own: list[Finding], words: str) -> Correction:
    correction = Correction(before, [set() for _ in before.split("\n")])
    if source != before:
        correction.step(source, "KE103")
    if len(source) > MENDED:
        return correction.settled(before)
    result = correct(source, start=correction, words=words)
    if any(f.code == KEYWORD_AS_NAME for f in own):
        for number, line in enumerate(result.source.split("\n")):
            if "lambda_" in line:
                result.marks[number].add(KEYWORD_AS_NAME)
    return result.settled(before)


def _named(correction: Correction, findings: Sequence[Finding]) -> Correction:
    """The correction with each mark under the code that the mistake was reported by.

    Once a mistake is half mended, another rule may be the one that sees the other half.
    """
    reported = {f.code: set(kinds_of(f.code)) for f in findings}

    def told(code: str) -> str:
        kinds = set(kinds_of(code))
        same = [known for known in reported if reported[known] & kinds or says(known, code)]
        return code if code in reported or not same else same[0]

    marks = [{told(code) for code in codes} for codes in correction.marks]
    marks = [codes & reported.keys() or codes for codes in marks]
    return Correction(correction.source, marks, correction.choices, correction.removed)


def _statements(analysis: Analysis, judged: Judged, proof: Proof) -> list[Note]:
    uses = {id(u.node): u for u in analysis.uses} if applies(judged.tracer.frameworks) else {}
    reader = Reader(analysis, uses, judged, proof)
    explainer = Explainer(reader)
    nodes = [n for n in nodes_of(analysis.tree) if isinstance(n, ast.stmt)]
    nodes.sort(key=lambda n: (n.lineno, n.col_offset))
    lines = analysis.source.split("\n")
    told = nodes[:EXPLAINED]
    notes = [Note(n.lineno, _head(n, lines), explainer.explain(n)) for n in told]
    return notes + [Note(n.lineno, _head(n, lines), ONLY_LISTED) for n in nodes[EXPLAINED:]]


def _head(node: ast.stmt, lines: Sequence[str] = ()) -> str:
    """The statement's own source; of a block its header alone."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        own = lines[node.lineno - 1 : body[0].lineno]
        if len(own) > 1:
            own = own[:-1]
        text = "\n".join(own).strip()
        decorators = getattr(node, "decorator_list", [])
        prefix = "".join(f"@{ast.unparse(d)}\n" for d in decorators)
        return prefix + "\n".join(t.rstrip() for t in text.split("\n") if t.strip())
    return _segment(node, lines) or ast.unparse(node)


def _segment(node: ast.stmt, lines: Sequence[str]) -> str:
    """``ast.get_source_segment``, without splitting the whole source for each statement."""
    last = node.end_lineno or node.lineno
    own = [line.encode() for line in lines[node.lineno - 1 : last]]
    if not own:
        return ""
    own[-1] = own[-1][: node.end_col_offset]
    own[0] = own[0][node.col_offset :]
    return b"\n".join(own).decode()
