"""Terms cut from the graph, and targets that are not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.methods import is_of_one_network
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import side
from didact.check.explain.formula.trace import Tracer
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.mistakes._look import Look, finding, place
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE107": ("ITEM-IN-GRAPH",), "KE108": ("TARGET-IN-GRAPH",)}


def _graph(
    judged: Judged, known: frozenset[str], places: Mapping[Node, ast.AST]
) -> Iterator[Finding]:
    peers = [
        t for t in judged.terms
        if t.definition is not None and t.definition.key in {"kd", "soft_ce"}
        and t.student is not None and t.teacher is not None
        and side(t.student, judged.roles) == side(t.teacher, judged.roles) == "student"
    ]  # fmt: skip
    for loss in judged.losses:
        for term in loss.terms:
            trained = len(loss.terms) > 1 or loss.entry.how == "backward"
            if term.cut and trained and term.definition and not {
                "ITEM-IN-GRAPH", "GRAPH-CUT", "DETACH-NOOP", "STUDENT-NO-GRAD",
            } & known:  # fmt: skip
                at = _cut_place(loss, judged.tracer)
                fix = None
                if isinstance(at, ast.Call) and isinstance(at.func, ast.Attribute):
                    text = ast.unparse(at.func.value)
                    fix = Fix((Edit(span(at), text),), "unsafe", Text("Keep it", "保留在图中"))
                yield finding("KE107", Severity.ERROR, at, fix, name=term.definition.name)
            if term in peers and "TARGET-IN-GRAPH" not in known and not _is_cut(term.body):
                node = place(term.body, loss, places)
                fix = _detached(node, term, judged)
                message = OWN["KE108-OWN" if is_of_one_network([term]) else "KE108"]
                yield Finding("KE108", Severity.WARNING, span(node), message, fix)


def _cut_place(loss: Loss, tracer: Tracer) -> ast.AST:
    for node in nodes_of(tracer.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            value = tracer.values.get(id(node))
            inside = isinstance(value, Node) and any(p is value for p in walk(loss.entry.value))
            if inside and node.func.attr in {"item", "detach"}:
                return node
    return loss.entry.node


def _detached(node: ast.AST, term: Term, judged: Judged) -> Fix | None:
    """``.detach()`` behind the name that the target is made of."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return None
    for inner in nodes_of(node.args[1]):
        if isinstance(inner, ast.Name) and judged.tracer.values.get(id(inner)) is term.teacher:
            edit = Edit(span(inner), f"{inner.id}.detach()")
            return Fix((edit,), "unsafe", Text("Detach the target", "对目标 detach"))
    return None


def _is_cut(body: Node) -> bool:
    return any(isinstance(p, Call) and p.name == "detach" for p in walk(body))


def in_formulas(look: Look) -> Iterator[Finding]:
    """Loss by loss."""
    yield from _graph(look.judged, look.known, look.places)
