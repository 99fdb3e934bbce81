"""A term without the factors in front of it, and a sum as its addends."""

from __future__ import annotations

from collections.abc import Iterator

from didact.check.explain.formula.kinds import Kind, is_listed_weight, is_scalar, is_weights
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Each,
    Given,
    Item,
    Node,
    Sequence,
)

Weights = list[tuple[Node, int]]


def is_count(node: Node) -> bool:
    """Whether a part is the length of a list."""
    return isinstance(node, Call) and node.name == "length"


def averaged(node: Node) -> Each | None:
    """What a mean over a list is taken of."""
    if isinstance(node, Call) and node.name == "mean" and len(node.children) == 1:
        return summed(Call("sum", node.args))
    return None


def is_sizes(node: Node) -> bool:
    """Whether a part is made of sizes of tensors alone: ``n * c`` of ``n, c, h, w = x.shape``."""
    if isinstance(node, Call) and node.name in {"mul", "floating"}:
        return all(map(is_sizes, node.args))
    if isinstance(node, Call) and node.name == "index":
        return isinstance(node.args[0], Call) and node.args[0].name == "size"
    return isinstance(node, Call) and node.name in {"size", "numel"}


def summed(node: Node) -> Each | None:
    """What a sum over a list adds up."""
    if isinstance(node, Call) and node.name == "sum" and len(node.children) == 1:
        inner = node.args[0]
        if isinstance(inner, Each):
            return inner
        if isinstance(inner, Call) and inner.name == "stack" and isinstance(inner.args[0], Each):
            return inner.args[0]
    return None


def stripped(
    node: Node, kinds: dict[Given, Kind]
) -> tuple[list[tuple[Node, int]], Node, int, bool]:
    """The factors in front of a term, the term, its sign, and whether it is outside the graph."""
    weights: list[tuple[Node, int]] = []
    sign, cut = 1, False
    while isinstance(node, Call):
        if node.name == "neg":
            sign, node = -sign, node.args[0]
        elif node.name in {"identity", "floating"}:
            node = node.args[0]
        elif node.name in {"detach", "item"}:
            cut, node = True, node.args[0]
        elif node.name == "mul":
            left, right = node.args
            if _is_factor(left, kinds):
                weights.append((left, 1))
                node = right
            elif _is_factor(right, kinds):
                weights.append((right, 1))
                node = left
            else:
                break
        elif node.name == "div" and _is_factor(node.args[1], kinds):
            weights.append((node.args[1], -1))
            node = node.args[0]
        elif (taken := _out_of_mean(node, kinds)) is not None:
            weights.append(taken[0])
            node = taken[1]
        elif node.name in {"mul", "div"} and is_sizes(node.args[1]):
            before, rest, turned, inside = stripped(node.args[0], kinds)
            weights += before
            sign, cut = sign * turned, cut or inside
            node = Call(node.name, (rest, node.args[1])) if before or turned < 0 else node
            break
        else:
            break
    flat: list[tuple[Node, int]] = []
    for weight, power in weights:
        for factor, inner in factors(weight):
            if isinstance(factor, Constant) and factor.value < 0:
                sign, factor = -sign, Constant(-factor.value)
            flat.append((factor, power * inner))
    return flat, node, sign, cut


def _out_of_mean(node: Call, kinds: dict[Given, Kind]) -> tuple[tuple[Node, int], Node] | None:
    """A number in front of what a mean or a sum is taken of."""
    inner = node.args[0] if node.name in {"mean", "sum"} and len(node.children) == 1 else None
    if not isinstance(inner, Call) or inner.name not in {"mul", "div"}:
        return None
    for number, rest in (inner.args, inner.args[::-1]):
        divides = inner.name == "div"
        if divides and number is not inner.args[1]:
            continue
        if _is_factor(number, kinds) and not is_count(number):
            return (number, -1 if divides else 1), Call(node.name, (rest,), node.keywords)
    return None


def factors(node: Node) -> Iterator[tuple[Node, int]]:
    """The factors of a product, each with its power."""
    if isinstance(node, Constant) and node.factors:
        yield from ((Constant(f), 1) for f in node.factors)
    elif isinstance(node, Call) and node.name == "mul":
        yield from factors(node.args[0])
        yield from factors(node.args[1])
    elif isinstance(node, Call) and node.name == "div":
        yield from factors(node.args[0])
        yield from ((f, -p) for f, p in factors(node.args[1]))
    elif isinstance(node, Call) and node.name == "square":
        yield from ((f, 2 * p) for f, p in factors(node.args[0]))
    elif isinstance(node, Call) and node.name == "pow" and isinstance(node.args[1], Constant):
        power = node.args[1].value
        if isinstance(power, int | float) and power == int(power) and abs(power) < 9:
            yield from ((f, int(power) * p) for f, p in factors(node.args[0]))
        else:
            yield node, 1
    else:
        yield node, 1


def _is_factor(node: Node, kinds: dict[Given, Kind]) -> bool:
    if is_scalar(node, kinds) or is_count(node) or is_listed_weight(node):
        return True
    last = isinstance(node, Call) and node.name == "last"
    if isinstance(node, Item) or last:
        source = node.args[0] if last else None  # type: ignore[attr-defined]
        if isinstance(node, Item) and node.source >= 0:
            source = node.loop.sources[node.source]
        if isinstance(source, Call) and source.name == "tensor" and source.args:
            source = source.args[0]
        if isinstance(source, Sequence):
            return all(isinstance(i, Constant) for i in source.items)
        return isinstance(source, Given) and is_weights(source.text)
    if isinstance(node, Call) and node.name in {"add", "sub", "mul", "div", "pow"}:
        return all(_is_factor(a, kinds) for a in node.args)
    return False


def addends(node: Node) -> list[Node]:
    """The terms of a sum."""
    if isinstance(node, Call) and node.name == "add":
        return [p for a in node.args for p in addends(a)]
    if isinstance(node, Call) and node.name == "sub":
        return [*addends(node.args[0]), *(Call("neg", (p,)) for p in addends(node.args[1]))]
    if isinstance(node, Call) and node.name == "sum" and len(node.children) == 1:
        inner = node.args[0]
        if not isinstance(inner, Call | Each) and inner.children:
            return [p for a in inner.children for p in addends(a)]
    return [node]


def spread(node: Node) -> list[Node]:
    """The means of the addends that a mean is taken of; nothing where there is one."""
    if not isinstance(node, Call) or node.name != "mean" or len(node.children) != 1:
        return []
    parts = addends(node.args[0])
    plain = len(parts) > 1 and not any(isinstance(p, Each | Constant) for p in parts)
    return [Call("mean", (p,)) for p in parts] if plain else []


def is_same(one: Node, other: Node) -> bool:
    """Whether two parts are written alike: the same operations on the same names."""
    if one is other:
        return True
    if isinstance(one, Constant) and isinstance(other, Constant):
        return bool(one.value == other.value)
    if not isinstance(one, Call) or not isinstance(other, Call) or one.name != other.name:
        return False
    pairs = list(zip(one.children, other.children, strict=False))
    return len(one.children) == len(other.children) and all(is_same(a, b) for a, b in pairs)


def live(node: Node) -> Node:
    """A value without the ``detach()`` around it."""
    while isinstance(node, Call) and node.name in {"detach", "identity"}:
        node = node.args[0]
    return node
