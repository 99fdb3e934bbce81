"""Questions that suspect just what was found: the coefficient, the labels, the dimension."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 7
ASKS = either(
    r"\b(should|shouldn't|isn't|supposed|must|need(ed)?|necessary)\b|\bmissing\b",
    r"是不是(应该?|要|得|少|漏)|应该是|要不要|该不该|少了|漏了|不应该|需要|必须",
)
_SUSPECTED = {
    "KE172": either(r"permute|transpose|contiguous", r"permute|转置|contiguous"),
    "KE237": either(r"coefficient|factor|\b2\b|twice|cross term", r"系数|2|两倍|混合项|交叉项"),
    "KE233": either(r"arange|zeros|labels?|diagonal", r"arange|标签|对角|全 ?0"),
    "KE230": either(r"\bdim\b|axis|dim ?= ?1", r"dim|维"),
    "KE231": either(r"\bdim\b|axis|dim ?= ?1", r"dim|维"),
    "KE234": either(r"\bdim\b|axis|dim ?= ?2|spatial|position", r"dim|维|位置|空间"),
    "KE235": either(r"unsqueeze|broadcast|mask", r"unsqueeze|广播|掩码|mask"),
    "KE236": either(r"unsqueeze|broadcast|shape", r"unsqueeze|广播|形状|维"),
}
_SO_AS_IT_IS = either(r"is it right|correct as|对吗|对不对|没问题", r"这样写对")
_YES = Text("Yes: {why}.", "是的：{why}。")


def answer(question: str, code: Code) -> Text | None:
    """By the finding that the question speaks of."""
    if _SO_AS_IT_IS.search(question) or re.search(r"\bwhy\b|为什么|为何", question, re.IGNORECASE):
        return None
    for finding in code.findings:
        asked = _SUSPECTED.get(finding.code)
        if asked is not None and asked.search(question):
            message = finding.message
            return _YES.format(why=Text(message.en.rstrip("."), message.zh.rstrip("。")))
    return None
