"""Whether the teacher must be put in evaluation mode, and whether it is."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.answers._code import Code, either
from didact.check.explain.call_words import last_name

PLACE = 12
ASKS = either(r"\beval\b(?! (loss|set|acc))|evaluation mode", r"\beval\b|评估模式|推理模式")
_NEED = either(
    r"need|should|have to|must|necessary|required|leave|omit|without|skip|matter|why|missing|forgot"
    r"|enough",
    r"要不要|需要|还要|必须|应该|要.{0,12}吗|不写|不加|不用|漏|少了|为什么|必要|可以不|能不",
)
_NOT_THIS = either(
    r"difference|\bvs\b|no_grad|detach|student|\bor\b", r"区别|no_grad|detach|学生|还是"
)
_THERE = Text(
    "Yes, and it is there: `{code}` (line {line}). Without it dropout stays on and BatchNorm uses, "
    "and changes, its statistics with every batch, even under no_grad().",
    "需要，代码里已经有了：`{code}`（第 {line} 行）。不调用的话，dropout 开着，"
    "BatchNorm 用的是每批的"
    "统计量并不断改动滑动统计量，no_grad() 也管不了。",
)
_LACKS = Text(
    "Yes, once before the loop, unless it is done elsewhere: nothing that is shown calls "
    "`{model}.eval()`. Without it dropout stays on and BatchNorm uses, and changes, its statistics "
    "with every batch, even under no_grad().",
    "需要，在循环之前调用一次（如果别处没有调用过）：贴出的代码里没有 "
    "`{model}.eval()`。不调用的话，"
    "dropout 开着，BatchNorm 用的是每批的统计量并不断改动滑动统计量，no_grad() 也管不了。",
)
_WHERE_RUN = Text(
    "Yes, where the teacher is run, which is not shown here: without eval() its dropout stays on "
    "and its BatchNorm statistics change with every batch, even under no_grad(). This loss only "
    "gets the outputs and cannot do it.",
    "需要，在运行教师的地方调用（这里没有给出）：不调用 eval()，教师的 dropout "
    "开着，BatchNorm 的统计"
    "量每批都在变，no_grad() 也管不了。这个损失函数只拿到输出，管不到这件事。",
)


def answer(question: str, code: Code) -> Text | None:
    """By the models that are called and put in evaluation mode."""
    if not _NEED.search(question) or _NOT_THIS.search(question) or not code.is_torch:
        return None
    if re.search(r"\.train\(\)|MoCo|mean.?teacher|\bema", code.text, re.IGNORECASE):
        return None
    for call in code.calls("eval"):
        if isinstance(call.func, ast.Attribute) and _is_teacher(call.func.value):
            return _THERE.format(code=ast.unparse(call), line=call.lineno)
    called = [c.func for c in code.nodes if isinstance(c, ast.Call) and _is_teacher(c.func)]
    models = [f for f in called if isinstance(f, ast.Name | ast.Attribute)]
    if models:
        return _LACKS.format(model=ast.unparse(models[0]))
    if any(t.teacher is not None for t in code.terms) and len(list(code.functions())):
        return _WHERE_RUN
    return None


def _is_teacher(node: ast.expr) -> bool:
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    name = last_name(node)
    held = isinstance(node, ast.Name) or ast.unparse(node).startswith("self.")
    return held and role_of(name) is Role.TEACHER
