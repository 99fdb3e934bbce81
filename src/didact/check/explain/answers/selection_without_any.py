"""What happens where a mask selects nothing."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shown

PLACE = 12
ASKS = either(
    r"no (foreground|positive|object|sample)|empty|all (zero|false|masked|padded)|nan",
    r"没有(前景|正样本|目标)|全(是|为) ?(0|pad|填充)|空|nan",
)
_MASK = re.compile(r"mask|fg|pos|keep|valid|sel", re.IGNORECASE)
_QUOTIENT = Text(
    "Then `{mask}` selects nothing, `{divisor}` is 0, and line {line} becomes 0/0 = NaN. Divide by "
    "`{divisor}.clamp(min=1)` (the term is 0 then).",
    "这时 `{mask}` 一个都没选中，`{divisor}` 为 0，第 {line} 行成了 0/0 = NaN。改成除以 "
    "`{divisor}.clamp(min=1)`（该项就为 0）。",
)
_MEAN = Text(
    "Where `{mask}` selects nothing, `{code}` (line {line}) is the mean of no numbers, which is "
    "NaN. Take reduction='sum' and divide by `{mask}.sum().clamp(min=1)`.",
    "`{mask}` 一个都没选中时，`{code}`（第 {line} 行）是对零个数取平均，结果是 NaN。改用 "
    "reduction='sum'，再除以 `{mask}.sum().clamp(min=1)`。",
)


def answer(_question: str, code: Code) -> Text | None:
    """Where a sum is divided by the size of a selection, or the mean of one is taken."""
    for node in code.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            below = node.right
            found = re.fullmatch(r"([\w.]+)\.(float\(\)\.)?sum\(\)", ast.unparse(below))
            if found is not None and _MASK.search(found[1]):
                return _QUOTIENT.format(mask=found[1], divisor=shown(below), line=node.lineno)
    for call in code.calls("smooth_l1_loss", "l1_loss", "mse_loss", "cross_entropy"):
        text = ast.unparse(call)
        chosen = re.search(r"\[(\w+)\]", text)
        summed = re.search(r"reduction='(sum|none)'", text)
        if chosen is not None and _MASK.search(chosen[1]) and summed is None:
            return _MEAN.format(mask=chosen[1], code=shown(call), line=call.lineno)
    return None
