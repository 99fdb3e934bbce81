"""Whether a schedule of the temperature is all right."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.tree import Given

PLACE = 30
ASKS = either(
    r"schedul|anneal|each epoch|every epoch|per epoch|decay",
    r"退火|调度|每个? ?epoch|每轮|衰减|逐渐",
)
_OF_T = either(r"temperature|\btemp\b|\bT\b|\btau\b", r"温度")
_OK = either(
    r"ok\b|okay|fine|right|correct|valid|allowed|can i|problem",
    r"可以|行吗|对吗|有问题|正确|合理|没问题",
)
_TEXT = Text(
    "Yes: both sides are divided by the same `{t}` in each step{square}, so the definition holds "
    "for every value of it; it must only stay above 0.",
    "可以：每一步两侧除以的是同一个 `{t}`{square}，所以不管取什么值公式都成立，只要始终大于 0。",
)
_SQUARE = Text(", and the factor is the square of that very one", "，所乘的平方也是它")


def answer(question: str, code: Code) -> Text | None:
    """Where both softmaxes and the factor read one temperature."""
    if not (_OF_T.search(question) and _OK.search(question)) or code.serious:
        return None
    for term in code.terms:
        told = term.temperature
        if term.status != "equal" or told is None or term.definition is None:
            continue
        if term.definition.power != 2 or (isinstance(told, Given) and not told.text):
            continue
        power = sum(p for w, p in term.weights if w is told)
        name = code.judged.tracer.labels.get(told) or code.written(told)
        if not re.fullmatch(r"[\w.]+", name):
            name = "T"
        return _TEXT.format(t=name, square=_SQUARE if power == 2 else Text("", ""))
    return None
