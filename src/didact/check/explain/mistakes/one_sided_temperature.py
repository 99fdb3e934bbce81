"""A temperature on one side alone, in code that the rules of PyTorch do not read."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding, live
from didact.check.explain.mistakes._softmaxes import argument_of
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE178": ("T-ONE-SIDE",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Term by term."""
    if not look.is_elsewhere or "T-ONE-SIDE" in look.known:
        return
    for loss in look.judged.losses:
        for term in loss.terms:
            sides = {"student": _softmaxes(look, term.body, "student"),
                     "teacher": _softmaxes(look, term.body, "teacher")}  # fmt: skip
            scaled = {k: {_temperature(look, p) for p in v} for k, v in sides.items()}
            for hot, cold in (("student", "teacher"), ("teacher", "student")):
                if scaled[cold] == {None} and len(scaled[hot]) == 1 and None not in scaled[hot]:
                    temperature = next(iter(scaled[hot]))
                    fix = _fix(look, sides[cold], temperature or "")
                    node = next((look.places[p] for p in sides[cold] if p in look.places), None)
                    yield finding("KE178", Severity.ERROR, node or loss.entry.node, fix,
                                  side=_NAMES[cold], temperature=temperature)  # fmt: skip


_NAMES = {"student": Text("student", "学生"), "teacher": Text("teacher", "教师")}


def _softmaxes(look: Look, root: Node, role: str) -> list[Call]:
    """The softmaxes of one side's scores alone."""
    found = []
    for part in walk(root):
        if isinstance(part, Call) and part.name in {"softmax", "log_softmax"}:
            roles = {look.judged.roles[g].role for g in leaves(part) if g in look.judged.roles}
            if roles & {"student", "teacher"} == {role} and "labels" not in roles:
                found.append(part)
    return found


def _temperature(look: Look, part: Call) -> str | None:
    """The name by which the scores are divided."""
    scores = live(part.args[0])
    if not isinstance(scores, Call) or scores.name != "div" or len(scores.args) != 2:
        return None
    by = scores.args[1]
    if isinstance(by, Given) and look.judged.kinds.get(by) is Kind.TEMPERATURE:
        return look.judged.tracer.labels.get(by, by.text)
    return ast.unparse(ast.Constant(getattr(by, "value", "?")))


def _fix(look: Look, parts: list[Call], temperature: str) -> Fix | None:
    edits = []
    for part in parts:
        argument = argument_of(look, part)
        if argument is None:
            return None
        text = ast.unparse(argument)
        text = f"({text})" if isinstance(argument, ast.BinOp) else text
        edits.append(Edit(span(argument), f"{text} / {temperature}"))
    message = Text("The same temperature on both sides", "两侧用同一温度")
    return Fix(tuple(dict.fromkeys(edits)), "unsafe", message)
