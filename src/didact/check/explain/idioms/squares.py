"""Mean squared and absolute differences that are written out."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.formula.tree import Call
from didact.check.explain.idioms._match import arg, dim_of, is_call, number, square_of
from didact.check.explain.idioms._peel import is_made_here, peel, times
from didact.check.explain.idioms._scene import Scene

_SQUARES = Text(
    "the squared differences of {a} and {b}{reduced}{times}", "{a} 与 {b} 的平方差{reduced}{times}"
)
_WEIGHTED = Text(
    "the squared differences of {a} and {b}, each weighted by {w}{reduced}{times}",
    "{a} 与 {b} 的平方差，逐元素乘以权重 {w}{reduced}{times}",
)
_ABSOLUTE = Text(
    "the absolute differences of {a} and {b}{reduced}{times}",
    "{a} 与 {b} 之差的绝对值{reduced}{times}",
)
_NORM = Text(
    "the distance (L2 norm of the difference) of {a} and {b} along dim {dim}, one for each row"
    "{reduced}{times}",
    "{a} 与 {b} 之差沿 dim={dim} 的 L2 范数，每行一个数{reduced}{times}",
)
_MEAN = Text(", averaged over all elements", "，对所有元素取平均")
_SUM = Text(", summed over all elements", "，对所有元素求和")
_NORM_MEAN = Text(", averaged over the rows", "，再对各行取平均")
_NORM_SUM = Text(", summed over the rows", "，再对各行求和")
_DIM = {
    "mean": Text(", averaged over dim {dim}", "，沿 dim={dim} 取平均"),
    "sum": Text(", summed over dim {dim}", "，沿 dim={dim} 求和"),
}
_THEN = {
    "mean": Text("{first}, then averaged", "{first}，再取平均"),
    "sum": Text("{first}, then summed", "{first}，再求和"),
}


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """Differences under a square, a norm or bars."""
    part = scene.part(node)
    if not isinstance(part, Call) or isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return None
    found = peel(scene, part)
    if found.negative or not is_made_here(scene, found, node):
        return None
    weight = None
    if is_call(found.core, "mul"):
        for one, other in (found.core.args, found.core.args[::-1]):
            squared = square_of(other)
            written = squared is not None and scene.is_written_in(squared, node)
            if written and scene.is_named(one, node):
                weight, found.core = one, other
                break
    squared = square_of(found.core)
    words, inner, dim = _SQUARES, squared, None
    if is_call(found.core, "abs"):
        words, inner = _ABSOLUTE, found.core.args[0]
    elif is_call(found.core, "norm"):
        dim = dim_of(found.core, 2)
        usual = number(arg(found.core, 1, "p", "ord")) in {None, 2}
        if dim is None or not usual:
            return None
        words, inner = _NORM, found.core.args[0]
    if inner is None or not is_call(inner, "sub"):
        return None
    if not found.reduced and not scene.is_written_in(inner, node):
        return None  # the square of a number perhaps
    a, b = inner.args
    if not (scene.is_named(a, node) and scene.is_named(b, node)):
        return None
    reduced = _reduced(found.reduced, of_rows=words is _NORM)
    if reduced is None:
        return None
    if weight is not None:
        words = _WEIGHTED
    return words.format(
        w=scene.name(weight, node) if weight is not None else "",
        a=scene.name(a, node), b=scene.name(b, node), dim=dim, reduced=reduced,
        times=times(scene, found, node),
    )  # fmt: skip


def _reduced(outside_in: list[tuple[str, int | None]], *, of_rows: bool) -> Text | None:
    if not outside_in:
        return Text("", "")
    steps = outside_in[::-1]
    (name, dim), rest = steps[0], steps[1:]
    if dim is None:
        if rest:
            return None
        if of_rows:
            return _NORM_MEAN if name == "mean" else _NORM_SUM
        return _MEAN if name == "mean" else _SUM
    first = _DIM[name].format(dim=dim)
    if not rest:
        return first
    return _THEN[rest[0][0]].format(first=first) if len(rest) == 1 else None
