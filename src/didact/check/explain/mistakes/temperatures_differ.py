"""Two temperatures in one divergence."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE127": ("T-MISMATCH",)}


# Temperatures


def other_temperature(judged: Judged, term: Term) -> Iterator[Finding]:
    """The square of another temperature than the one the softmaxes are at."""
    softened = _one_temperature(term.body)
    squares = [
        w for w, power in term.weights
        if power == 2 and isinstance(w, Given) and judged.kinds.get(w) is Kind.TEMPERATURE
    ]  # fmt: skip
    if softened is None or isinstance(softened, Constant) or len(squares) != 1:
        return
    name = judged.tracer.labels.get(softened) or getattr(softened, "text", "")
    factor = squares[0].text
    if squares[0] is softened or not name or _plain(name) == _plain(factor):
        return
    for node in nodes_of(judged.tracer.tree):
        square = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
        if square and ast.unparse(node.left) in {factor, f"self.{factor}"}:  # type: ignore[attr-defined]
            message = Text("Use the same temperature", "用同一个温度")
            fix = Fix((Edit(span(node.left), name),), "unsafe", message)  # type: ignore[attr-defined]
            usable = fix if name.isidentifier() else None
            yield finding("KE127", Severity.WARNING, node, usable, factor=factor, temperature=name)
            return


def _one_temperature(body: Node) -> Node | None:
    """What divides the scores of all softmaxes of a term, where it is one number for all."""
    found: set[Node] = set()
    for part in walk(body):
        if isinstance(part, Call) and part.name in {"softmax", "log_softmax"}:
            inner = part.args[0]
            if not isinstance(inner, Call) or inner.name != "div":
                return None
            found.add(inner.args[1])
    return found.pop() if len(found) == 1 else None


def _plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower()


def in_formulas(look: Look) -> Iterator[Finding]:
    """Term by term."""
    if not look.is_torch:
        return
    for term in look.judged.terms:
        yield from other_temperature(look.judged, term)
