"""Differences and distances of all pairs of rows."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.formula.tree import Call, Node
from didact.check.explain.idioms._match import (
    arg,
    constant,
    dim_of,
    is_call,
    is_same,
    number,
    product_of_rows,
    spread,
    square_of,
    transposed_of,
)
from didact.check.explain.idioms._scene import Scene

_DIFFERENCES = Text(
    "the difference vectors of all pairs of rows of {x}: one vector for each pair (i, j)",
    "{x} 各行两两之差：每一对 (i, j) 一个差向量",
)
_SQUARED = Text(
    "the squared distances of all pairs of rows of {x}, ‖xᵢ − xⱼ‖² = ‖xᵢ‖² + ‖xⱼ‖² − 2·xᵢ·xⱼ",
    "{x} 各行两两距离的平方，‖xᵢ − xⱼ‖² = ‖xᵢ‖² + ‖xⱼ‖² − 2·xᵢ·xⱼ",
)
_OF_TWO_SQUARED = Text(
    "the squared distances of every row of {x} to every row of {y}",
    "{x} 每一行到 {y} 每一行的距离平方",
)
_DISTANCES = Text(
    "the matrix of the Euclidean distances of all pairs of rows of {x}",
    "{x} 各行两两之间的欧氏距离矩阵",
)
_OF_TWO = Text(
    "the distances of every row of {x} to every row of {y}", "{x} 每一行到 {y} 每一行的距离"
)
_FLOOR = Text(
    "{what}, kept from below at {eps}: rounding can make them slightly negative, and the gradient "
    "of a root at 0 is infinite",
    "{what}，下限取 {eps}：舍入可能产生微小负数，而且开方在 0 处的梯度是无穷大",
)
_FLOORED = Text(
    "{what} (the floor {eps} keeps the gradient of the root finite at 0)",
    "{what}（下限 {eps} 使开方在 0 处的梯度保持有限）",
)
_NORMS = Text("the squared length of every row of {x}, ‖xᵢ‖²", "{x} 每一行的长度平方 ‖xᵢ‖²")
_SUM_OF_NORMS = Text("‖xᵢ‖² + ‖xⱼ‖² for all pairs of rows of {x}", "{x} 各行两两的 ‖xᵢ‖² + ‖xⱼ‖²")
_NON_ZERO = Text(
    "the mean of the entries of {x} above 0 (the zeros of the diagonal are left out)",
    "{x} 中大于 0 的元素的均值（对角线上的 0 不计入）",
)
_BY_MEAN = Text(
    "{x} divided by the mean of its entries above 0, so that its overall scale drops out",
    "{x} 除以其中大于 0 的元素的均值，去掉整体尺度",
)
_BY_WHOLE_MEAN = Text(
    "{x} divided by its own mean, so that its overall scale drops out",
    "{x} 除以自身的均值，去掉整体尺度",
)


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """Differences, distances, and what they are divided by."""
    part = scene.part(node)
    if not isinstance(part, Call):
        return None
    if (told := _measured(scene, part, node)) is not None:
        return told
    if (x := _differences(part)) is not None:
        return _DIFFERENCES.format(x=scene.name(x, node))
    if is_call(part, "sum") and dim_of(part) in {1, -1} and len(part.args) <= 2:
        x = square_of(part.args[0])
        if x is not None and _is_in_distances(scene, part):
            return _NORMS.format(x=scene.name(x, node))
    if (x := _lengths(part)) is not None and _is_in_distances(scene, part):
        return _SUM_OF_NORMS.format(x=scene.name(x, node))
    if (x := positive_mean(part)) is not None:
        return _NON_ZERO.format(x=scene.name(x, node))
    if is_call(part, "div"):
        above, below = part.args
        if positive_mean(below) is above:
            return _BY_MEAN.format(x=scene.name(above, node))
        if is_call(below, "mean") and below.children == (above,):
            return _BY_WHOLE_MEAN.format(x=scene.name(above, node))
    return None


def _measured(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    found = distances(part)
    if found is None:
        return None
    x, y, root, floor = found
    if not all(scene.is_named(side, node) for side in (x, y)):
        return None
    names = {"x": scene.name(x, node), "y": scene.name(y, node)}
    if is_same(x, y):
        said = (_DISTANCES if root else _SQUARED).format(**names)
    else:
        said = (_OF_TWO if root else _OF_TWO_SQUARED).format(**names)
    if floor is None:
        return said
    return (_FLOORED if root else _FLOOR).format(what=said, eps=f"`{floor}`")


def distances(part: Node) -> tuple[Node, Node, bool, str | None] | None:
    """Whose rows' distances a part is, whether with the root, and the floor below it."""
    if is_call(part, "cdist") and len(part.args) > 1:
        euclidean = number(arg(part, 2, "p")) in {None, 2}
        return (part.args[0], part.args[1], True, None) if euclidean else None
    if is_call(part, "put"):
        return None
    root = is_call(part, "sqrt")
    inner = part.args[0] if root and isinstance(part, Call) else part
    if is_call(part, "norm") and dim_of(part, 2) in {-1, 2}:
        pair = _pair(part.args[0])
        usual = number(arg(part, 1, "p", "ord")) in {None, 2}
        return (*pair, True, None) if pair is not None and usual else None
    floor = None
    if is_call(inner, "clamp", "clamp_min", "clip", "maximum", "relu"):
        low = constant(arg(inner, 1, "min")) if inner.name != "relu" else 0
        if not isinstance(low, int | float):
            low = None
        floor, inner = f"{low if low is not None else ast_text(inner)}", inner.args[0]
    elif is_call(inner, "add") and number(inner.args[1]) is not None:
        floor, inner = f"{constant(inner.args[1])}", inner.args[0]
    if is_call(inner, "sum") and dim_of(inner) in {-1, 2}:
        squared = square_of(inner.args[0])
        pair = _pair(squared) if squared is not None else None
        return (*pair, root, floor) if pair is not None else None
    expanded = _expanded(inner)
    return (*expanded, root, floor) if expanded is not None else None


def ast_text(node: Call) -> str:
    """How the floor is written where it is a name."""
    low = arg(node, 1, "min")
    return getattr(low, "text", "0")


def _pair(node: Node) -> tuple[Node, Node] | None:
    """``x`` and ``y`` of ``x[:, None] - y[None]``."""
    if not is_call(node, "sub"):
        return None
    sides = [spread(a) for a in node.args]
    if sides[0] is None or sides[1] is None or {sides[0][1], sides[1][1]} != {0, 1}:
        return None
    return sides[0][0], sides[1][0]


def _differences(node: Node) -> Node | None:
    pair = _pair(node)
    return pair[0] if pair is not None and is_same(*pair) else None


def _expanded(node: Node) -> tuple[Node, Node] | None:
    """``x`` and ``y`` of ``‖x‖² + ‖y‖² − 2·x·yᵀ``."""
    if not is_call(node, "sub"):
        return None
    crossed = _twice(node.args[1])
    if crossed is None or not is_call(node.args[0], "add"):
        return None
    x, y = crossed
    norms = [_norm(a) for a in node.args[0].args]
    if any(n is None for n in norms):
        return None
    given = {id(n) for n in norms}
    return (x, y) if given == {id(x), id(y)} else None


def _twice(node: Node) -> tuple[Node, Node] | None:
    """``x`` and ``y`` of ``2 · x·yᵀ`` in each way to write it."""
    if is_call(node, "mul"):
        for one, other in (node.args, node.args[::-1]):
            rows = product_of_rows(other)
            if number(one) == 2 and rows is not None:
                return rows[0], rows[1]
    if is_call(node, "matmul", "mm") and is_call(node.args[0], "mul"):
        scaled, turned = node.args[0], transposed_of(node.args[1])
        for one, left in (scaled.args, scaled.args[::-1]):
            if number(one) == 2 and turned is not None:
                return left, turned
    return None


def _norm(node: Node) -> Node | None:
    """``x`` of the squared lengths of its rows, as a column or as a row."""
    turned = transposed_of(node)
    column = turned if turned is not None else node
    laid = spread(column)
    sums = laid[0] if laid is not None else column
    if is_call(sums, "sum") and dim_of(sums) in {1, -1}:
        return square_of(sums.args[0])
    return None


def _lengths(node: Node) -> Node | None:
    """``x`` of ``sq[:, None] + sq[None]``."""
    if not is_call(node, "add"):
        return None
    norms = [_norm(a) for a in node.args]
    return norms[0] if norms[0] is not None and norms[0] is norms[1] else None


def positive_mean(node: Node) -> Node | None:
    """``d`` of ``d[d > 0].mean()``."""
    if not is_call(node, "mean") or len(node.children) != 1:
        return None
    inner = node.args[0]
    if not is_call(inner, "index"):
        return None
    base, key = inner.args
    chosen = is_call(key, "gt") and key.args[0] is base and number(key.args[1]) == 0
    return base if chosen else None


def _is_in_distances(scene: Scene, part: Node) -> bool:
    """Whether the code goes on to make distances of a part."""
    return id(part) in {
        id(inner)
        for value in scene.judged.tracer.values.values()
        if is_call(value, "sub") and _expanded(value) is not None
        for inner in _below(value)
    }


def _below(node: Call) -> list[Node]:
    found: list[Node] = [node.args[0]]
    if isinstance(node.args[0], Call):
        for side in node.args[0].args:
            laid = spread(side)
            turned = transposed_of(side)
            found += [side, *([laid[0]] if laid else []), *([turned] if turned else [])]
    return found


def sentence(scene: Scene, statement: ast.stmt) -> Text | None:
    """The diagonal that is set to 0."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    method = call.func if isinstance(call, ast.Call) else None
    if isinstance(method, ast.Attribute) and method.attr == "fill_diagonal_":
        value = call.args[0] if isinstance(call, ast.Call) and len(call.args) == 1 else None
        return _diagonal(scene, method.value, ast.unparse(value)) if value is not None else None
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if not isinstance(target, ast.Subscript) or not isinstance(target.slice, ast.Tuple):
        return None
    if len(target.slice.elts) != 2:
        return None
    rows, columns = map(ast.unparse, target.slice.elts)
    if rows != columns or not ("range(" in rows or rows in {"idx", "diag", "ii"}):
        return None
    assert isinstance(statement, ast.Assign)
    return _diagonal(scene, target.value, ast.unparse(statement.value))


_ZERO_DIAGONAL = Text(
    "Sets the diagonal of {x} to {value}{why}.", "把 {x} 的对角线置为 {value}{why}。"
)
_TO_ITSELF = Text(" (the distance of each row to itself)", "（每一行到自己的距离）")


def _diagonal(scene: Scene, target: ast.expr, value: str) -> Text:
    part = scene.part(target)
    while is_call(part, "put", "detach", "identity"):
        part = part.args[0]
    of_distances = part is not None and distances(part) is not None
    why = _TO_ITSELF if of_distances and value in {"0", "0.0"} else Text("", "")
    return _ZERO_DIAGONAL.format(x=f"`{ast.unparse(target)}`", value=f"`{value}`", why=why)
