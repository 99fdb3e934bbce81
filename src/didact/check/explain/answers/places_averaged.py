"""Why a product over the places of a map is divided by their number."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 24
ASKS = either(r"divid|\bh ?\* ?w\b|normali", r"除以|除的|h ?\* ?w|归一")
_PRODUCT = re.compile(
    r"(?:bmm|matmul)\((\w+), [^\n]*\) / (\1\.(?:size\(2\)|shape\[2\])|\(?h ?\* ?w\)?)"
)
_TEXT = Text(
    "Each entry of the product is a sum over the H·W places; `{by}` is their number, so what is "
    "left is the mean over the places. The matrix then does not grow with the resolution, and "
    "those of two networks with maps of different size can be compared.",
    "乘积的每个元素都是对 H·W 个位置求和，`{by}` 就是位置数，除以它就得到对位置的平均：矩阵不随分辨"
    "率变大，特征图大小不同的两个网络也能比较。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where rows of places are multiplied and the product is divided by their number."""
    found = _PRODUCT.search(code.text)
    if found is None or not re.search(r"\bwhy\b|为什么|为何|干嘛", question, re.IGNORECASE):
        return None
    flat = re.search(rf"\b{found[1]} = [^\n]*(?:view|reshape|flatten)\(", code.text)
    return _TEXT.format(by=found[2]) if flat is not None else None
