"""Softmaxes: by hand, without the class of the label, over the places of a map; mixtures."""

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
    items,
    number,
    peeled,
)
from didact.check.explain.idioms._scene import Scene, owned
from didact.check.explain.idioms.classes import hot, is_log_probability, is_probability
from didact.check.explain.idioms.maps import is_space

_LOG_SOFTMAX = Text(
    "log-probabilities: log softmax of {x} over dim {dim}, written out as x − log Σ exp x",
    "对数概率：{x} 沿 dim={dim} 的 log softmax，写成了 x − log Σ exp x",
)
_SOFTMAX = Text(
    "probabilities: softmax of {x} over dim {dim}, written out as exp x / Σ exp x{batch}",
    "概率：{x} 沿 dim={dim} 的 softmax，写成了 exp x / Σ exp x{batch}",
)
_ONES = Text(
    "{x} divided by its sum over dim {dim}, so that it sums to 1 there{batch}",
    "{x} 除以自身沿 dim={dim} 的和，使该维上的和为 1{batch}",
)
_BATCH = Text(" (dim 0 is the batch)", "（第 0 维是批）")
_UNIT = Text(
    "{x} with each vector along dim {dim} scaled to length 1",
    "{x} 沿 dim={dim} 归一化为单位长度的向量",
)
_MIXTURE = Text(
    "the mixture of the two distributions {a} and {b} in equal parts",
    "两个分布 {a} 与 {b} 各占一半的混合",
)
_WEIGHTED_MIXTURE = Text(
    "the mixture of the two distributions: {v} of {a} and {w} of {b}",
    "两个分布的混合：{a} 占 {v}，{b} 占 {w}",
)
_LOG_MIXTURE = Text(
    "the logarithm of a mixture of distributions, taken in log space (log Σ wᵢ·pᵢ = logsumexp of "
    "log pᵢ + log wᵢ)",
    "混合分布的对数，在对数空间里算出（log Σ wᵢ·pᵢ，即对 log pᵢ + log wᵢ 求 logsumexp）",
)
_LOG_OF_TWO = Text(
    "the logarithm of {v}·exp({a}) + {w}·exp({b}), the mixture of the two distributions, taken in "
    "log space (logsumexp)",
    "两个分布的混合 {v}·exp({a}) + {w}·exp({b}) 的对数，在对数空间里算出（logsumexp）",
)
_MEAN_OF_LOGS = Text(
    "the mean of two log-probabilities: the logarithm of their geometric mean, which does not sum "
    "to 1",
    "两个对数概率的平均：对应几何平均的对数，不再归一化",
)
_OTHERS_ONLY = Text(
    "{what}; the {by} taken off at the true class makes its probability 0, so that this is a "
    "distribution over the other classes alone",
    "{what}；真实类处减去 {by}，使其概率为 0，因此只在其余各类上归一化",
)
_PLACES = Text(
    "{what}: the H·W positions of each channel, so that each channel gives one distribution over "
    "the places",
    "{what}，即每个通道的 H·W 个位置，每个通道得到一个空间上的分布",
)


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """Distributions that are not one call of a softmax."""
    part = scene.part(node)
    if not isinstance(part, Call) or isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return None
    if is_call(part, "sub", "div"):
        return _by_hand(scene, part, node)
    if is_call(part, "logsumexp") and is_call(part.args[0], "stack"):
        parts = items(part.args[0].args[0]) or []
        logs = [_plus_log(p) for p in parts]
        if len(parts) > 1 and all(logs) and dim_of(part) == (dim_of(part.args[0]) or 0):
            return _of_two(scene, parts, node) or _LOG_MIXTURE
    return _mixture(scene, part, node)


def _of_two(scene: Scene, parts: list[Node], node: ast.expr) -> Text | None:
    """``logsumexp`` of ``log p + log w`` and ``log q + log (1 - w)``, part by part."""
    told: list[str] = []
    for part in parts if len(parts) == 2 else ():
        if not isinstance(part, Call):
            return None
        logs = [a for a in part.args if is_log_probability(a)]
        weights = [a.args[0] for a in part.args if is_call(a, "log") and a not in logs]
        named = len(logs) == len(weights) == 1 and scene.is_named(logs[0], node)
        if not named:
            return None
        told += [scene.name(weights[0], node), scene.name(logs[0], node)]
    if len(told) != 4:
        return None
    return _LOG_OF_TWO.format(v=told[0], a=told[1], w=told[2], b=told[3])


def _plus_log(node: Node) -> bool:
    """``log p + log w``."""
    return is_call(node, "add") and any(is_call(a, "log") or number(a) is not None
                                        for a in node.args)  # fmt: skip


def _by_hand(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    above, below = part.args[:2]
    if not scene.is_written_in(part, node):
        return None
    if part.name == "sub":
        if (is_call(below, "logsumexp") and below.args[0] is above) or (
            is_call(below, "logsumexp") and is_same(below.args[0], above)
        ):  # fmt: skip
            words = owned(scene.whose(above), _LOG_SOFTMAX)
            return _filled(scene, words, above, dim_of(below), node)
        return None
    floor = below
    if is_call(floor, "clamp", "add", "maximum", "clamp_min"):
        floor = floor.args[0]
    if not is_call(floor, "sum", "norm") or not is_same(floor.args[0], above):
        return None
    dim = dim_of(floor, 1 if floor.name == "sum" else 2)
    if floor.name == "norm":
        usual = number(arg(floor, 1, "p", "ord")) in {None, 2}
        return _filled(scene, _UNIT, above, dim, node) if usual and dim is not None else None
    if dim is None:
        return None
    if is_call(above, "exp"):
        words = owned(scene.whose(above), _SOFTMAX)
        inner = above.args[0]
        while is_call(inner, "sub") and is_call(inner.args[1], "max", "amax", "index"):
            inner = inner.args[0]  # minus the largest, for the sake of the exponential
        shown = inner if scene.is_named(inner, node) else above.args[0]
        return _filled(scene, words, shown, dim, node)
    return _filled(scene, _ONES, above, dim, node)


def _filled(scene: Scene, words: Text, x: Node, dim: int | None, node: ast.expr) -> Text | None:
    if dim is None or not scene.is_named(x, node):
        return None
    batch = _BATCH if dim == 0 else Text("", "")
    return words.format(x=scene.name(x, node), dim=dim, batch=batch)


def _mixture(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    """``0.5 * (p + q)``, ``(p + q) / 2``, ``a * p + (1 - a) * q``."""
    weights = _weights(part)
    if weights is None or not scene.is_written_in(part, node):
        return None
    (one, v), (other, w) = weights
    if not (scene.is_named(one, node) and scene.is_named(other, node)):
        return None
    a, b = scene.name(one, node), scene.name(other, node)
    equal = v is w or (number(v) == 0.5 and number(w) == 0.5)
    if all(is_log_probability(x) for x in (one, other)):
        return _MEAN_OF_LOGS if equal else None
    if not all(is_probability(x) or scene.proof.is_distribution(x) for x in (one, other)):
        return None
    if equal:
        return _MIXTURE.format(a=a, b=b)
    return _WEIGHTED_MIXTURE.format(a=a, b=b, v=scene.name(v, node), w=scene.name(w, node))


def _weights(part: Call) -> tuple[tuple[Node, Node], tuple[Node, Node]] | None:
    half = None
    if is_call(part, "mul"):
        half = next((a for a in part.args if number(a) == 0.5), None)
    elif is_call(part, "div") and number(part.args[1]) == 2:
        half = part.args[1]
    if half is not None:
        both = next(a for a in part.args if a is not half)
        if is_call(both, "add"):
            return (both.args[0], half), (both.args[1], half)
        return None
    if not is_call(part, "add"):
        return None
    sides = []
    for side in part.args:
        if not is_call(side, "mul"):
            return None
        sides.append(side.args)
    for v, one in (sides[0], sides[0][::-1]):
        for w, other in (sides[1], sides[1][::-1]):
            rest = is_call(w, "sub") and number(w.args[0]) == 1 and is_same(w.args[1], v)
            rest = rest or (is_call(v, "sub") and number(v.args[0]) == 1 and is_same(v.args[1], w))
            numbers = number(v), number(w)
            if rest or (None not in numbers and numbers[0] + numbers[1] == 1):  # type: ignore[operator]
                return (one, v), (other, w)
    return None


def remark(scene: Scene, node: ast.expr, words: Text) -> Text:
    """What is worth adding to the words for a softmax."""
    part = scene.part(node)
    while is_call(part, "detach", "identity"):
        part = part.args[0]
    if not is_call(part, "softmax", "log_softmax"):
        return words
    inner = part.args[0]
    if is_call(inner, "sub"):
        by = _large_at_label(scene, inner.args[1])
        if by is not None:
            return _OTHERS_ONLY.format(what=words, by=by)
    if dim_of(part) in {1, -1, 2}:
        rows = peeled(inner)
        while is_call(rows, "div", "mul"):
            rows = rows.args[0]
        if is_call(rows, "view", "reshape", "flatten"):
            places = _over_places(scene, rows, node)
            wanted = 2 if len(rows.args) == 4 or rows.name == "flatten" else 1
            if places and dim_of(part) in {wanted, -1}:
                return _PLACES.format(what=words)
    return words


def _over_places(scene: Scene, rows: Call, node: ast.expr) -> bool:
    """Whether the last dimension of a view is the places of a map and the one before channels."""
    sizes = rows.args[1:]
    if rows.name == "flatten":
        return number(arg(rows, 1, "start_dim")) == 2
    if len(sizes) == 2:
        if is_space(scene, sizes[1], node):
            return not _is_batch_size(sizes[0])
        return number(sizes[1]) == -1 and is_call(sizes[0], "mul")
    if len(sizes) == 3:
        return is_space(scene, sizes[2], node) or (
            number(sizes[2]) == -1 and constant(sizes[1]) is None
        )
    return False


def _is_batch_size(node: Node) -> bool:
    return is_call(node, "index", "size") and number(node.args[1]) == 0


def _large_at_label(scene: Scene, node: Node) -> str | None:
    """``1000`` of ``1000 * one_hot``."""
    node = peeled(node)
    if not is_call(node, "mul"):
        return None
    for one, other in (node.args, node.args[::-1]):
        value = number(one)
        if value is not None and value >= 50 and hot(scene, other):
            return f"{value:g}"
    return None
