"""A maximum mean discrepancy whose mixed term is subtracted once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Given, Node
from didact.check.explain.formula.verdict import addends
from didact.check.explain.idioms._match import is_call
from didact.check.explain.mistakes._look import Look, finding, live
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE237": ("CROSS-TERM",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where a loss is mean k(t, t) + mean k(s, s) − mean k(s, t)."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        parts = addends(loss.entry.value)
        mixed = [p for p in parts if is_call(p, "neg") and is_call(live(p.args[0]), "mean")]
        alone = [live(p) for p in parts if is_call(live(p), "mean")]
        if len(parts) != 3 or len(mixed) != 1 or len(alone) != 2:
            continue
        both = live(mixed[0].args[0])
        own = [_tensors(look, p) for p in alone]
        if any(len(s) != 1 for s in own) or own[0] | own[1] != _tensors(look, both):
            continue
        if own[0] == own[1] or len({_form(p) for p in (*alone, both)}) > 1:
            continue
        node = look.places.get(both)
        if isinstance(node, ast.Call):
            edit = Edit(span(node), f"2 * {ast.unparse(node)}")
            fix = Fix((edit,), "unsafe", Text("Subtract it twice", "减去两倍"))
            yield finding("KE237", Severity.ERROR, node, fix, text=ast.unparse(node))


def _tensors(look: Look, part: Node) -> frozenset[str]:
    """Whose tensors a part is made of."""
    roles = {look.judged.roles[g].role for g in leaves(part) if g in look.judged.roles}
    return frozenset(roles & {"student", "teacher"})


def _form(part: Node) -> str:
    """The operations of a part, whatever they are done on."""
    if isinstance(part, Given):
        return "x"
    if isinstance(part, Call):
        inner = ",".join(map(_form, part.args))
        return (
            _form(part.args[0]) if part.name in {"detach", "identity"} else f"{part.name}({inner})"
        )
    return type(part).__name__
