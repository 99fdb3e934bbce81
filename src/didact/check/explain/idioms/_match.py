"""Forms of parts of a formula, however the code writes them."""

from __future__ import annotations

from typing import TypeGuard

from didact.check.explain.formula.tree import Call, Constant, Given, Node, Sequence
from didact.check.explain.formula.verdict import is_same

__all__ = [
    "arg",
    "constant",
    "dim_of",
    "is_call",
    "is_same",
    "items",
    "log_of",
    "number",
    "peeled",
    "power",
    "product_of_rows",
    "spread",
    "square_of",
    "transposed_of",
]  # fmt: skip

_CASTS = frozenset({"floating", "integers", "booleans", "identity"})
_SHAPES = frozenset({"view", "reshape", "unsqueeze", "squeeze", "expand", "expand_as", "view_as"})


def is_call(node: object, *names: str) -> TypeGuard[Call]:
    """Whether a part is one of these operations."""
    return isinstance(node, Call) and node.name in names


def constant(node: object) -> object:
    """The value of a number that stands in the code, or None."""
    return node.value if isinstance(node, Constant) else None


def number(node: object) -> float | None:
    """The same where it is a number."""
    value = constant(node)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def arg(call: Call, place: int, *names: str) -> Node | None:
    """An argument by place or by name."""
    if len(call.args) > place:
        return call.args[place]
    return next((v for k, v in call.keywords if k in names), None)


def dim_of(call: Call, place: int = 1) -> int | None:
    """The one dimension that an operation works over, where it is a number."""
    value = constant(arg(call, place, "dim", "axis"))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    several = arg(call, place, "dim", "axis")
    if isinstance(several, Sequence) and len(several.items) == 1:
        value = constant(several.items[0])
        return value if isinstance(value, int) else None
    return None


def peeled(node: Node, *, shapes: bool = False) -> Node:
    """A part without casts; with ``shapes`` without what only lays it out."""
    names = _CASTS | _SHAPES if shapes else _CASTS
    while isinstance(node, Call) and node.args and (
        node.name in names or (shapes and node.name == "index" and spread(node) is not None)
    ):  # fmt: skip
        node = node.args[0]
    return node


def power(node: Node) -> tuple[Node, float] | None:
    """``x`` and ``n`` of ``x ** n``."""
    if is_call(node, "square"):
        return node.args[0], 2.0
    if is_call(node, "pow"):
        exponent = number(arg(node, 1, "exponent"))
        return (node.args[0], float(exponent)) if exponent is not None else None
    if is_call(node, "mul") and node.args[0] is node.args[1]:
        return node.args[0], 2.0
    return None


def square_of(node: Node) -> Node | None:
    """``x`` of ``x²``."""
    raised = power(node)
    return raised[0] if raised is not None and raised[1] == 2 else None


def spread(node: Node) -> tuple[Node, int] | None:
    """``x`` and the place of the new dimension of ``x.unsqueeze(k)``, ``x[:, None]``."""
    if is_call(node, "unsqueeze"):
        dim = dim_of(node)
        return (node.args[0], dim) if dim is not None else None
    if is_call(node, "view", "reshape") and len(node.args) == 3:
        sizes = [constant(a) for a in node.args[1:]]
        if sizes in ([-1, 1], [1, -1]):
            return node.args[0], sizes.index(1)
    if not is_call(node, "index"):
        return None
    key = node.args[1]
    if isinstance(key, Constant) and key.value is None:
        return node.args[0], 0
    if not is_call(key, "key"):
        return None
    new = [n for n, k in enumerate(key.args) if isinstance(k, Constant) and k.value is None]
    whole = all(is_all(k) for n, k in enumerate(key.args) if n not in new)
    return (node.args[0], new[0]) if len(new) == 1 and whole else None


def is_all(node: Node) -> bool:
    """``:`` or ``...``."""
    if isinstance(node, Constant):
        return node.value is Ellipsis
    return is_call(node, "slice") and all(constant(a) is None for a in node.args)


def transposed_of(node: Node) -> Node | None:
    """``x`` of its transpose of the last two dimensions."""
    if is_call(node, "t", "mT"):
        return node.args[0]
    if is_call(node, "transpose", "swapaxes"):
        dims = [constant(a) for a in node.args[1:]]
        return node.args[0] if dims in ([], [0, 1], [1, 0], [1, 2], [2, 1], [-1, -2], [-2, -1]) \
            else None  # fmt: skip
    if is_call(node, "permute"):
        dims = [constant(a) for a in node.args[1:]]
        return node.args[0] if dims in ([1, 0], [0, 2, 1]) else None
    return None


def product_of_rows(node: Node) -> tuple[Node, Node, bool] | None:
    """``a`` and ``b`` of ``a @ b.T``, and whether it is done for each item of a batch."""
    if not is_call(node, "matmul", "mm", "bmm") or len(node.args) != 2:
        return None
    other = transposed_of(node.args[1])
    if other is None:
        return None
    turned = node.args[1]
    assert isinstance(turned, Call)
    dims = [constant(a) for a in turned.args[1:]]
    batched = node.name == "bmm" or dims in ([1, 2], [2, 1], [0, 2, 1])
    plain = turned.name == "t" or node.name == "mm" or dims in ([], [0, 1], [1, 0])
    return (node.args[0], other, batched) if batched or plain else None


def log_of(node: Node) -> Node | None:
    """``p`` of ``log(p)``, ``log(p + eps)``, ``log(p.clamp(min=eps))``."""
    if not is_call(node, "log"):
        return None
    inner = node.args[0]
    while True:
        if is_call(inner, "add"):
            small = [a for a in inner.args if _is_small(a)]
            if len(small) != 1:
                return inner
            inner = next(a for a in inner.args if a is not small[0])
        elif is_call(inner, "clamp", "clamp_min", "clip") and all(
            _is_small(a) or number(a) == 1 for a in inner.children[1:]
        ):
            inner = inner.args[0]
        else:
            return inner


def _is_small(node: Node) -> bool:
    value = number(node)
    if value is not None:
        return 0 <= value <= 1e-3
    name = node.text.rsplit(".", 1)[-1].lower() if isinstance(node, Given) else ""
    return name in {"eps", "epsilon", "tiny"}


def items(node: Node) -> list[Node] | None:
    """The parts of a list that is written out."""
    if not isinstance(node, Sequence):
        return None
    parts = [i for i in node.items if isinstance(i, Node)]
    return parts if len(parts) == len(node.items) else None
