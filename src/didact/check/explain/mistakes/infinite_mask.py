"""Minus infinity inside of a divergence."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE133": ("INF-MASK",)}


def _infinite(judged: Judged) -> Iterator[Finding]:
    """Classes that are masked with −inf before a ``kl_div``: 0 · inf is NaN."""
    infinite: list[ast.Call] = [
        n for n in nodes_of(judged.tracer.tree)
        if isinstance(n, ast.Call) and last_name(n.func).startswith("masked_fill")
        and len(n.args) > 1 and "inf" in ast.unparse(n.args[1])
    ]  # fmt: skip
    for loss in judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name != "kl_div":
                continue
            inside = [p for p in walk(part) if isinstance(p, Call) and p.name == "masked_fill"]
            places = [n for n in infinite if judged.tracer.values.get(id(n)) in inside]
            for place in places:
                fix = Fix((Edit(span(place.args[1]), "-1000.0"),), "unsafe",
                          Text("A finite number", "换成有限的数"))  # fmt: skip
                yield finding("KE133", Severity.ERROR, place, fix)


def in_formulas(look: Look) -> Iterator[Finding]:
    """In all values."""
    if not look.is_torch:
        return
    yield from _infinite(look.judged)
