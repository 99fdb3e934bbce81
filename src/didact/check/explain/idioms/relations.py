"""Products of all pairs of rows: cosines, inner products, angles."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.engine.names import is_temperature
from didact.check.explain.formula.tree import Call, Given, Node
from didact.check.explain.idioms._match import (
    arg,
    is_call,
    is_same,
    number,
    product_of_rows,
    spread,
)
from didact.check.explain.idioms._scene import Scene

_GRAM = Text(
    "the inner products of all pairs of rows of {x} (Gram matrix)",
    "{x} 各行两两的内积（Gram 矩阵）",
)
_COSINES = Text(
    "the cosines of all pairs of rows of {x} (they have length 1)",
    "{x} 各行两两的余弦相似度（各行长度为 1）",
)
_GRAM_BETWEEN = Text(
    "the inner products of every row of {x} with every row of {y}",
    "{x} 每一行与 {y} 每一行的内积",
)
_COSINES_BETWEEN = Text(
    "the cosines of every row of {x} with every row of {y} (both have length 1)",
    "{x} 每一行与 {y} 每一行的余弦相似度（长度均为 1）",
)
_ANGLES = Text(
    "the cosine of the angle at each row i between the directions to rows j and k, for all "
    "triplets (i, j, k)",
    "所有三元组 (i, j, k) 在第 i 行处的夹角余弦：指向 j、k 两个方向的单位向量之内积",
)
_EACH_GRAM = Text(
    "for each sample the inner products of all pairs of rows of {x} (a Gram matrix per sample)",
    "每个样本各自的 Gram 矩阵：{x} 各行两两的内积",
)
_EACH_BETWEEN = Text(
    "for each sample the inner products of every row of {x} with every row of {y}",
    "每个样本内 {x} 每一行与 {y} 每一行的内积",
)
_EACH_COSINES = Text(
    "for each sample the cosines of all pairs of rows of {x} (they have length 1)",
    "每个样本内 {x} 各行两两的余弦相似度（各行长度为 1）",
)
_FLAT = Text("{what}; flattened to one dimension", "{what}；展平成一维")
_NORMED = Text("{what}; each row of it is scaled to length 1", "{what}；再把每一行归一化为单位长度")
_DIVIDED = Text("; all of it ÷ {t}", "；整体再 ÷ {t}")
_TIMES = Text(
    "; all of it × {t} (it multiplies: a scale, an inverse temperature)",
    "；整体再 × {t}（这里是乘：相当于温度的倒数）",
)
_DIRECTIONS = Text(
    "the unit vectors from each row to each other one: of the differences only the direction is "
    "kept",
    "两两之差归一化为单位长度的向量：只保留方向",
)


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """Matrices of relations between rows."""
    part = scene.part(node)
    if not isinstance(part, Call) or isinstance(node, ast.Name | ast.Attribute):
        return None
    if is_directions(part):
        return _DIRECTIONS
    outer: list[Text] = []
    scale: Text | None = None
    while True:
        if part.name in {"view", "reshape"} and [number(a) for a in part.args[1:]] == [-1]:
            outer.append(_FLAT)
        elif part.name == "normalize" and number(arg(part, 2, "dim")) in {None, 1, -1}:
            outer.append(_NORMED)
        elif part.name == "div" and scale is None and _is_number(part.args[1]):
            scale = _DIVIDED.format(t=scene.name(part.args[1], node))
        elif part.name == "mul" and scale is None and _is_number(part.args[1]):
            scale = _TIMES.format(t=scene.name(part.args[1], node))
        else:
            break
        inner = part.args[0]
        if not isinstance(inner, Call):
            return None
        part = inner
    if not scene.is_written_in(part, node):
        return None
    told = _product(scene, part, node)
    if told is None:
        return None
    if scale is not None:
        told = Text(f"{told.en}{scale.en}", f"{told.zh}{scale.zh}")
    for one in reversed(outer):
        told = one.format(what=told)
    return told


def _product(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    rows = product_of_rows(part)
    if rows is None:
        return None
    x, y, batched = rows
    same = is_same(x, y)
    if batched and same and is_directions(x):
        return _ANGLES
    if not all(scene.is_named(side, node) for side in (x, y)):
        return None
    unit = is_unit(x, last=batched) and is_unit(y, last=batched)
    names = {"x": scene.name(x, node), "y": scene.name(y, node)}
    if batched:
        if not same:
            return _EACH_BETWEEN.format(**names)
        return (_EACH_COSINES if unit else _EACH_GRAM).format(**names)
    if same:
        return (_COSINES if unit else _GRAM).format(**names)
    return (_COSINES_BETWEEN if unit else _GRAM_BETWEEN).format(**names)


def is_directions(node: Node) -> bool:
    """Whether a part is the differences of all pairs of rows, each scaled to length 1."""
    if not is_call(node, "normalize") or number(arg(node, 2, "dim")) not in {2, -1}:
        return False
    inner = node.args[0]
    if not is_call(inner, "sub"):
        return False
    sides = [spread(a) for a in inner.args]
    return (
        sides[0] is not None and sides[1] is not None
        and {sides[0][1], sides[1][1]} == {0, 1} and is_same(sides[0][0], sides[1][0])
    )  # fmt: skip


def is_unit(node: Node, *, last: bool = False) -> bool:
    """Whether the rows of a part have length 1: ``normalize``, ``x / x.norm(...)``.

    With ``last`` a part has three dimensions, and its rows lie along the last.
    """
    while is_call(node, "detach", "identity"):
        node = node.args[0]
    if is_call(node, "normalize"):
        dims = {2, -1} if last else {None, 1, -1}
        return number(arg(node, 1, "p")) in {None, 2} and number(arg(node, 2, "dim")) in dims
    if last:
        return False
    if is_call(node, "div") and isinstance(node.args[1], Given):
        length = node.args[1]
        return "linalg.norm(" in length.text and node.args[0] in length.inputs
    if is_call(node, "div") and is_call(node.args[1], "norm", "clamp", "add", "maximum"):
        below = node.args[1]
        inner = below if below.name == "norm" else below.args[0]
        return is_call(inner, "norm") and inner.args[0] is node.args[0]
    return False


def _is_number(node: Node) -> bool:
    if is_call(node, "size") or (is_call(node, "index") and is_call(node.args[0], "size")):
        return True
    text = getattr(node, "text", "")
    return number(node) is not None or (bool(text) and is_temperature(text))
