"""Whether the temperature divides both sides."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.tree import Constant

PLACE = 25
ASKS = either(
    r"both|same T\b|only (the )?(student|teacher|one)|same temperature|(student"
    r"|teacher).*temperature|temperature.*(student|teacher|both)|forg[eo]t.*temperature"
    r"|temperature.*forg[eo]t",
    r"两(边|侧|个都)|也.{0,2}除以|都.{0,4}(除|要|有)|只有?(学生|教师|一边|一侧)|同一个(温度|T)"
    r"|同样的温度",
)
_OF_T = either(r"temperature|\btemp\b|\bT\b|\btau\b", r"温度|(?<![A-Za-z])T(?![A-Za-z])")
_SQUARE = re.compile(r"squar|²|\^|\*\*|平方", re.IGNORECASE)
_TEXT = Text(
    "Yes, both sides are divided by the same `{t}` (line {line}), as they must be: the optimum "
    "is then the teacher itself. With it on one side alone the student would learn the teacher's "
    "logits times or divided by T.",
    "两侧除以的是同一个 `{t}`（第 {line} 行），本来就应当这样：最优解才是教师本身。只加在一侧的话"
    "，学生学到的是教师 logits 的 T 倍或 1/T。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the term is the named one, in which both sides share it."""
    if not _OF_T.search(question) or _SQUARE.search(question) or code.serious:
        return None
    for term in code.terms:
        told, line = term.temperature, code.line(term.body)
        if term.status != "equal" or told is None or line is None or term.definition is None:
            continue
        if term.definition.key not in {"kd", "soft_ce", "kd_masked", "soft_ce_masked"}:
            continue
        if isinstance(told, Constant) and told.value == 1:
            continue
        return _TEXT.format(t=code.written(told), line=line)
    return None
