"""Numbers that change with the step or the epoch, and shares."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.call_words import last_name
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_LINEAR = Text(
    "a linear schedule: {a} at {i} = 0, {b} at {i} = {n}",
    "线性变化：{i} = 0 时为 {a}，{i} = {n} 时为 {b}",
)
_FALLS = Text(
    "a linear schedule: {a} at {i} = 0, 0 at {i} = {n}",
    "线性下降：{i} = 0 时为 {a}，{i} = {n} 时为 0",
)
_GROWS = Text(
    "a decay that grows with {i}, 0 at {i} = 0 and at most {d}",
    "随 {i} 增大的衰减系数：{i} = 0 时为 0，上限 {d}",
)
_SHARE = Text("the share of {a} in {a} + {b}", "{a} 在 {a} + {b} 中所占的比例")
_HALF = Text("the mean of {a} and {b}", "{a} 与 {b} 的平均")


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """A schedule or a share of plain numbers."""
    del scene
    if isinstance(node, ast.Call):
        return _growing(node)
    if not isinstance(node, ast.BinOp):
        return None
    if isinstance(node.op, ast.Div):
        return _share(node)
    if isinstance(node.op, ast.Mult):
        return _half(node) or _falling(node)
    if isinstance(node.op, ast.Add | ast.Sub):
        return _linear(node)
    return None


def _plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Constant)


def _share(node: ast.BinOp) -> Text | None:
    """``a / (a + b)``."""
    total = node.right
    if not _plain(node.left) or not isinstance(total, ast.BinOp):
        return None
    if not isinstance(total.op, ast.Add) or not (_plain(total.left) and _plain(total.right)):
        return None
    own = ast.unparse(node.left)
    other = {own: total.right}.get(ast.unparse(total.left), total.left)
    if own not in {ast.unparse(total.left), ast.unparse(total.right)}:
        return None
    return _SHARE.format(a=code_of(node.left), b=code_of(other))


def _half(node: ast.BinOp) -> Text | None:
    """``0.5 * (a + b)`` of two names."""
    for one, both in ((node.left, node.right), (node.right, node.left)):
        if ast.unparse(one) != "0.5" or not isinstance(both, ast.BinOp):
            continue
        if isinstance(both.op, ast.Add) and _plain(both.left) and _plain(both.right):
            return _HALF.format(a=code_of(both.left), b=code_of(both.right))
    return None


def _ratio(node: ast.expr) -> tuple[ast.expr, str] | None:
    """``i`` and ``n`` of ``i / n``, ``i / max(n, 1)``; a plain name runs up to 1."""
    if isinstance(node, ast.Name | ast.Attribute):
        return node, "1"
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return None
    below = node.right
    if isinstance(below, ast.Call) and last_name(below.func) == "max" and len(below.args) == 2:
        below = next((a for a in below.args if not isinstance(a, ast.Constant)), below)
    usable = _plain(node.left) and isinstance(
        below, ast.Name | ast.Attribute | ast.BinOp | ast.Call
    )
    return (node.left, ast.unparse(below)) if usable else None


def _falling(node: ast.BinOp) -> Text | None:
    """``a * (1 - i / n)``."""
    rest = node.right
    if not _plain(node.left) or isinstance(node.left, ast.Constant):
        return None
    if not isinstance(rest, ast.BinOp) or not isinstance(rest.op, ast.Sub):
        return None
    ratio = _ratio(rest.right) if isinstance(rest.right, ast.BinOp) else None
    if ratio is None or ast.unparse(rest.left) not in {"1", "1.0"}:
        return None
    return _FALLS.format(a=code_of(node.left), i=code_of(ratio[0]), n=f"`{ratio[1]}`")


def _linear(node: ast.BinOp) -> Text | None:
    """``a - (a - b) * i / n`` and ``a + (b - a) * i / n``."""
    start, moved = node.left, node.right
    if not _plain(start):
        return None
    ratio: tuple[ast.expr, str] | None = None
    span: ast.expr | None = None
    if isinstance(moved, ast.BinOp) and isinstance(moved.op, ast.Div):
        product = moved.left
        if isinstance(product, ast.BinOp) and isinstance(product.op, ast.Mult):
            span = product.left
            ratio = _ratio(ast.BinOp(product.right, ast.Div(), moved.right))
    elif isinstance(moved, ast.BinOp) and isinstance(moved.op, ast.Mult):
        span, ratio = moved.left, _ratio(moved.right)
    if ratio is None or not isinstance(span, ast.BinOp) or not isinstance(span.op, ast.Sub):
        return None
    down = isinstance(node.op, ast.Sub)
    own, end = (span.left, span.right) if down else (span.right, span.left)
    if ast.unparse(own) != ast.unparse(start) or not _plain(end):
        return None
    return _LINEAR.format(a=code_of(start), b=code_of(end), i=code_of(ratio[0]), n=f"`{ratio[1]}`")


def _growing(node: ast.Call) -> Text | None:
    """``min(1 - 1 / (step + 1), d)``."""
    if last_name(node.func) != "min" or len(node.args) != 2:
        return None
    for grows, limit in (node.args, node.args[::-1]):
        text = ast.unparse(grows).replace("1.0", "1")
        if not text.startswith("1 - 1 / (") or not text.endswith(" + 1)"):
            continue
        step = text.removeprefix("1 - 1 / (").removesuffix(" + 1)")
        if step.replace(".", "_").isidentifier():
            return _GROWS.format(i=f"`{step}`", d=code_of(limit))
    return None
