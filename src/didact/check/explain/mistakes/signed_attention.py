"""Attention maps whose channels are added without a square or an absolute value."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.formula.tree import Sequence as Items
from didact.check.explain.mistakes._look import Look, finding, live
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE180": ("ATTENTION-SIGNED",)}
_FLAT = frozenset({"view", "reshape", "flatten"})


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where both sides' maps are normalised and compared."""
    if not look.is_torch:
        return
    edits: dict[ast.AST, Edit] = {}
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            summed = _summed(part)
            node = look.places.get(summed) if summed is not None else None
            if isinstance(node, ast.Call):
                edits.setdefault(node, _squared(node))
    if edits:
        fix = Fix(tuple(edits.values()), "unsafe", Text("Square the features", "先取平方"))
        node = next(iter(edits))
        yield finding("KE180", Severity.WARNING, node, fix, text=ast.unparse(node))


def _summed(part: Node) -> Call | None:
    """The sum over channels in a map that is flattened and normalised."""
    if not isinstance(part, Call) or not part.args:
        return None
    if part.name == "normalize":
        flat = live(part.args[0])
        if not isinstance(flat, Call) or flat.name not in _FLAT:
            return None
        return _over_channels(flat.args[0])
    if part.name == "div" and len(part.args) == 2:
        summed = _over_channels(part.args[0])
        norms = [p for p in walk(part.args[1]) if isinstance(p, Call) and p.name == "norm"]
        of_maps = any(isinstance(n.keyword("dim"), Items) for n in norms)
        return summed if of_maps else None
    return None


def _over_channels(node: Node) -> Call | None:
    node = live(node)
    if not isinstance(node, Call) or node.name not in {"mean", "sum"}:
        return None
    dim = node.keyword("dim") or (node.args[1] if len(node.args) > 1 else None)
    plain = isinstance(live(node.args[0]), Given)
    return node if plain and isinstance(dim, Constant) and dim.value in {1, -3} else None


def _squared(node: ast.Call) -> Edit:
    inner = node.args[0] if _is_of_torch(node) else getattr(node.func, "value", node)
    text = ast.unparse(inner)
    text = f"({text})" if isinstance(inner, ast.BinOp) else text
    return Edit(span(inner), f"{text}.pow(2)")


def _is_of_torch(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "torch"
