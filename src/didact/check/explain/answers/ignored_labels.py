"""Whether a cross-entropy leaves the label −100 out."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shown

PLACE = 14
ASKS = either(
    r"\b(ce|cross.?entropy|hard (loss|term))\b.*(-100|ignor|padding)",
    r"(ce\b|交叉熵|硬标签).{0,12}(-100|忽略|填充|padding)",
)
_YES = Text(
    "Yes: `{code}` (line {line}) leaves out the labels −100, which is ignore_index by default, and "
    "averages over the others.",
    "会忽略：`{code}`（第 {line} 行）的 ignore_index 默认就是 −100，取平均时只算其余的标签。",
)
_OTHER = Text(
    "It leaves out the labels equal to `{value}`, its ignore_index (line {line}), and no others.",
    "它忽略的是等于 `{value}` 的标签，即所给的 ignore_index（第 {line} 行），别的都参与计算。",
)


def answer(_question: str, code: Code) -> Text | None:
    """By the ``ignore_index`` of the one call."""
    calls = [c for c in code.calls("cross_entropy") if len(c.args) > 1]
    if len(calls) != 1 or not code.is_torch:
        return None
    (call,) = calls
    if len(call.args) > 2 or not re.match(r"(F|nn\.functional|torch)", ast.unparse(call.func)):
        return None
    given = [ast.unparse(k.value) for k in call.keywords if k.arg == "ignore_index"]
    if not given or given == ["-100"]:
        return _YES.format(code=shown(call), line=call.lineno)
    return _OTHER.format(value=given[0], line=call.lineno)
