"""A softmax of a softmax."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

_KEEPS = frozenset(
    [
        "div",
        "index",
        "view",
        "reshape",
        "flatten",
        "detach",
        "identity",
        "floating",
        "mean",
        "stack",
    ]
)

CODES = {"KE110": ("SOFTMAX-OF-SOFTMAX",)}


def _softmax_twice(judged: Judged, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    for loss in judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name not in {"softmax", "log_softmax"}:
                continue
            inner: Node = part.args[0]
            while isinstance(inner, Call) and inner.name in _KEEPS:
                inner = inner.args[0]
            if not (isinstance(inner, Call) and inner.name == "softmax") or part not in places:
                continue
            made = places.get(inner)
            fix = None
            if isinstance(made, ast.Call) and made.args:
                text = ast.unparse(made.args[0])
                fix = Fix((Edit(span(made), text),), "unsafe",
                          Text("Return the logits", "返回 logits"))  # fmt: skip
            yield finding("KE110", Severity.ERROR, places[part], fix)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if "SOFTMAX-OF-SOFTMAX" not in look.known:
        yield from _softmax_twice(look.judged, look.places)
