"""Whether a cosine loss may be negative."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 6
ASKS = either(r"negativ|below (0|zero)|minus", r"负|小于 ?0")
_TEXT = Text(
    "Yes, that is how it is written: minus a cosine lies between −1 and 1, and −1, its minimum, "
    "means that the two point the same way. 1 − cos has the same gradient and ends at 0.",
    "正常：这里写的是负的余弦，取值在 −1 到 1 之间，最小值 −1 表示方向完全一致。写成 1 − cos 梯度"
    "相同，最小值为 0。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where minus a cosine is the only term."""
    if code.serious or "simsiam" not in code.keys or len(code.terms) != 1:
        return None
    return None if re.search(r"sample|样本", question) else _TEXT
