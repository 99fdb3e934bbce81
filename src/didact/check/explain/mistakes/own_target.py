"""A side that is compared with itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Constant, Node, walk
from didact.check.explain.mistakes._look import Look, finding, live
from didact.check.findings.finding import Finding, Severity

CODES = {"KE132": ("SELF-TARGET",)}


# A network that is its own teacher


def _self_targets(loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """A divergence between a network's output and itself: 0, whatever it says."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name != "kl_div" or len(part.args) < 2:
            continue
        logs, probs = part.args[:2]
        both = isinstance(logs, Call) and isinstance(probs, Call)
        if not both or logs.name != "log_softmax" or probs.name != "softmax":  # type: ignore[attr-defined]
            continue
        if _same(logs.args[0], probs.args[0]):  # type: ignore[attr-defined]
            made = sorted(g.text for g in leaves(logs))
            node = places.get(part) or loss.entry.node
            yield finding("KE132", Severity.ERROR, node, None, name=", ".join(made[:2]))


def _same(one: Node, other: Node) -> bool:
    """Whether two parts are the same numbers, gradients aside."""
    one, other = live(one), live(other)
    if one is other:
        return True
    if isinstance(one, Constant) and isinstance(other, Constant):
        return bool(one.value == other.value)
    alike = isinstance(one, Call) and isinstance(other, Call) and one.name == other.name
    if not alike or len(one.children) != len(other.children):
        return False
    return all(_same(a, b) for a, b in zip(one.children, other.children, strict=True))


def in_formulas(look: Look) -> Iterator[Finding]:
    """Loss by loss."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        yield from _self_targets(loss, look.places)
