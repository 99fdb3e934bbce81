"""Whether the weights of several teachers must sum to 1."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 15
ASKS = either(
    r"(sum|add).*(to|up to) (1|one)\b|normali[sz]ed?|what does \w+\[|weights? of (the"
    r"|each) teacher",
    r"和为 ?1|加起来|之和|总和|是 ?1 ?吗|w\w*\[",
)
_SUMMED = re.compile(
    r"\bw\w*\[\w+\] \*|for \(?\w+, \w+\)? in zip\((\w*w(eight)?s?\w*), "
    r"|for \(?\w+, (\w)\)? in zip\(\w+, \w*weight\w*"
)
_SOFTMAX = re.compile(r"\bw\w* = [\w.]*softmax\(")
_TEXT = Text(
    "They should: the terms are added with these weights, so the distillation term is Σ w times "
    "that of one teacher. With a sum of 1 it stays on that scale, and the weight beside the hard "
    "term keeps its meaning. The code that is shown does not normalise them; `w = w / w.sum()` "
    "does.",
    "应当是：各教师的项按这些权重相加，蒸馏项的大小是单个教师的 Σ w 倍。和为 1 时才与单教师同一尺"
    "度，与硬标签项之间的权重含义也不变。贴出的代码没有做归一化，可以写 `w = w / w.sum()`。",
)
_DONE = Text(
    "They should, and they do: the weights come from a softmax, so they sum to 1 and the term "
    "stays on the scale of one teacher.",
    "应当是，代码也做到了：权重来自 softmax，和为 1，这一项与单教师同一尺度。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the teachers' terms are added with weights."""
    weighted = _SUMMED.search(code.text)
    if weighted is None or not re.search(r"teach|\bts?\b|教师|老师|experts", code.text + question):
        return None
    if not re.search(r"\b1\b|one|sum|和|加起来", question):
        return None
    return _DONE if _SOFTMAX.search(code.text) else _TEXT
