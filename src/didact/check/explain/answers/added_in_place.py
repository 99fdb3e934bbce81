"""Whether ``loss +=`` troubles autograd."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 10
ASKS = either(r"\+=|in-?place", r"\+=|原地|inplace")
_ASKS = either(
    r"autograd|problem|ok\b|okay|fine|safe|break|graph|wrong|in-?place",
    r"梯度|问题|可以|影响|报错|计算图|行吗|吗",
)
_TEXT = Text(
    "No problem: `{code}` adds to the scalar loss in place, and the backward pass of an addition "
    "needs none of the values that are overwritten. `loss = loss + …` does the same.",
    "没有问题：`{code}` 是对标量 loss 的原地加法，加法的反向不需要被覆盖的旧值，和 "
    "`loss = loss + …` 等价。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a loss is added to in place."""
    if not code.is_torch or not _ASKS.search(question):
        return None
    for node in code.nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            name = ast.unparse(node.target)
            if "loss" in name.lower() and "[" not in name and not code.kinds & {"INPLACE"}:
                return _TEXT.format(code=f"{name} += …")
    return None
