"""What stands around the heart of a loss: signs, factors, sums and means."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from didact._core.i18n import Text
from didact.check.engine.names import is_temperature
from didact.check.explain.formula.kinds import Kind, by_name, is_scalar
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.idioms._match import (
    arg,
    constant,
    dim_of,
    is_call,
    number,
    peeled,
    power,
)
from didact.check.explain.idioms._scene import Scene

_COUNTS = frozenset({"size", "numel", "length", "item"})


@dataclass(slots=True)
class Peel:
    """The heart of an expression and what is done to it, from the outside in.

    Attributes:
        core: What is left.
        negative: A minus stands before it.
        factors: What it is multiplied by, or divided by (True).
        reduced: The sums and means, each with its dimension, None for all.
        chain: All that was passed, the core last.
    """

    core: Node
    negative: bool = False
    factors: list[tuple[Node, bool]] = field(default_factory=list)
    reduced: list[tuple[str, int | None]] = field(default_factory=list)
    chain: list[Node] = field(default_factory=list)


def peel(scene: Scene, part: Node) -> Peel:
    """Take everything off that does not change what is compared."""
    found = Peel(part)
    while True:
        found.chain.append(found.core)
        inner = _step(scene, found, found.core)
        if inner is None:
            return found
        found.core = inner


def _step(scene: Scene, found: Peel, node: Node) -> Node | None:
    if is_call(node, "neg"):
        found.negative = not found.negative
        return node.args[0]
    if is_call(node, "mean", "sum") and len(node.args) <= 2:
        dim = dim_of(node)
        several = arg(node, 1, "dim", "axis") is not None and dim is None
        if several or constant(arg(node, 2, "keepdim")):
            return None
        found.reduced.append((node.name, dim))
        return node.args[0]
    if is_call(node, "mul"):
        if is_call(node.args[0], "neg"):
            found.negative = not found.negative
            return Call("mul", (node.args[0].args[0], node.args[1]))
        for one, other in (node.args, node.args[::-1]):
            if number(one) == -1:
                found.negative = not found.negative
                return other
            if _is_number(scene, one) and not _is_number(scene, other):
                found.factors.append((one, False))
                return other
    if is_call(node, "div") and _is_number(scene, node.args[1]):
        found.factors.append((node.args[1], True))
        return node.args[0]
    return None


def _is_number(scene: Scene, node: Node) -> bool:
    node = peeled(node)
    if is_call(node, *_COUNTS) or _is_schedule(scene, node):
        return True
    if is_call(node, "index") and is_call(node.args[0], "size"):
        return True
    if is_call(node, "mul", "add", "sub", "div"):
        return all(_is_number(scene, a) for a in node.args)
    raised = power(node)
    if raised is not None:
        return _is_number(scene, raised[0])
    if isinstance(node, Given) and node not in scene.judged.kinds:
        return not node.inputs and by_name(node) in {Kind.TEMPERATURE, Kind.WEIGHT}
    return is_scalar(node, scene.judged.kinds)


def _is_schedule(scene: Scene, node: Node) -> bool:
    """Whether a part is a temperature that is computed: arithmetic under such a name."""
    if not is_call(node, "add", "sub", "mul", "div", "maximum", "minimum"):
        return False
    names = [n for n in scene.names_of(node) if not n.lower().endswith("_t")]
    return any(map(is_temperature, names)) and not any(
        is_call(part, "softmax", "log_softmax", "sum", "mean") for part in walk(node)
    )


def is_made_here(scene: Scene, peel: Peel, node: ast.expr) -> bool:
    """Whether an expression writes the heart out instead of reading a name for it."""
    written = [p for p in peel.chain if scene.is_written(p)]
    return bool(written) and scene.is_written_in(written[-1], node)


def times(scene: Scene, peel: Peel, node: ast.expr) -> Text:
    """The factors in words, T·T as T²."""
    shown: list[str] = []
    for factor, below in reversed(peel.factors):
        raised = power(factor)
        name = scene.name(factor, node)
        if raised is not None and scene.name(raised[0], node) != "…":
            exponent = "²" if raised[1] == 2 else f" ** {raised[1]:g}"
            name = f"{scene.name(raised[0], node)}{exponent}"
        if name == "…":
            continue
        one = f"{'÷' if below else '×'} {name}"
        if shown and shown[-1] == one and not below:
            shown[-1] = f"{one}²"
        else:
            shown.append(one)
    if not shown:
        return Text("", "")
    return Text(f"; all of it {', '.join(shown)}", f"；整体再 {'、'.join(shown)}")


_NOT_REDUCED = Text("; element by element, not summed yet", "；逐元素，尚未求和")
_ALL_MEAN = Text(
    "; averaged over all elements, so divided by the number of classes as well",
    "；对所有元素取平均，即还除以了类别数",
)
_ALL_SUM = Text("; summed over all elements", "；对所有元素求和")
_ROWS = Text("; summed over dim {dim}", "；沿 dim={dim} 求和")
_ROWS_MEAN = Text("; summed over dim {dim}, then averaged", "；沿 dim={dim} 求和，再取平均")
_ROWS_SUM = Text("; summed over dim {dim}, then over the rest", "；沿 dim={dim} 求和，再对其余求和")
_AVERAGED_ROWS = Text("; averaged over dim {dim}", "；沿 dim={dim} 取平均")
_AVERAGED_MEAN = Text(
    "; averaged over dim {dim}, then over the rest", "；沿 dim={dim} 取平均，再对其余取平均"
)
_AVERAGED_SUM = Text("; averaged over dim {dim}, then summed", "；沿 dim={dim} 取平均，再求和")
_TWO_STEPS = {
    ("sum", "mean"): _ROWS_MEAN, ("sum", "sum"): _ROWS_SUM,
    ("mean", "mean"): _AVERAGED_MEAN, ("mean", "sum"): _AVERAGED_SUM,
}  # fmt: skip


def reduction(peel: Peel) -> Text | None:
    """How the heart becomes one number; None where that has no words."""
    steps = peel.reduced[::-1]  # from the inside out
    if not steps:
        return _NOT_REDUCED
    (first, dim), rest = steps[0], steps[1:]
    if not rest:
        if dim is None:
            return _ALL_MEAN if first == "mean" else _ALL_SUM
        return (_ROWS if first == "sum" else _AVERAGED_ROWS).format(dim=dim)
    if len(rest) == 1 and dim is not None:
        return _TWO_STEPS[first, rest[0][0]].format(dim=dim)
    return None
