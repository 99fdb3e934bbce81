"""Whether the order of the two sides of a pairwise difference matters."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 22
ASKS = either(
    r"(order|swap|exchang|sign|direction).*(unsqueeze|differ|matter)|unsqueeze.*(order|swap)",
    r"(unsqueeze|相减|差).*(顺序|反过来|调换|换)|(顺序|调换).*(unsqueeze|相减|差)",
)
_SAME = Text(
    "No: `{code}` the other way round changes the sign of every difference, and in the product of "
    "two of them the signs cancel, so the cosines are the same.",
    "不影响：`{code}` 反过来写只是让每个差向量变号，两个差向量相乘时符号抵消，余弦不变。",
)


def answer(_question: str, code: Code) -> Text | None:
    """Where the differences go into products with each other."""
    made = re.search(r"(\w+)\.unsqueeze\([01]\) - \1\.unsqueeze\([01]\)", code.text)
    used = re.search(r"bmm\((\w+), \1\.(?:transpose\(1, 2\)|permute\(0, 2, 1\)|mT)\)", code.text)
    return _SAME.format(code=made[0]) if made is not None and used is not None else None
