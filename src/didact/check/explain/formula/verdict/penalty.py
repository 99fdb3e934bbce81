"""A quadratic penalty on parameters: its form tells it, no numbers are needed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from didact.check.explain.formula.definitions import EWC, L2_SP, Definition
from didact.check.explain.formula.kinds import Kind, is_scalar
from didact.check.explain.formula.plain import bare
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.formula.verdict.factors import summed

_OF_PARAMETERS = re.compile(r"param|state_dict|fisher|omega|importance|weights", re.IGNORECASE)
_IMPORTANCE = re.compile(r"fisher|omega|importance|precision|(^|_)F($|\\W)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Penalty:
    """``Σ F·(θ − θ*)²``: the parameters, the old ones, and the numbers in front of it."""

    definition: Definition
    parameters: Node
    old: Node
    weights: tuple[tuple[Node, int], ...]


def penalty(body: Node, kinds: dict[Given, Kind]) -> Penalty | None:
    """The penalty that a term is, if it is one."""
    each = summed(body)
    told = each is not None and _OF_PARAMETERS.search(each.loop.text) is not None
    inner = bare(each.body) if each is not None else bare(body)
    weights: list[tuple[Node, int]] = []
    while isinstance(inner, Call):
        pair = inner.name in {"mul", "div"} and len(inner.args) == 2
        if inner.name == "sum" and len(inner.children) == 1:
            inner = bare(inner.args[0])
        elif pair and is_scalar(inner.args[1], kinds):
            weights.append((inner.args[1], 1 if inner.name == "mul" else -1))
            inner = bare(inner.args[0])
        elif pair and inner.name == "mul" and is_scalar(inner.args[0], kinds):
            weights.append((inner.args[0], 1))
            inner = bare(inner.args[1])
        else:
            break
    if not any(isinstance(p, Call) and p.name == "sum" for p in walk(body)):
        return None
    factors = [bare(inner)]
    if isinstance(inner, Call) and inner.name == "mul":
        factors = [bare(a) for a in inner.args]
    squares = [s for s in map(_difference, factors) if s is not None]
    others = [f for f in factors if _difference(f) is None]
    if len(squares) != 1 or len(others) > 1:
        return None
    important = bool(others) and any(
        isinstance(p, Given) and _IMPORTANCE.search(p.text) for p in walk(others[0]))  # fmt: skip
    if not told and not important:
        return None
    if others and any(isinstance(p, Call) and p.name not in {"index", "detach"}
                      for p in (others[0],)):  # fmt: skip
        return None
    definition = EWC if others else L2_SP
    return Penalty(definition, *squares[0], tuple(weights))


def _difference(node: Node) -> tuple[Node, Node] | None:
    """``a`` and ``b`` of ``(a − b)²``, where both are plain parameters."""
    if not isinstance(node, Call) or node.name not in {"pow", "square"}:
        return None
    power = node.args[1] if len(node.args) > 1 else Constant(2)
    inner = bare(node.args[0])
    squared = isinstance(power, Constant) and power.value == 2
    if not squared or not isinstance(inner, Call) or inner.name != "sub":
        return None
    left, right = inner.args
    calls = [n for n in map(bare, (left, right)) if isinstance(n, Call)]
    plain = all(n.name == "index" for n in calls)
    return (left, right) if plain else None
