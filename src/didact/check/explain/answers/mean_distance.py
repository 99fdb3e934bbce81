"""Why distances are divided by their mean, and what happens without it."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 30
ASKS = either(
    r"divid|normali[sz]|mean distance|> ?0\]\.mean|skip.*mean|without.*mean",
    r"除以|均值|平均距离|不除|归一|> ?0\]\.mean",
)
_ASKS = either(
    r"why|skip|without|remove|need|necessar|what",
    r"为什么|为何|不除|去掉|干嘛|作用|什么|要不要|必要|行不行",
)
_CODE = re.compile(
    r"(?P<d>\w+) / (?P=d)\[(?P=d) > 0\]\.mean\(\)|(?P<m>\w+) = (?P<e>\w+)\[(?P=e) > 0\]\.mean\(\)"
)
_TEXT = Text(
    "It takes the scale out: each network's distances are divided by the mean of its own "
    "non-zero ones, so only their ratios are compared, whatever the size and the magnitude of "
    "the features. Without it the scale decides the loss: the student is driven to the teacher's "
    "absolute distances, and the value grows with the width of the features. It could go only "
    "where both embeddings have the same scale (both normalised to length 1, say).",
    "为了去掉尺度：各自的距离除以自己所有非零距离的均值，只比较距离之间的比例，与特征的维数、幅度"
    "无关。不除的话，损失由尺度决定：学生得去学教师的绝对距离，数值也随特征维数变大。只有两边的特"
    "征尺度本来就相同（例如都做了 L2 归一化）时才可以不除。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where distances are divided by the mean of the non-zero ones, as in RKD."""
    if re.search(r"\bsize|dimension|channel|width|维度|维数", question):
        return None
    return _TEXT if _ASKS.search(question) and _CODE.search(code.text) else None
