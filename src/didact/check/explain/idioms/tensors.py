"""Tensors that are made: constants, running numbers, parameters, maps of another size."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import INDICES_NAMED
from didact.check.explain.formula.tree import Call
from didact.check.explain.idioms._match import arg, is_call, number
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_FULL_LIKE = Text(
    "a tensor of the shape of {x} with {v} everywhere", "与 {x} 形状相同、处处为 {v} 的张量"
)
_FULL = Text("a tensor with {v} everywhere", "处处为 {v} 的张量")
_VECTOR = Text("a vector of {n} numbers, all of them {v}", "长度为 {n}、全为 {v} 的向量")
_POSITIVES = Text(
    "0, 1, …, one for each sample: the right answer of row i is column i (its own partner)",
    "0, 1, …，每个样本一个：第 i 行的正确答案是第 i 列（自己的配对）",
)
_LEARNED = Text("a parameter that is learned, {v} at the start", "可学习的参数，初值为 {v}")
_RESIZED = Text("{x} resized to {size}{how}", "{x} 缩放到{size}{how}")
_REPLACED = Text("{x} with {v} where {cond}", "{x}，其中 {cond} 处换成 {v}")
_KEPT = Text("{x} where {cond}, elsewhere {v}", "{x}，只保留 {cond} 处，其余为 {v}")
_AT = Text("the entries of {x} at the indices {i}, along dim {d}",
           "{x} 沿 dim={d} 在下标 {i} 处的元素")  # fmt: skip
_HOW = Text(" ({mode} interpolation)", "（{mode}插值）")
_FACTOR = Text("{f} times its height and width", "宽高的 {f} 倍大小")
_MEMBERS = Text("the height and width {s}", "高宽 {s}")


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """What a tensor holds when it is made."""
    if not isinstance(node, ast.Call):
        return None
    name = last_name(node.func)
    if name == "fill_" and isinstance(node.func, ast.Attribute):
        return _filled(node)
    if name == "Parameter" and node.args:
        return _parameter(node.args[0])
    if name == "interpolate":
        return _resized(node)
    part = scene.part(node)
    if is_call(part, "full_like") and name == "full_like" and len(node.args) > 1:
        return _FULL_LIKE.format(x=code_of(node.args[0]), v=code_of(node.args[1]))
    if name == "full" and len(node.args) > 1:
        return _FULL.format(v=code_of(node.args[1]))
    if name == "where" and len(node.args) == 3:
        return _where(node)
    if is_call(part, "gather") and name == "gather":
        return _gathered(node)
    if name == "arange" and _is_target(scene, node):
        return _POSITIVES
    return None


def _where(node: ast.Call) -> Text | None:
    """``where(x <= c, zeros_like(x), x)``."""
    condition, one, other = node.args
    if not isinstance(condition, ast.Compare):
        return None
    for kept, put, form in ((other, one, _REPLACED), (one, other, _KEPT)):
        value = _even(put)
        if value and ast.unparse(kept) == ast.unparse(condition.left):
            return form.format(x=code_of(kept), v=value, cond=code_of(condition))
    return None


def _even(node: ast.expr) -> str:
    """The number that stands everywhere in a tensor: of ``zeros_like(x)``, or of a constant."""
    if isinstance(node, ast.Call):
        return {"zeros_like": "0", "ones_like": "1"}.get(last_name(node.func), "")
    bare = node.operand if isinstance(node, ast.UnaryOp) else node
    return code_of(node) if isinstance(bare, ast.Constant) else ""


def _gathered(node: ast.Call) -> Text | None:
    """``x.gather(-1, top_idx)`` where the indices are no labels."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    whole = [*([owner] if owner is not None and ast.unparse(owner) != "torch" else []), *node.args]
    whole += [k.value for k in node.keywords if k.arg in {"dim", "index"}]
    if len(whole) != 3 or not INDICES_NAMED.search(ast.unparse(whole[2])):
        return None
    return _AT.format(x=code_of(whole[0]), d=ast.unparse(whole[1]), i=code_of(whole[2]))


def _filled(node: ast.Call) -> Text | None:
    """``x.new(n).fill_(1)``."""
    owner = node.func.value  # type: ignore[attr-defined]
    if not isinstance(owner, ast.Call) or not node.args or not owner.args:
        return None
    if last_name(owner.func) not in {"new", "Tensor", "FloatTensor", "empty", "new_empty"}:
        return None
    v = code_of(node.args[0])
    if len(owner.args) == 1:
        return _VECTOR.format(n=code_of(owner.args[0]), v=v)
    return _FULL.format(v=v)


def _parameter(node: ast.expr) -> Text | None:
    if not isinstance(node, ast.Call):
        return None
    name = last_name(node.func)
    if name in {"ones", "zeros"}:
        return _LEARNED.format(v="1" if name == "ones" else "0")
    if name in {"tensor", "full", "FloatTensor"} and node.args:
        return _LEARNED.format(v=code_of(node.args[-1]))
    return None


def _resized(node: ast.Call) -> Text | None:
    given = {k.arg: k.value for k in node.keywords}
    x = node.args[0] if node.args else given.get("input")
    size = node.args[1] if len(node.args) > 1 else given.get("size")
    factor = given.get("scale_factor")
    if x is None or (size is None) == (factor is None):
        return None
    to = (
        _FACTOR.format(f=code_of(factor))
        if factor is not None
        else _MEMBERS.format(s=code_of(size))
    )
    mode = given.get("mode")
    how = Text("", "")
    if isinstance(mode, ast.Constant) and isinstance(mode.value, str):
        how = _HOW.format(mode=_MODES.get(mode.value, Text(mode.value, mode.value)))
    elif mode is None:
        how = _HOW.format(mode=_MODES["nearest"])
    return _RESIZED.format(x=code_of(x), size=to, how=how)


_MODES = {
    "nearest": Text("nearest", "最近邻"), "bilinear": Text("bilinear", "双线性"),
    "bicubic": Text("bicubic", "双三次"), "linear": Text("linear", "线性"),
    "trilinear": Text("trilinear", "三线性"), "area": Text("area", "区域平均"),
}  # fmt: skip


def _is_target(scene: Scene, node: ast.Call) -> bool:
    """Whether the running numbers are the labels of a cross-entropy over pairs."""
    part = scene.part(node)
    if part is None:
        return False
    found = False
    for other in nodes_of(scene.judged.tracer.tree):
        value = scene.part(other)
        if is_call(value, "cross_entropy") and len(value.args) > 1 and value.args[1] is part:
            found = True
        if isinstance(value, Call) and is_call(value, "index") and is_call(value.args[1], "key"):
            keys = value.args[1].args
            found = found or (len(keys) == 2 and keys[0] is keys[1] is part)
    counted = number(arg(part, 1)) is None if isinstance(part, Call) else True
    return found and counted
