"""Buffers of samples that are kept for replay."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.call_words import last_name
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_STORED = Text(
    "Stores in the buffer {o} for later replay: {parts}.", "存入缓冲区 {o}，供之后回放：{parts}。"
)
_PARTS = {
    "examples": Text("the samples {x}", "样本 {x}"),
    "labels": Text("the labels {x}", "标签 {x}"),
    "logits": Text("the logits {x}{detached}", "logits {x}{detached}"),
    "task_labels": Text("the numbers of the tasks {x}", "任务编号 {x}"),
}
_DETACHED = Text(" (their numbers alone, without gradient)", "（只取数值，不带梯度）")
_DRAWN = Text(
    "Draws {n} samples from the buffer {o} at random: {names}.",
    "从缓冲区 {o} 中随机取 {n} 个样本：{names}。",
)


def sentence(scene: Scene, statement: ast.stmt) -> Text | None:
    """``buffer.add_data(...)`` and ``buffer.get_data(n)``."""
    del scene
    call = getattr(statement, "value", None)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    if not any(w in last_name(owner).lower() for w in ("buffer", "memory", "replay")):
        return None
    if isinstance(statement, ast.Expr) and call.func.attr == "add_data":
        return _stored(call, owner)
    if not isinstance(statement, ast.Assign) or call.func.attr not in {"get_data", "sample"}:
        return None
    if not call.args or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return _DRAWN.format(
        n=code_of(call.args[0]), o=code_of(owner), names=", ".join(map(code_of, parts))
    )


def _stored(call: ast.Call, owner: ast.expr) -> Text | None:
    if call.args or not call.keywords or any(k.arg not in _PARTS for k in call.keywords):
        return None
    parts = []
    for keyword in call.keywords:
        value = keyword.value
        cut = isinstance(value, ast.Attribute) and value.attr == "data"
        cut = cut or (isinstance(value, ast.Call) and last_name(value.func) == "detach")
        note = _DETACHED if cut else Text("", "")
        parts.append(_PARTS[str(keyword.arg)].format(x=code_of(value), detached=note))
    return _STORED.format(
        o=code_of(owner),
        parts=Text(", ".join(p.en for p in parts), "、".join(p.zh for p in parts)),
    )
