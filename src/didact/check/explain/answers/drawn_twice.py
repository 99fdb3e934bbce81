"""Whether a buffer must be drawn from twice."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 12
ASKS = either(
    r"twice|two (batches|draws|samples)|again|duplicat|second (draw|batch|get_data)",
    r"两次|重复|一次|再取|第二次",
)
_TEXT = Text(
    "It is no slip: as in DER++, the logits (line {one}) and the labels (line {two}) are matched "
    "on two batches that are drawn independently. One batch for both works as well and saves a "
    "forward pass; the gradient is the same on average.",
    "不是写重复了：DER++ 的写法就是 logits（第 {one} 行）和标签（第 {two} 行）各抽一批独立的样本"
    "。只取一批、两项共用也可以，省一次前向，梯度的期望不变。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the code calls the buffer's get_data two times."""
    calls = code.calls("get_data", "sample", "get_batch")
    if len(calls) != 2 or not re.search(r"buf|memory|replay|取|抽", code.text + question):
        return None
    return _TEXT.format(one=calls[0].lineno, two=calls[1].lineno)
