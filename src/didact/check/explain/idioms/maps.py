"""Maps of features: sums over their axes, attention maps, pixels and channels as rows."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.formula.tree import Call, Node
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

_AXES = {
    1: Text("the channels", "通道"),
    2: Text("the height", "高度"),
    3: Text("the width", "宽度"),
}
_LEFT = {1: "[B, H, W]", 2: "[B, C, W]", 3: "[B, C, H]"}
_FLAT_LEFT = {1: "[B, H·W]", 2: "[B, C·W]", 3: "[B, C·H]"}
_SUMMED = Text(
    "{x} summed over {axis} (dim {dim} of [B, C, H, W]): {left}",
    "{x} 沿{axis}（[B, C, H, W] 的第 {dim} 维）求和，得到 {left}",
)
_AVERAGED = Text(
    "{x} averaged over {axis} (dim {dim} of [B, C, H, W]): {left}",
    "{x} 沿{axis}（[B, C, H, W] 的第 {dim} 维）取平均，得到 {left}",
)
_SUM_FLAT = Text(
    "{x} summed over {axis} (dim {dim} of [B, C, H, W]), then flattened: one row {left} per sample",
    "{x} 沿{axis}（[B, C, H, W] 的第 {dim} 维）求和，再展平：每个样本一行，{left}",
)
_MEAN_FLAT = Text(
    "{x} averaged over {axis} (dim {dim} of [B, C, H, W]), then flattened: one row {left} per "
    "sample",
    "{x} 沿{axis}（[B, C, H, W] 的第 {dim} 维）取平均，再展平：每个样本一行，{left}",
)
_ATTENTION = Text(
    "the spatial attention map of {x}: at each position the {how} over the channels of {what}"
    "{flat}{unit}",
    "{x} 的空间注意力图：每个位置上对各通道的{what}{how}{flat}{unit}",
)
_HOW = {"mean": Text("mean", "取平均"), "sum": Text("sum", "求和")}
_SQUARES = Text("the squared activations", "激活平方")
_POWERS = Text("the activations to the power {n}", "激活的 {n} 次方")
_ABSOLUTE = Text("the absolute activations", "激活绝对值")
_FLAT = Text(", as one row per sample", "，每个样本展平成一行")
_UNIT = Text(", scaled to length 1", "，再归一化为单位长度")
_PIXELS = Text(
    "{x} with one row of {c} numbers per pixel: [B, C, H, W] becomes [B·H·W, C]",
    "{x} 按像素排成行：[B, C, H, W] 变为 [B·H·W, C]，每个像素一行、{c} 个数",
)
_CHANNELS_LAST = Text(
    "{x} with the channels as the last dimension: [B, C, H, W] becomes [B, H, W, C]",
    "把 {x} 的通道放到最后一维：[B, C, H, W] 变为 [B, H, W, C]",
)
_PER_CHANNEL = Text(
    "{x} with one row of the H·W positions for each channel of each sample: [B·C, H·W]",
    "{x} 按通道排成行：每个样本的每个通道一行，含 H·W 个位置，[B·C, H·W]",
)
_CHANNELS_OF = Text(
    "{x} with the positions of each channel in one row: [B, C, H·W]",
    "{x} 把每个通道的所有位置排成一行：[B, C, H·W]",
)
_PER_SAMPLE = Text("{x} with one row per sample", "{x} 展平为每个样本一行")
_PER_TOKEN = Text(
    "{x} with one row per token (batch and positions joined)",
    "{x} 按词元排成行（批与位置合并为一维）",
)
_FLATTENED = Text("{x} as one long row", "{x} 展平成一维")


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """What is summed, averaged or laid out, and what each row then is."""
    part = scene.part(node)
    if not isinstance(part, Call) or isinstance(node, ast.Name | ast.Attribute):
        return None
    for told in (_attention, _summed, _laid_out):
        if (words := told(scene, part, node)) is not None:
            return words
    return None


def _attention(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    inner: Node = part
    unit = flat = False
    if is_call(inner, "normalize"):
        if number(arg(inner, 2, "dim")) not in {None, 1, -1}:
            return None
        unit, inner = True, inner.args[0]
    if is_row_per_sample(inner):
        flat, inner = True, inner.args[0]  # type: ignore[attr-defined]
    if not is_call(inner, "mean", "sum") or dim_of(inner) != 1:
        return None
    raised = power(inner.args[0])
    base = raised[0] if raised is not None else inner.args[0]
    absolute = is_call(base, "abs")
    if (raised is None and not absolute) or (not unit and not flat and not _is_map(scene, base)):
        return None
    if raised is not None and raised[1] != 2:
        what = _POWERS.format(n=f"{raised[1]:g}")
    else:
        what = _SQUARES if raised is not None else _ABSOLUTE
    base = base.args[0] if is_call(base, "abs") else base
    if not scene.is_named(base, node):
        return None
    nothing = Text("", "")
    return _ATTENTION.format(
        x=scene.name(base, node), how=_HOW[inner.name], what=what,
        flat=_FLAT if flat else nothing, unit=_UNIT if unit else nothing,
    )  # fmt: skip


def _is_map(scene: Scene, node: Node) -> bool:
    """Whether a part certainly has the axes of a map: others of them are worked over."""
    base = _base(node)
    return any(
        is_call(value, "mean", "sum") and dim_of(value) in {2, 3} and _base(value.args[0]) is base
        for value in scene.judged.tracer.values.values()
    )


def _base(node: Node) -> Node:
    while isinstance(node, Call) and (
        node.name in {"detach", "identity", "abs", "relu"} or power(node) is not None
    ):
        node = node.args[0]
    return node


def is_row_per_sample(node: Node) -> bool:
    """``x.view(x.size(0), -1)``, ``x.flatten(1)``."""
    if is_call(node, "view", "reshape") and len(node.args) == 3:
        return number(node.args[2]) == -1 and number(node.args[1]) != -1
    return is_call(node, "flatten") and number(arg(node, 1, "start_dim")) == 1


def _summed(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    flat = is_row_per_sample(part)
    inner = part.args[0] if flat else part
    if not is_call(inner, "sum", "mean") or number(arg(inner, 2, "keepdim")) is not None:
        return None
    dim = dim_of(inner)
    if dim not in _AXES or constant(arg(inner, 2, "keepdim")) or not _is_map(scene, inner.args[0]):
        return None
    if not scene.is_named(inner.args[0], node):
        return None
    assert dim is not None
    words = (_SUM_FLAT if flat else _SUMMED) if inner.name == "sum" else (
        _MEAN_FLAT if flat else _AVERAGED
    )  # fmt: skip
    left = (_FLAT_LEFT if flat else _LEFT)[dim]
    return words.format(x=scene.name(inner.args[0], node), axis=_AXES[dim], dim=dim, left=left)


def _laid_out(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    if is_call(part, "permute"):
        order = [constant(a) for a in part.args[1:]]
        if order == [0, 2, 3, 1] and scene.is_named(part.args[0], node):
            return _CHANNELS_LAST.format(x=scene.name(part.args[0], node))
        return None
    if not is_call(part, "view", "reshape", "flatten"):
        return None
    inner = part.args[0]
    sizes = list(part.args[1:])
    if is_call(inner, "permute") and len(sizes) == 2 and number(sizes[0]) == -1:
        order = [constant(a) for a in inner.args[1:]]
        if order == [0, 2, 3, 1] and scene.is_named(inner.args[0], node):
            c = scene.name(sizes[1], node)
            return _PIXELS.format(x=scene.name(inner.args[0], node), c="C" if c == "…" else c)
        return None
    if not scene.is_named(inner, node):
        return None
    x = scene.name(inner, node)
    if part.name == "flatten":
        return _PER_SAMPLE.format(x=x) if is_row_per_sample(part) else None
    if len(sizes) == 1 and number(sizes[0]) == -1:
        return _FLATTENED.format(x=x)
    if len(sizes) == 2 and number(sizes[0]) == -1 and is_space(scene, sizes[1], node):
        return _PER_CHANNEL.format(x=x)
    if len(sizes) == 2 and number(sizes[1]) == -1 and _is_batch_and_channels(scene, sizes[0], node):
        return _PER_CHANNEL.format(x=x)
    if len(sizes) == 2 and is_row_per_sample(part) and _is_batch(scene, sizes[0], node):
        return _PER_SAMPLE.format(x=x)
    if len(sizes) == 3 and number(sizes[2]) == -1 and _is_batch(scene, sizes[0], node):
        return _CHANNELS_OF.format(x=x) if _is_size(sizes[1], 1) or scene.name(
            sizes[1], node
        ).lower() in {"`c`", "`ch`", "`channels`"} else None  # fmt: skip
    return None


def is_space(scene: Scene, size: Node, node: ast.expr) -> bool:
    """``h * w`` or the like: the number of positions."""
    if not is_call(size, "mul"):
        return False
    names = {scene.name(a, node).strip("`").lower() for a in size.args}
    by_size = {d for a in size.args for d in (2, 3, -1, -2) if _is_size(a, d)}
    return names in ({"h", "w"}, {"height", "width"}) or by_size in ({2, 3}, {-1, -2})


def _is_batch_and_channels(scene: Scene, size: Node, node: ast.expr) -> bool:
    if not is_call(size, "mul"):
        return False
    names = {scene.name(a, node).strip("`").lower() for a in size.args}
    by_size = {d for a in size.args for d in (0, 1) if _is_size(a, d)}
    return names in ({"b", "c"}, {"n", "c"}, {"bs", "c"}) or by_size == {0, 1}


def _is_batch(scene: Scene, size: Node, node: ast.expr) -> bool:
    return _is_size(size, 0) or scene.name(size, node).strip("`").lower() in {
        "b", "n", "bs", "bsz", "batch", "batch_size",
    }  # fmt: skip


def _is_size(node: Node, dim: int) -> bool:
    """``x.size(k)``, ``x.shape[k]``."""
    node = peeled(node)
    if is_call(node, "size"):
        return len(node.args) > 1 and number(node.args[1]) == dim
    if is_call(node, "index") and is_call(node.args[0], "size"):
        return number(node.args[1]) == dim
    return False
