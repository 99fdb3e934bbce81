"""A moving average over the parameters alone: the statistics of BatchNorm stay behind."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Finding, Severity

BUFFERS = "KE158"
CODES = {BUFFERS: ("EMA-BUFFERS",)}
_CHANGES = frozenset({"mul_", "lerp_", "copy_", "add_"})


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """A loop over the parameters of two models that changes one of them in place."""
    text = text_of(tree)
    if any(word in text for word in ("buffers", "state_dict", "running_mean", "LayerNorm")):
        return
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For) or not isinstance(loop.iter, ast.Call):
            continue
        walked = [a for a in loop.iter.args if isinstance(a, ast.Call)
                  and last_name(a.func) == "parameters"]  # fmt: skip
        if last_name(loop.iter.func) != "zip" or len(walked) != 2 or len(loop.iter.args) != 2:
            continue
        if not isinstance(loop.target, ast.Tuple) or len(loop.target.elts) != 2:
            continue
        changed = _changed(loop)
        elements = [ast.unparse(e) for e in loop.target.elts]
        models = [ast.unparse(w.func.value) for w in walked]  # type: ignore[attr-defined]
        if len(changed) != 1 or not changed <= set(elements):
            continue
        at = elements.index(changed.pop())
        message = OWN[BUFFERS].format(name=models[at], source=models[1 - at])
        yield Finding(BUFFERS, Severity.INFO, span(loop.iter), message)
        return


def _changed(loop: ast.For) -> set[str]:
    """The names whose tensors a loop changes by a mixture of the old and the new."""
    found: set[str] = set()
    for node in nodes_of(loop):
        place: ast.expr | None = None
        if isinstance(node, ast.Call) and last_name(node.func) in _CHANGES:
            place = node.func.value if isinstance(node.func, ast.Attribute) else None
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            place = node.targets[0]
        while isinstance(place, ast.Attribute | ast.Call):
            place = place.value if isinstance(place, ast.Attribute) else place.func
        if isinstance(place, ast.Name):
            found.add(place.id)
    mixed = any(
        isinstance(n, ast.BinOp) or (isinstance(n, ast.Call) and last_name(n.func) in
                                     {"mul_", "lerp_"}) for s in loop.body for n in nodes_of(s)
    )  # fmt: skip
    return found if mixed else set()
