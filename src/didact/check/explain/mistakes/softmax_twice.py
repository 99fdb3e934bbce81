"""A softmax of a softmax."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.mistakes._softmaxes import argument_of, call_around, scores_text
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


def _softmax_twice(look: Look) -> Iterator[Finding]:
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name not in {"softmax", "log_softmax"}:
                continue
            inner: Node = part.args[0]
            while isinstance(inner, Call) and inner.name in _KEEPS:
                inner = inner.args[0]
            if not (isinstance(inner, Call) and inner.name == "softmax"):
                continue
            if part in look.places:
                yield finding("KE110", Severity.ERROR, look.places[part], _once(look, inner))
            else:
                node = call_around(look, part) or loss.entry.node
                yield finding("KE110", Severity.ERROR, node, _scores(look, part))


def _once(look: Look, inner: Node) -> Fix | None:
    """The inner softmax taken away."""
    made = look.places.get(inner)
    if not isinstance(made, ast.Call) or not made.args:
        return None
    edit = Edit(span(made), ast.unparse(made.args[0]))
    return Fix((edit,), "unsafe", Text("Return the logits", "返回 logits"))


def _scores(look: Look, part: Call) -> Fix | None:
    """The scores given to a loss that takes the softmax itself."""
    given = argument_of(look, part)
    text = scores_text(look.judged.tracer.tree, given) if given is not None else None
    if given is None or text is None:
        return None
    return Fix((Edit(span(given), text),), "unsafe", Text("Pass the logits", "传入 logits"))


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if "SOFTMAX-OF-SOFTMAX" not in look.known:
        yield from _softmax_twice(look)
