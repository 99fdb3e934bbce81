"""Layers, and what goes through one that the code shows."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.engine.names import is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.idioms._built import built_by
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_CONVOLUTION = Text(
    "a {k}×{k} convolution from {a} to {b} channels", "把 {a} 个通道变为 {b} 个的 {k}×{k} 卷积层"
)
_SEQUENCE = Text("layers that run one after the other: {layers}", "依次执行的层：{layers}")
_SHORT = {
    "Conv2d": Text(
        "a {k}×{k} convolution from {a} to {b} channels", "{k}×{k} 卷积（{a} → {b} 通道）"
    ),
    "Linear": Text("a linear layer from {a} to {b}", "全连接层（{a} → {b}）"),
    "BatchNorm2d": Text("batch normalisation", "BatchNorm"),
    "BatchNorm1d": Text("batch normalisation", "BatchNorm"),
    "LayerNorm": Text("layer normalisation", "LayerNorm"),
    "ReLU": Text("ReLU", "ReLU"), "GELU": Text("GELU", "GELU"),
    "Dropout": Text("dropout", "dropout"), "Flatten": Text("flattening", "展平"),
    "AvgPool2d": Text("average pooling", "平均池化"),
    "AdaptiveAvgPool2d": Text("average pooling", "平均池化"),
    "MaxPool2d": Text("max pooling", "最大池化"),
    "Softmax": Text("softmax", "softmax"),
}  # fmt: skip
_THROUGH = Text("{x} through {o}: {what}", "{x} 经过 {o}：{what}")
_MOST = 5


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """A layer, a chain of layers, or the output of one."""
    if isinstance(node, ast.ListComp):
        return _of_all(node)
    if not isinstance(node, ast.Call):
        return None
    name = last_name(node.func)
    if name == "Conv2d":
        k = _size(node)
        if k is not None and len(node.args) > 1:
            return _CONVOLUTION.format(a=code_of(node.args[0]), b=code_of(node.args[1]), k=k)
        return None
    if name == "Sequential":
        layers = _layers(node)
        return _SEQUENCE.format(layers=layers) if layers is not None else None
    if isinstance(node.func, ast.Name | ast.Attribute) and len(node.args) == 1:
        text = ast.unparse(node.func)
        if is_model(text) or role_of(text) is not Role.UNKNOWN:
            return None
        made = built_by(scene.judged.tracer.tree, node.func)
        if made is not None and not node.keywords:
            layer = last_name(made.func)
            what = _layers(made) if layer == "Sequential" else _layer(made)
            if what is not None and layer in {"Sequential", "Conv2d", "Linear"}:
                return _THROUGH.format(x=code_of(node.args[0]), o=code_of(node.func), what=what)
    return None


_ALL = Text("the outputs of all models of {models} for {x}", "{models} 中每个模型对 {x} 的输出")


def _of_all(node: ast.ListComp) -> Text | None:
    """``[t(x) for t in teachers]``."""
    loop, call = node.generators[0], node.elt
    if len(node.generators) > 1 or loop.ifs or not isinstance(call, ast.Call):
        return None
    same = ast.unparse(call.func) == ast.unparse(loop.target)
    models = any(w in ast.unparse(loop.iter).lower() for w in ("teacher", "model", "expert", "net"))
    if not same or not models or len(call.args) != 1:
        return None
    return _ALL.format(models=code_of(loop.iter), x=code_of(call.args[0]))


def _size(node: ast.Call) -> str | None:
    given = node.args[2] if len(node.args) > 2 else next(
        (k.value for k in node.keywords if k.arg == "kernel_size"), None
    )  # fmt: skip
    return str(given.value) if isinstance(given, ast.Constant) else None


def _layer(node: ast.expr) -> Text | None:
    if not isinstance(node, ast.Call):
        return None
    words = _SHORT.get(last_name(node.func))
    if words is None:
        return None
    if "{a}" in words.en and len(node.args) < 2:
        return None
    if "{k}" in words.en and _size(node) is None:
        return None
    a, b = [code_of(n) for n in [*node.args, node, node][:2]]
    return words.format(a=a, b=b, k=_size(node))


def _layers(node: ast.Call) -> Text | None:
    if not node.args or len(node.args) > _MOST or node.keywords:
        return None
    parts = [_layer(a) for a in node.args]
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    return Text(", ".join(p.en for p in known), "、".join(p.zh for p in known))
