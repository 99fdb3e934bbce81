"""A model that ends in a softmax, and a loss that takes another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.mistakes._softmaxes import call_around
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE179": ("CE-ON-PROBS",)}
_KEEPS = frozenset({"div", "detach", "identity", "floating", "reshape", "view"})


def in_formulas(look: Look) -> Iterator[Finding]:
    """Model by model."""
    if "CE-ON-PROBS" in look.known:
        return
    heads = _heads(look.judged.tracer.tree)
    for name, head in heads.items():
        for loss in look.judged.losses:
            part = next((p for p in walk(loss.entry.value) if _is_softmax_of(p, name)), None)
            if part is not None:
                node = call_around(look, part) or loss.entry.node
                yield finding("KE179", Severity.ERROR, node, _without(head), name=name)
                break


def _is_softmax_of(part: Node, name: str) -> bool:
    if not isinstance(part, Call) or part.name not in {"softmax", "log_softmax", "cross_entropy"}:
        return False
    scores = part.args[0]
    while isinstance(scores, Call) and scores.name in _KEEPS:
        scores = scores.args[0]
    return isinstance(scores, Given) and scores.text.startswith(f"{name}(")


def _heads(tree: ast.Module) -> dict[str, ast.Call]:
    """The models whose last layer is a softmax, with that layer."""
    found: dict[str, ast.Call] = {}
    for node in nodes_of(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            last = _last_layer(node.value)
            if last is not None:
                found[text_of(node.targets[0])] = last
        if isinstance(node, ast.Call) and last_name(node.func) == "add" and node.args:
            owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            layer = node.args[0]
            found.pop(owner, None)
            if isinstance(layer, ast.Call):
                found[owner] = layer
    return {n: layer for n, layer in found.items() if n and _is_softmax(layer)}


def _last_layer(call: ast.Call) -> ast.Call | None:
    if last_name(call.func) != "Sequential" or not call.args:
        return None
    layers = call.args[0].elts if isinstance(call.args[0], ast.List) else call.args
    last = layers[-1] if layers else None
    return last if isinstance(last, ast.Call) else None


def _is_softmax(layer: ast.Call) -> bool:
    if last_name(layer.func) == "Softmax":
        return True
    given = [k.value for k in layer.keywords if k.arg == "activation"]
    given += layer.args[:1] if last_name(layer.func) == "Activation" else []
    return any(
        (isinstance(v, ast.Constant) and v.value == "softmax")
        or (isinstance(v, ast.Attribute) and v.attr == "softmax")
        for v in given
    )


def _without(layer: ast.Call) -> Fix | None:
    """The layer without its activation; a layer of its own is the author's to take out."""
    if not any(k.arg == "activation" for k in layer.keywords):
        return None
    kept = [ast.unparse(a) for a in layer.args]
    kept += [ast.unparse(k) for k in layer.keywords if k.arg != "activation"]
    text = f"{ast.unparse(layer.func)}({', '.join(kept)})"
    return Fix((Edit(span(layer), text),), "unsafe", Text("Return logits", "输出 logits"))
