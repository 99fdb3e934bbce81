"""When the two numbers of a bias correction are trained."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either, shown
from didact.check.explain.call_words import last_name

PLACE = 18
ASKS = either(r"alpha|beta|bias|correct", r"alpha|beta|α|β|偏置|校正")
_TRAINED = either(
    r"updat|train|freez|frozen|fix|learn|every|always",
    r"更新|训练|冻结|固定|学习|一直|每次|何时|什么时候",
)
_TEXT = Text(
    "No: in BiC they are trained in the second stage alone, on a small balanced validation set, "
    "while the network stands still; in the first stage, and for the layers of earlier tasks, they "
    "are fixed.",
    "不要：BiC 里它们只在第二阶段、用一小份类别均衡的验证集训练，此时网络不动；第一阶段以及以前任务"
    "的校正层都固定不变。",
)
_HERE = Text(
    "Here the optimiser holds `{code}` (line {line}) alone.",
    "这里优化器只管 `{code}`（第 {line} 行）。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a layer with one factor and one shift is trained by an optimiser of its own."""
    if not _TRAINED.search(question) or not _is_bias_layer(code):
        return None
    for call in code.calls("Adam", "SGD", "AdamW"):
        given = call.args[0] if call.args else None
        if isinstance(given, ast.Call) and last_name(given.func) == "parameters":
            return both(_TEXT, _HERE.format(code=shown(given), line=call.lineno))
    return _TEXT


def _is_bias_layer(code: Code) -> bool:
    """``self.alpha = Parameter(ones(1))`` and ``self.beta = Parameter(zeros(1))``."""
    made = r"= (nn\.|torch\.nn\.)?Parameter\((torch\.)?{}\(1"
    return all(re.search(made.format(kind), code.text) for kind in ("ones", "zeros"))
