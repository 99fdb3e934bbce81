"""Buffers of samples that are kept for replay."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.engine.names import words
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
    "Draws {n} stored samples from the buffer {o}: {names}.",
    "从缓冲区 {o} 中取 {n} 个存下的样本：{names}。",
)
_DRAWS = frozenset({"get_data", "sample", "get", "draw", "get_batch"})
_BUFFERS = frozenset({"buffer", "buf", "memory", "mem", "replay", "reservoir"})


def sentence(scene: Scene, statement: ast.stmt) -> Text | None:
    """``buffer.add_data(...)`` and ``buffer.get_data(n)``."""
    del scene
    call = getattr(statement, "value", None)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    if not set(words(last_name(owner))) & _BUFFERS:
        return None
    if isinstance(statement, ast.Expr) and call.func.attr in {"add", "add_data"}:
        return _stored(call, owner)
    if not isinstance(statement, ast.Assign) or call.func.attr not in _DRAWS:
        return None
    if not call.args or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return _DRAWN.format(
        n=code_of(call.args[0]), o=code_of(owner), names=", ".join(map(code_of, parts))
    )


def _stored(call: ast.Call, owner: ast.expr) -> Text | None:
    if call.args and not call.keywords:
        parts = [_plain(a) for a in call.args]
    elif call.args or not call.keywords or any(k.arg not in _PARTS for k in call.keywords):
        return None
    else:
        parts = []
    for keyword in call.keywords:
        value = keyword.value
        note = _DETACHED if _is_cut(value) else Text("", "")
        parts.append(_PARTS[str(keyword.arg)].format(x=code_of(value), detached=note))
    return _STORED.format(
        o=code_of(owner),
        parts=Text(", ".join(p.en for p in parts), "、".join(p.zh for p in parts)),
    )


def _is_cut(value: ast.expr) -> bool:
    """Whether what is stored is without its graph."""
    if isinstance(value, ast.Attribute):
        return value.attr == "data"
    return isinstance(value, ast.Call) and last_name(value.func) == "detach"


def _plain(value: ast.expr) -> Text:
    shown = code_of(value)
    return (
        Text(shown, shown)
        if not _is_cut(value)
        else Text(f"{shown}{_DETACHED.en}", f"{shown}{_DETACHED.zh}")
    )
