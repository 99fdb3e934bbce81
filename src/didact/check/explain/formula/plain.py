"""Parts of a formula as a reader would write them: one step at a time, the value stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from didact.check.explain.formula.tree import Call, Constant, Each, Given, Node, Sequence, walk

TRANSPARENT = frozenset({"detach", "identity", "floating", "booleans", "integers"})
"""What is not written: the numbers are the same."""
_SHAPING = frozenset(
    {"index", "view", "reshape", "flatten", "permute", "transpose", "t", "masked_select",
     "squeeze", "unsqueeze", "gather"}
)  # fmt: skip
_LOGS = frozenset({"log", "log_softmax", "logsumexp", "logsigmoid"})
_EMPTY = frozenset({"zeros", "zeros_like"})
_FILLED = frozenset({"ones", "ones_like"})


def plainer(node: Call) -> Node:
    """The same value, written shorter; the node itself where it is short already."""
    shorter: Node = node
    for _ in range(4):
        rule = _RULES.get(shorter.name) if isinstance(shorter, Call) else None
        found = rule(shorter) if rule is not None and isinstance(shorter, Call) else None
        if found is None:
            break
        shorter = found
    return shorter


def bare(node: Node) -> Node:
    """A part without what is not written."""
    while isinstance(node, Call) and node.name in TRANSPARENT and node.args:
        node = node.args[0]
    return node


def is_number(node: Node | None, *values: float) -> bool:
    """Whether a part is one of these numbers, or a tensor of that one number."""
    node = bare(node) if node is not None else None
    if isinstance(node, Call) and node.name in {"tensor", "neg"} and len(node.args) == 1:
        sign = -1 if node.name == "neg" else 1
        return is_number(node.args[0], *(sign * v for v in values))
    value = node.value if isinstance(node, Constant) else None
    return isinstance(value, int | float) and not isinstance(value, bool) and value in values


def same(one: Node, other: Node) -> bool:
    """Whether two parts are written alike and read the same names."""
    one, other = bare(one), bare(other)
    if one is other:
        return True
    if isinstance(one, Constant) and isinstance(other, Constant):
        return bool(one.value == other.value)
    if isinstance(one, Call) and isinstance(other, Call) and one.name == other.name:
        if one.name in {"softmax", "log_softmax"} and one.args and other.args:
            return same(one.args[0], other.args[0]) and _dim_of(one) == _dim_of(other)
        keys = [k for k, _ in one.keywords] == [k for k, _ in other.keywords]
        a, b = one.children, other.children
        return keys and len(a) == len(b) and all(map(same, a, b))
    return False


def _dim_of(node: Call) -> Any:
    dim = node.keyword("dim") or (node.args[1] if len(node.args) > 1 else None)
    return dim.value if isinstance(dim, Constant) else dim


def without_log(node: Node) -> Node | None:
    """What a part is the logarithm of; None where it is no logarithm on its face."""
    node = bare(node)
    if not isinstance(node, Call) or not node.args:
        return None
    if node.name == "log_softmax":
        return Call("softmax", node.args, node.keywords)
    if node.name == "log":
        return _without_tiny(node.args[0])
    if node.name in _SHAPING:
        inner = without_log(node.args[0])
        return Call(node.name, (inner, *node.args[1:]), node.keywords) if inner else None
    return Call("exp", (node,)) if _is_logarithm(node) else None


def _is_logarithm(node: Node) -> bool:
    """Whether a part is a logarithm, or a sum or a share of logarithms."""
    node = bare(node)
    if not isinstance(node, Call):
        return False
    if node.name in _LOGS:
        return True
    parts = [a for a in node.args if not isinstance(a, Constant)]
    return node.name in {"add", "sub", "mul", "div"} and all(map(_is_logarithm, parts))


def distribution(node: Node) -> Node:
    """A target as it is meant: ``exp(log softmax(x))`` is ``softmax(x)``."""
    node = bare(node)
    if isinstance(node, Call) and node.name == "exp" and node.args:
        inner = without_log(node.args[0])
        if inner is not None and not (isinstance(inner, Call) and inner.name == "exp"):
            return distribution(inner)
    if isinstance(node, Call) and node.name in {"add", "clamp", "clamp_min"}:
        return _without_tiny(node)
    return node


def divergence(upper: Node, lower: Node) -> Call:
    """KL(upper ‖ lower) of a row."""
    return Call("KL", (upper, lower))


def _without_tiny(node: Node) -> Node:
    """``p`` of ``p + 1e-8`` and of ``clamp(p, min=1e-8)``."""
    node = bare(node)
    if isinstance(node, Call) and node.name == "add" and _is_tiny(node.args[1]):
        return bare(node.args[0])
    if isinstance(node, Call) and node.name in {"clamp", "clamp_min"} and len(node.children) == 2:
        return bare(node.args[0]) if _is_tiny(node.children[1]) else node
    return node


def _is_tiny(node: Node) -> bool:
    value = node.value if isinstance(node, Constant) else getattr(node, "default", None)
    return isinstance(value, float) and 0 < value <= 1e-5


def one_hot_of(node: Node) -> Node | None:
    """The labels whose one-hot rows a part is."""
    node = bare(node)
    if not isinstance(node, Call):
        return None
    if node.name == "one_hot" and node.args:
        return node.args[0]
    if node.name == "scatter" and len(node.children) == 4:
        base, _, index, value = node.children
        base = bare(base)
        made = base.name if isinstance(base, Call) else ""
        zero = made in {"full", "full_like"} and is_number(base.children[1], 0)
        empty = made in _EMPTY or zero
        filled = is_number(value, 1) or (isinstance(value := bare(value), Call)
                                         and value.name in _FILLED)  # fmt: skip
        return _rows_of(index) if empty and filled else None
    if node.name == "put" and len(node.args) == 3 and is_number(node.args[2], 1):
        base, key = bare(node.args[0]), node.args[1]
        rows = isinstance(key, Call) and key.name == "key" and len(key.args) == 2
        if isinstance(base, Call) and base.name in _EMPTY and rows:
            return bare(key.args[1]) if _is_range(key.args[0]) else None  # type: ignore[attr-defined]
    return None


def _rows_of(index: Node) -> Node:
    """Labels without the dimension that a gather or a scatter needs."""
    index = bare(index)
    while isinstance(index, Call) and index.name in {"unsqueeze", "view", "reshape", "index"}:
        key = index.args[1] if index.name == "index" else None
        if key is not None and not any(is_none(p) for p in walk(key)):
            return index
        index = bare(index.args[0])
    return index


def is_none(node: Node | None) -> bool:
    """Whether a part is ``None``."""
    return isinstance(node, Constant) and node.value is None


def _is_range(node: Node) -> bool:
    node = bare(node)
    return isinstance(node, Call) and node.name in {"range", "arange"}


def points_of(node: Node) -> Node | None:
    """The rows whose distances a part is: ``cdist(a, a)``, or by hand."""
    node = bare(node)
    if not isinstance(node, Call):
        return None
    if node.name == "cdist" and len(node.args) == 2 and not node.keywords:
        return node.args[0] if same(*node.args) else None
    if node.name == "sqrt" and node.args:
        return squared_points_of(node.args[0])
    if node.name == "put" and is_number(node.args[2], 0) and isinstance(node.args[1], Call):
        key = node.args[1]
        diagonal = key.name == "key" and len(key.args) == 2 and all(map(_is_range, key.args))
        return points_of(node.args[0]) if diagonal else None
    if node.name == "norm" and node.args:
        return _pairs_of(node.args[0]) if _last_axis(node) else None
    return None


def squared_points_of(node: Node) -> Node | None:
    """The same of their squares: ``|a|² + |b|² − 2 a bᵀ``."""
    node = _without_tiny(bare(node))
    if isinstance(node, Call) and node.name in {"clamp", "clamp_min"}:
        node = bare(node.args[0])
    if (
        isinstance(node, Call)
        and node.name in {"pow", "square"}
        and is_number(node.args[1] if len(node.args) > 1 else Constant(2), 2)
    ):
        return points_of(node.args[0])
    if not isinstance(node, Call) or node.name != "sub" or not isinstance(node.args[0], Call):
        return None
    squares, cross = node.args[0], _doubled_outside(bare(node.args[1]))
    doubled = isinstance(cross, Call) and cross.name == "mul" and any(
        is_number(a, 2) for a in cross.args)  # fmt: skip
    if squares.name != "add" or not doubled or not isinstance(cross, Call):
        return None
    product = next((bare(a) for a in cross.args if not is_number(a, 2)), None)
    if not isinstance(product, Call) or product.name not in {"matmul", "mm"}:
        return None
    left, right = bare(product.args[0]), bare(product.args[1])
    turned = isinstance(right, Call) and right.name in {"t", "transpose", "mT", "permute"}
    if not turned or not same(left, right.args[0]):  # type: ignore[attr-defined]
        return None
    sums = [p for p in walk(squares) if isinstance(p, Call) and p.name == "sum"]
    return left if sums and all(_is_square_of(s.args[0], left) for s in sums) else None


def _doubled_outside(node: Node) -> Node:
    """``(2 * a) @ b`` as ``2 * (a @ b)``."""
    if isinstance(node, Call) and node.name in {"matmul", "mm"}:
        left = bare(node.args[0])
        if isinstance(left, Call) and left.name == "mul":
            for number, rest in (left.args, left.args[::-1]):
                if is_number(number, 2):
                    return Call("mul", (number, Call(node.name, (rest, node.args[1]))))
    return node


def _is_square_of(node: Node, base: Node) -> bool:
    node = bare(node)
    if isinstance(node, Call) and node.name in {"pow", "square"}:
        return same(node.args[0], base)
    return isinstance(node, Call) and node.name == "mul" and all(same(a, base) for a in node.args)


def _pairs_of(node: Node) -> Node | None:
    """``a`` of ``a[None] - a[:, None]`` and of the same with ``unsqueeze``."""
    node = bare(node)
    if not isinstance(node, Call) or node.name != "sub":
        return None
    sides = [bare(a) for a in node.args]
    if not all(isinstance(s, Call) and s.name in {"unsqueeze", "index"} for s in sides):
        return None
    left, right = (s.args[0] for s in sides if isinstance(s, Call))
    return left if same(left, right) and not same(*sides) else None


def _last_axis(node: Call) -> bool:
    dim = node.keyword("dim") or (node.args[2] if len(node.args) > 2 else None)
    return is_number(dim, -1, 2)


def _sum(node: Call) -> Node | None:
    """``Σ p·(log p − log q)`` is KL(p ‖ q), row by row."""
    dim = node.keyword("dim") or (node.args[1] if len(node.args) > 1 else None)
    inner = bare(node.args[0]) if node.args else None
    if isinstance(inner, Sequence) and len(node.children) == 1 and len(inner.items) > 1:
        total = inner.items[0]
        for item in inner.items[1:]:
            total = Call("add", (total, item))
        return total if all(isinstance(i, Node) for i in inner.items) else None
    if dim is None or not isinstance(inner, Call) or node.keyword("keepdim") is not None:
        return None
    if inner.name == "kl_div" and _reduction(inner) == "none":
        return _pointwise(inner)
    if inner.name != "mul" or len(inner.args) != 2:
        return None
    for p, logs in (inner.args, inner.args[::-1]):
        logs = bare(logs)
        ratio = bare(logs.args[0]) if isinstance(logs, Call) and logs.name == "log" else None
        if isinstance(ratio, Call) and ratio.name == "div":
            above, below = map(_without_tiny, ratio.args)
            if same(p, above):
                return divergence(distribution(above), distribution(below))
        if isinstance(logs, Call) and logs.name == "sub" and len(logs.args) == 2:
            upper, lower = (without_log(a) for a in logs.args)
            if upper is None or lower is None:
                continue
            upper = distribution(upper)
            if same(distribution(p), upper):
                return divergence(upper, distribution(lower))
    return None


def _pointwise(node: Call) -> Node | None:
    target = kl_target(node)
    lower = without_log(node.args[0])
    return None if lower is None else divergence(distribution(target), distribution(lower))


def kl_target(node: Call) -> Node:
    """What ``kl_div`` compares with, out of the logarithm."""
    log_target = node.keyword("log_target")
    if isinstance(log_target, Constant) and log_target.value:
        return without_log(node.args[1]) or Call("exp", (node.args[1],))
    return node.args[1]


def _reduction(node: Call) -> str:
    given = node.keyword("reduction")
    reduce = node.keyword("reduce")
    if isinstance(reduce, Constant) and reduce.value is False:
        return "none"
    return str(given.value) if isinstance(given, Constant) else "mean"


def _mean(node: Call) -> Node | None:
    inner = bare(node.args[0]) if node.args else None
    if len(node.children) != 1 or not isinstance(inner, Call):
        return None
    if inner.name in {"nll_loss", "cross_entropy"} and _reduction(inner) == "none":
        kept = tuple((k, v) for k, v in inner.keywords if k not in {"reduction", "reduce"})
        return Call(inner.name, inner.args, kept)
    row = _sum(inner) if inner.name == "sum" else None
    return Call("mean_KL", row.args) if isinstance(row, Call) and row.name == "KL" else None


def _nll(node: Call) -> Node | None:
    """``NLL(log softmax(s), y)`` is CE(s, y)."""
    scores = bare(node.args[0]) if node.args else None
    if not isinstance(scores, Call) or scores.name != "log_softmax" or len(node.args) < 2:
        return None
    dim = scores.keyword("dim") or (scores.args[1] if len(scores.args) > 1 else None)
    if dim is not None and not is_number(dim, 1, -1):
        return None
    return Call("cross_entropy", (scores.args[0], *node.args[1:]), node.keywords)


def _exp(node: Call) -> Node | None:
    plain = distribution(node)
    return plain if plain is not node else None


def _log(node: Call) -> Node | None:
    inner = bare(node.args[0]) if node.args else None
    if isinstance(inner, Call) and inner.name == "softmax":
        return Call("log_softmax", inner.args, inner.keywords)
    return None


def _add(node: Call) -> Node | None:
    """A sum without its beginning at 0."""
    left, right = node.args[:2]
    if is_zero(left):
        return right
    return left if is_zero(right) else None


def is_zero(node: Node) -> bool:
    """Whether a part is 0, as a number or as a tensor."""
    node = bare(node)
    if isinstance(node, Call) and node.name == "zeros":
        first = node.args[0] if node.args else None
        return first is None or is_number(first, 1) or first.children == ()
    return is_number(node, 0)


def _hot(node: Call) -> Node | None:
    labels = one_hot_of(node)
    return Call("hot", (labels,)) if labels is not None else None


def _invert(node: Call) -> Node | None:
    labels = one_hot_of(node.args[0]) if node.args else None
    return Call("cold", (labels,)) if labels is not None else None


def _put(node: Call) -> Node | None:
    return _hot(node) or _distance(node)


def _distance(node: Call) -> Node | None:
    points = points_of(node)
    return Call("distances", (points,)) if points is not None else None


def _index(node: Call) -> Node | None:
    """``max(x, dim)[0]`` is the largest along ``dim``."""
    inner = bare(node.args[0])
    pair = isinstance(inner, Call) and inner.name in {"max", "min"} and len(inner.children) == 2
    if not pair or not isinstance(inner, Call) or not is_number(node.args[1], 0, 1):
        return None
    dim = inner.keyword("dim") or (inner.args[1] if len(inner.args) > 1 else None)
    if dim is None or not isinstance(dim, Constant):
        return None
    name = f"a{inner.name}" if is_number(node.args[1], 0) else f"arg{inner.name}"
    return Call(name, (inner.args[0],), (("dim", dim),))


def _gather(node: Call) -> Node | None:
    """``x.gather(1, y[:, None])`` picks the entries of the labels."""
    if node.name == "squeeze":
        inner = bare(node.args[0])
        node = inner if isinstance(inner, Call) else node
    if node.name != "gather" or len(node.args) != 3 or not is_number(node.args[1], 1, -1):
        return None
    labels = _rows_of(node.args[2])
    return Call("pick", (node.args[0], labels)) if isinstance(labels, Given) else None


def _neg(node: Call) -> Node | None:
    """``−mean Σ one_hot(y)·log softmax(s)`` is CE(s, y)."""
    inner = bare(node.args[0]) if node.args else None
    rows = bare(inner.args[0]) if isinstance(inner, Call) and inner.name == "mean" else None
    single = isinstance(inner, Call) and len(inner.children) == 1
    if not single or not isinstance(rows, Call) or rows.name != "sum" or len(rows.children) != 2:
        return None
    product = bare(rows.args[0])
    if not isinstance(product, Call) or product.name != "mul":
        return None
    for hot, logs in (product.args, product.args[::-1]):
        labels, scores = one_hot_of(hot), bare(logs)
        if labels is not None and isinstance(scores, Call) and scores.name == "log_softmax":
            return _nll(Call("nll_loss", (scores, labels)))
    return None


def _length(node: Call) -> Node | None:
    """A list that is made of another one is as long."""
    inner = bare(node.args[0]) if node.args else None
    whole = isinstance(inner, Each) and inner.test is None and inner.loop.sources
    return Call("length", (inner.loop.sources[0],)) if whole else None  # type: ignore[union-attr]


def _div(node: Call) -> Node | None:
    """A sum over a list, divided by its length, is a mean; exp x / Σ exp x a softmax."""
    above, below = bare(node.args[0]), bare(node.args[1])
    if (written := softmax_by_hand(node)) is not None:
        return written
    each = above.args[0] if isinstance(above, Call) and above.name == "sum" else None
    counted = below.args[0] if isinstance(below, Call) and below.name == "length" else None
    whole = isinstance(each, Each) and each.test is None and len(above.children) == 1
    if whole and any(counted is part for part in (each, *each.loop.sources)):  # type: ignore[union-attr]
        return Call("mean", (each,))  # type: ignore[arg-type]
    return None


def softmax_by_hand(node: Call) -> Call | None:
    """``exp(x) / exp(x).sum(dim, keepdim=True)`` as the softmax that it is."""
    above, below = bare(node.args[0]), bare(node.args[1])
    if not (isinstance(above, Call) and above.name == "exp" and isinstance(below, Call)):
        return None
    dim = below.keyword("dim") or (below.args[1] if len(below.args) > 1 else None)
    if below.name != "sum" or dim is None or not same(below.args[0], above):
        return None
    scores = bare(above.args[0])
    if isinstance(scores, Call) and scores.name == "sub":
        most = bare(scores.args[1])
        most = bare(most.args[0]) if isinstance(most, Call) and most.name == "index" else most
        if isinstance(most, Call) and most.name in {"max", "amax"}:
            scores = scores.args[0]
    return Call("softmax", (scores,), (("dim", dim),))


def _zeros(node: Call) -> Node | None:
    return Constant(0) if is_zero(node) else None


def _tensor(node: Call) -> Node | None:
    """A number as a tensor is written as the number."""
    inner = node.args[0] if node.args else None
    return inner if isinstance(inner, Constant | Given) else None


def _cosine(node: Call) -> Node | None:
    """By its target: 1 − cos where it is 1, max(0, cos − margin) where it is −1."""
    sign = sign_of(node.args[2]) if len(node.args) > 2 else None
    if sign is None:
        return None
    kept = tuple((k, v) for k, v in node.keywords if k in {"reduction", "margin"})
    return Call("cosine_like" if sign > 0 else "cosine_unlike", node.args[:2], kept)


def sign_of(node: Node) -> int | None:
    """The sign of a target that is the same for every sample."""
    node = bare(node)
    if is_number(node, 1) or (isinstance(node, Call) and node.name in _FILLED):
        return 1
    if is_number(node, -1):
        return -1
    if isinstance(node, Call) and node.name == "neg":
        inner = sign_of(node.args[0])
        return None if inner is None else -inner
    if isinstance(node, Call) and node.name in {"full", "full_like", "tensor"}:
        return sign_of(node.args[-1])
    if isinstance(node, Call) and node.name == "mul":
        signs = [sign_of(a) for a in node.args]
        return signs[0] * signs[1] if None not in signs else None  # type: ignore[operator]
    items: Any = getattr(node, "items", ())
    signs = [sign_of(i) for i in items if isinstance(i, Node)]
    return signs[0] if signs and len(set(signs)) == 1 else None


_RULES: dict[str, Callable[[Call], Node | None]] = {
    "sum": _sum, "mean": _mean, "nll_loss": _nll, "exp": _exp, "log": _log, "add": _add,
    "one_hot": _hot, "scatter": _hot, "put": _put, "invert": _invert, "logical_not": _invert,
    "sqrt": _distance, "cdist": _distance, "norm": _distance, "index": _index,
    "cosine_embedding_loss": _cosine, "tensor": _tensor, "zeros": _zeros, "length": _length,
    "neg": _neg, "gather": _gather, "squeeze": _gather, "div": _div,
}  # fmt: skip
