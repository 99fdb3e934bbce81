"""Parameters that are frozen, averaged or copied."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.call_words import last_name, targets_of
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_OFF = Text("Freezes {x}: no gradient is computed for it any more.", "冻结 {x}：不再为它计算梯度。")
_ON = Text(
    "Lets gradients be computed for {x}: it can be trained.", "让 {x} 参与求导：它可以被训练。"
)
_OFF_WHOLE = Text(
    "Freezes all parameters of {x}: no gradient is computed for them any more.",
    "冻结 {x} 的全部参数：不再为它们计算梯度。",
)
_ON_LOSS = Text(
    "Marks {x} as needing a gradient, so that backward() does not stop; a loss with a graph needs "
    "no such line, and one without a graph trains nothing in spite of it.",
    "把 {x} 标为需要梯度，让 backward() 不报错；带计算图的损失不需要这一行，不带计算图的损失加上它"
    "也训练不了任何参数。",
)
_MOVED = Text(
    "One step of a moving average (EMA): {p} ← {d} · {p} + {r} · {q}.",
    "指数滑动平均（EMA）的一步：{p} ← {d} · {p} + {r} · {q}。",
)
_PAIRS = Text(
    "For each pair of buffers {target} (BatchNorm's running statistics and the like) of {models}:",
    "逐对遍历 {models} 的缓冲区 {target}（如 BatchNorm 的滑动统计量）：",
)
_PARAMETERS = Text(
    "For each pair of parameters {target} of {models}:", "逐对遍历 {models} 的参数 {target}："
)
_ITEMS = {
    "parameters": Text(
        "For every parameter {target} of {model}:", "对 {model} 的每个参数 {target}："
    ),
    "buffers": Text(
        "For every buffer {target} of {model} (BatchNorm's running statistics and the like):",
        "对 {model} 的每个缓冲区 {target}（如 BatchNorm 的滑动统计量）：",
    ),
    "named_parameters": Text(
        "For every parameter of {model}: {first} is its name, {second} the tensor.",
        "遍历 {model} 的参数：{first} 是名字，{second} 是张量。",
    ),
}
_AND = Text("{a} and {b}", "{a} 与 {b}")


def sentence(scene: Scene, statement: ast.stmt) -> Text | None:
    """What happens to parameters."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return _switch_call(scene, statement.value)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name) and target.id in _items(scene):
            return _switch(scene, statement)  # the loop's own name, no parameter
        return _switch(scene, statement) or _average(target, statement.value)
    if isinstance(statement, ast.For):
        return _loop(statement)
    return None


def _switch_call(scene: Scene, call: ast.Call) -> Text | None:
    if last_name(call.func) == "copy_" and isinstance(call.func, ast.Attribute) and call.args:
        return _average(call.func.value, call.args[0])
    if last_name(call.func) != "requires_grad_" or not isinstance(call.func, ast.Attribute):
        return None
    flag = call.args[0] if call.args else next((k.value for k in call.keywords), None)
    owner = call.func.value
    if isinstance(owner, ast.Call) and last_name(owner.func) in {"eval", "train"}:
        return None
    if flag is not None and not isinstance(flag, ast.Constant):
        return None
    on = flag is None or bool(flag.value)
    return _said(scene, owner, on=on)


def _switch(scene: Scene, statement: ast.Assign) -> Text | None:
    target = statement.targets[0]
    if not isinstance(target, ast.Attribute) or target.attr != "requires_grad":
        return None
    if not isinstance(statement.value, ast.Constant):
        return None
    return _said(scene, target.value, on=bool(statement.value.value))


def _said(scene: Scene, owner: ast.expr, *, on: bool) -> Text:
    if on:
        if _goes_back(scene, owner):
            return _ON_LOSS.format(x=code_of(owner))
        return _ON.format(x=code_of(owner))
    whole = isinstance(owner, ast.Name | ast.Attribute) and ast.unparse(owner) not in _items(scene)
    return (_OFF_WHOLE if whole else _OFF).format(x=code_of(owner))


def _goes_back(scene: Scene, owner: ast.expr) -> bool:
    name = ast.unparse(owner)
    return any(
        isinstance(n, ast.Call) and ast.unparse(n.func) == f"{name}.backward"
        for n in nodes_of(scene.judged.tracer.tree)
    )


def _items(scene: Scene) -> set[str]:
    """What loops run over: single parameters."""
    return {
        n.id
        for loop in nodes_of(scene.judged.tracer.tree) if isinstance(loop, ast.For)
        for n in nodes_of(loop.target) if isinstance(n, ast.Name)
    }  # fmt: skip


def _average(target: ast.expr, value: ast.expr) -> Text | None:
    """``p = d * p + (1 - d) * q``."""
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return None
    own = ast.unparse(target).removesuffix(".data")
    sides = []
    for side in (value.left, value.right):
        if not isinstance(side, ast.BinOp) or not isinstance(side.op, ast.Mult):
            return None
        sides.append((side.left, side.right))
    for (v, one), (w, other) in (
        (a, b)
        for first, second in (sides, sides[::-1])
        for a in (first, first[::-1])
        for b in (second, second[::-1])
    ):
        kept = ast.unparse(one).removesuffix(".data").removesuffix(".detach()")
        if kept != own or not _sum_to_one(v, w):
            continue
        return _MOVED.format(p=code_of(target), d=_factor(v), r=_factor(w), q=code_of(other))
    return None


def _factor(node: ast.expr) -> str:
    return f"({code_of(node)})" if isinstance(node, ast.BinOp) else code_of(node)


def _sum_to_one(v: ast.expr, w: ast.expr) -> bool:
    for one, other in ((v, w), (w, v)):
        if (
            isinstance(other, ast.BinOp)
            and isinstance(other.op, ast.Sub)
            and ast.unparse(other.left) in {"1", "1.0"}
        ):
            return ast.unparse(other.right) == ast.unparse(one)
    numbers = [n.value for n in (v, w) if isinstance(n, ast.Constant)]
    return len(numbers) == 2 and all(isinstance(n, int | float) for n in numbers) and abs(
        sum(numbers) - 1  # type: ignore[arg-type]
    ) < 1e-9  # fmt: skip


def _loop(node: ast.For) -> Text | None:
    over = node.iter
    if not isinstance(over, ast.Call):
        return None
    if last_name(over.func) == "zip":
        parts = [_of_model(a) for a in over.args]
        kinds = {p[0] for p in parts if p is not None}
        if len(parts) != 2 or None in parts or len(kinds) != 1:
            return None
        kind = kinds.pop()
        if kind not in {"parameters", "buffers"}:
            return None
        models = _AND.format(a=parts[0][1], b=parts[1][1])  # type: ignore[index]
        words = _PAIRS if kind == "buffers" else _PARAMETERS
        return words.format(target=targets_of(node.target), models=models)
    found = _of_model(over)
    if found is None:
        return None
    kind, model = found
    if kind == "named_parameters":
        if not isinstance(node.target, ast.Tuple) or len(node.target.elts) != 2:
            return None
        first, second = (code_of(e) for e in node.target.elts)
        return _ITEMS[kind].format(model=model, first=first, second=second)
    return _ITEMS[kind].format(model=model, target=targets_of(node.target))


def _of_model(node: ast.expr) -> tuple[str, str] | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr not in _ITEMS or node.args:
        return None
    return node.func.attr, code_of(node.func.value)
