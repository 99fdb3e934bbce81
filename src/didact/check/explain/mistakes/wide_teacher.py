"""A teacher with more classes than the cut student, as a traceback tells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.mistakes._classes import class_slices
from didact.check.explain.mistakes._look import Look, finding, live
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE175": ("HEAD-MISMATCH",)}
_SIZES = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)")


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where the words around the code hold the sizes."""
    told = _SIZES.search(look.words)
    if told is None or not look.is_torch:
        return
    for loss in look.judged.losses:
        cut = [(p, n) for p, kind, n in class_slices(loss.entry.value)
               if kind == "first" and _role(look, p) == {"student"}]  # fmt: skip
        whole = _whole_teacher(look, loss.entry.value)
        if not cut or whole is None:
            continue
        name = cut[0][1].text
        node = _argument(look, whole)
        if node is not None:
            text = f"{ast.unparse(node)}[:, :{name}]"
            fix = Fix((Edit(span(node), text),), "unsafe", Text("The old classes", "取旧类"))
            yield finding("KE175", Severity.ERROR, node, fix, a=max(int(n) for n in told.groups()),
                          b=min(int(n) for n in told.groups()), teacher=ast.unparse(node),
                          name=name)  # fmt: skip
            return


def _role(look: Look, node: Node) -> set[str]:
    roles = {look.judged.roles[g].role for g in leaves(node) if g in look.judged.roles}
    return roles & {"student", "teacher"}


def _whole_teacher(look: Look, root: Node) -> Given | None:
    """The teacher's scores, where nothing cuts them before the softmax."""
    for part in walk(root):
        if isinstance(part, Call) and part.name in {"softmax", "log_softmax"}:
            indexed = any(isinstance(p, Call) and p.name == "index" for p in walk(part))
            if _role(look, part) == {"teacher"} and not indexed:
                scores = part.args[0]
                while isinstance(scores, Call) and scores.name in {"div", "detach", "identity"}:
                    scores = scores.args[0]
                return scores if isinstance(scores, Given) else None
    return None


def _argument(look: Look, given: Given) -> ast.expr | None:
    """Where the scores go into the softmax."""
    for node in nodes_of(look.judged.tracer.tree):
        if not isinstance(node, ast.Call):
            continue
        value = look.judged.tracer.values.get(id(node))
        if not isinstance(value, Call) or value.name not in {"softmax", "log_softmax"}:
            continue
        for inner in nodes_of(node):
            made = look.judged.tracer.values.get(id(inner))
            if isinstance(inner, ast.Name) and isinstance(made, Node) and live(made) is given:
                return inner
    return None
