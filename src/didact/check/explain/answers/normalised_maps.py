"""Why features or maps are brought to length 1."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shown

PLACE = 22
ASKS = either(r"normali[sz]", r"归一化|normali[sz]|单位向量|单位长度|L2")
_ASKS = either(
    r"why|need|necessar|what|skip|without|for\?|purpose|remove",
    r"为什么|为何|干嘛|作用|要不要|去掉|不做|必要|什么",
)
_MAPS = Text(
    "`{code}` (line {line}) brings each map to length 1, so that only the pattern counts, where "
    "the attention lies: student and teacher have different numbers of channels and different "
    "magnitudes, and without it the loss would mostly compare these.",
    "`{code}`（第 {line} 行）把每张图变成长度为 1 的向量，只比较注意力的分布形状：师生的通道数、"
    "幅度都不同，不归一化的话，损失主要在比较幅度。",
)
_CONTRAST = Text(
    "`{code}` (line {line}) brings each vector to length 1, so the inner products are cosines "
    "between −1 and 1: the loss compares directions, cannot be lowered by longer vectors, and "
    "the temperature has a fixed scale to work on.",
    "`{code}`（第 {line} 行）把每个向量变成长度 1，内积就是 −1 到 1 之间的余弦：损失只比较方向，"
    "不能靠增大模长来降低，温度也有了固定的尺度。",
)
_ROWS = Text(
    "`{code}` (line {line}) brings each row of the matrix of similarities to length 1, so that "
    "the scale of the features of the two networks drops out and only how a sample is similar to "
    "the others counts.",
    "`{code}`（第 {line} 行）把相似度矩阵的每一行变成长度 1，去掉两个网络特征尺度的差别，只比较“"
    "一个样本与其他样本有多像”。",
)
_VECTORS = Text(
    "`{code}` (line {line}) brings each vector to length 1: only its direction counts, not its "
    "magnitude, in which student and teacher may differ.",
    "`{code}`（第 {line} 行）把每个向量变成长度 1：只比较方向，不比较幅度，而师生的幅度可能不同。",
)


def answer(question: str, code: Code) -> Text | None:
    """By what is computed from the normalised tensors."""
    calls = code.calls("normalize")
    if not calls or not _ASKS.search(question) or re.search(r"distance|距离|mean|均值", question):
        return None
    values = {"code": shown(calls[0]), "line": calls[0].lineno}
    keys = {t.definition.key for t in code.terms if t.definition is not None}
    if keys & {"at", "pod"}:
        return _MAPS.format(**values)
    if keys & {"sp"}:
        return _ROWS.format(**values)
    if keys & {"infonce"}:
        return _CONTRAST.format(**values)
    return _VECTORS.format(**values) if keys & {"mse", "cosine", "mse_rows"} else None
