"""Two sides that are not treated alike."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding, live, tensors
from didact.check.findings.finding import Finding, Severity

CODES = {"KE140": ("SIDES-DIFFER",)}


def _unlike(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """Both sides of a comparison of features made alike but for one dimension."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name not in _COMPARISONS or len(part.args) < 2:
            continue
        found: list[tuple[Call, Call]] = []
        if not _differences(part.args[0], part.args[1], found) or len(found) != 1:
            continue
        if not leaves(part.args[0]) & tensors(judged) or not leaves(part.args[1]) & tensors(judged):
            continue
        one, other = found[0]
        node = places.get(one) or loss.entry.node
        texts = [ast.unparse(n) for n in (places.get(one), places.get(other)) if n is not None]
        if len(texts) == 2 and texts[0] != texts[1]:
            yield finding("KE140", Severity.ERROR, node, None, one=f"`{texts[0]}`",
                           other=f"`{texts[1]}`")  # fmt: skip
            return


_COMPARISONS = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "sub"})


def _differences(one: Node, other: Node, found: list[tuple[Call, Call]]) -> bool:
    """Whether two parts are the same operations on other names; where a constant differs."""
    one, other = live(one), live(other)
    if isinstance(one, Given) and isinstance(other, Given):
        return True
    if not isinstance(one, Call) or not isinstance(other, Call) or one.name != other.name:
        return (
            isinstance(one, Constant) and isinstance(other, Constant) and one.value == other.value
        )
    if len(one.args) != len(other.args):
        return False
    keys = [k for k, _ in one.keywords]
    if keys != [k for k, _ in other.keywords]:
        return False
    for a, b in zip(one.children, other.children, strict=True):
        if isinstance(a, Constant) and isinstance(b, Constant) and a.value != b.value:
            if one.name not in _ALONG:
                return False
            if (one, other) not in found:
                found.append((one, other))
        elif not isinstance(a, Constant) and not _differences(a, b, found):
            return False
    return True


_ALONG = frozenset({"normalize", "softmax", "mean", "sum", "norm"})


def in_formulas(look: Look) -> Iterator[Finding]:
    """Loss by loss."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        yield from _unlike(look.judged, loss, look.places)
