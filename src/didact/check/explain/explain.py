"""The whole explanation of a paste."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from didact._core.i18n import Text
from didact.check.engine.engine import Analysis
from didact.check.explain.correct import Correction, correct, kinds_of, safe_analyse, spelt
from didact.check.explain.expressions import Reader
from didact.check.explain.old_formula import NO_LOSS, formula, names
from didact.check.explain.own import KEYWORD_AS_NAME, own_findings
from didact.check.explain.questions import Question, Snippet, questions
from didact.check.explain.runnable import given_names, runnable
from didact.check.explain.statements import Explainer
from didact.check.findings.finding import Finding, Severity
from didact.check.rules import findings_of
from didact.check.snippet import recover
from didact.check.snippet.repair import LAMBDA

TOO_DEEP = Text(
    "The code is nested too deeply to be analysed; only its statements are listed.",
    "代码嵌套过深，无法分析，只列出语句。",
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
        formula: The loss as it is, the names of its terms, the right form, the distance.
        findings: What is wrong, sorted by line.
        correction: The corrected code with its marks and choices.
        questions: What the code makes people ask.
        guesses: What recovering the code took, and what it needs from outside.
    """

    source: str
    statements: list[Note]
    formula: Text
    findings: list[Finding]
    correction: Correction
    questions: list[Question]
    guesses: list[Text] = field(default_factory=list)


def explain(text: str) -> Explanation:
    """Explain a paste; see the module ``didact.check.snippet`` for what is understood of it."""
    recovered = recover(text)
    source, misspelt = spelt(recovered.source, recovered.tree)
    guesses = list(recovered.guesses)
    analysis = safe_analyse(source)
    if analysis is None:
        notes = [Note(n.lineno, _head(n), TOO_DEEP) for n in recovered.tree.body]
        return Explanation(
            source, notes, TOO_DEEP, misspelt, Correction(source), [], [*guesses, TOO_DEEP]
        )
    own = own_findings(analysis.tree, renamed_lambda=LAMBDA in guesses)
    findings = sorted([*findings_of(analysis), *own, *misspelt], key=lambda f: (f.span, f.code))
    correction = _corrected(source, recovered.source, own)
    given = given_names(analysis.tree)
    if given:
        guesses.append(GIVEN.format(names=", ".join(f"`{n}`" for n in given)))
    kinds = frozenset(k for f in findings for k in kinds_of(f.code))
    return Explanation(
        source=source,
        statements=_statements(analysis),
        formula=_formula(analysis, findings, correction),
        findings=findings,
        correction=runnable(correction),
        questions=questions(Snippet(analysis, kinds, source)),
        guesses=guesses,
    )


def _corrected(source: str, before: str, own: list[Finding]) -> Correction:
    correction = Correction(before, [set() for _ in before.split("\n")])
    if source != before:
        correction.step(source, "KE103")
    result = correct(source, start=correction)
    if any(f.code == KEYWORD_AS_NAME for f in own):
        for number, line in enumerate(result.source.split("\n")):
            if "lambda_" in line:
                result.marks[number].add(KEYWORD_AS_NAME)
    return result


def _statements(analysis: Analysis) -> list[Note]:
    reader = Reader(analysis, {id(u.node): u for u in analysis.uses})
    explainer = Explainer(reader)
    nodes = [n for n in ast.walk(analysis.tree) if isinstance(n, ast.stmt)]
    nodes.sort(key=lambda n: (n.lineno, n.col_offset))
    return [Note(n.lineno, _head(n, analysis.source), explainer.explain(n)) for n in nodes]


def _head(node: ast.stmt, source: str = "") -> str:
    """The statement's own source; of a block its header alone."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        lines = source.split("\n")[node.lineno - 1 : body[0].lineno]
        if len(lines) > 1:
            lines = lines[:-1]
        text = "\n".join(lines).strip()
        decorators = getattr(node, "decorator_list", [])
        prefix = "".join(f"@{ast.unparse(d)}\n" for d in decorators)
        return prefix + "\n".join(t.rstrip() for t in text.split("\n") if t.strip())
    return (ast.get_source_segment(source, node) if source else None) or ast.unparse(node)


def _formula(analysis: Analysis, findings: list[Finding], correction: Correction) -> Text:
    written = formula(analysis)
    if written is None:
        return NO_LOSS
    lines = [Text(f"As written: {written}", f"代码所写：{written}")]
    named = names(analysis)
    lines += [Text(f"  – {n.en}", f"  – {n.zh}") for n in named]
    right_analysis = safe_analyse(correction.source)
    right = formula(right_analysis) if right_analysis is not None else None
    if right is not None and right != written:
        lines.append(Text(f"As corrected: {right}", f"修正之后：{right}"))
    lines.append(_distance(findings))
    return Text("\n".join(t.en for t in lines), "\n".join(t.zh for t in lines))


def _distance(findings: list[Finding]) -> Text:
    serious = [f for f in findings if f.severity is not Severity.INFO]
    remarks = len(findings) - len(serious)
    if not serious and remarks:
        return Text(
            f"Distance: the code computes this formula; {remarks} remark(s) are under the "
            f"findings.",
            f"差距：代码计算的就是这个公式；另有 {remarks} 条提示，见“发现的问题”。",
        )
    if not serious:
        return Text(
            "Distance: the code computes this formula; nothing in it departs from the definition.",
            "差距：代码计算的就是这个公式，没有发现偏离定义之处。",
        )
    listed = ", ".join(f"{f.code}:{f.span.line}" for f in serious)
    keeps = "keeps" if len(serious) == 1 else "keep"
    return Text(
        f"Distance: {_count(len(serious), 'point')} {keeps} the code from the formula ({listed}).",
        f"差距：有 {len(serious)} 处与公式不符（{listed}）。",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
