"""Why DINO's teacher has the lower temperature."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 15
ASKS = either(r"temperature|\bt[ps]?t\b|cent(er|re)", r"温度|center|中心")
_ASKS = either(
    r"why.*(low|small|differ|sharp)|(low|small|differ|sharp)\w*.*(teacher|student)"
    r"|two temperatures",
    r"为什么|为何|更小|比学生|不一样|不同|更低",
)
_CENTRE = Text(
    "To sharpen the target: a low temperature makes the teacher's distribution peaked, which "
    "keeps it from collapsing to the uniform one; subtracting the centre keeps one dimension "
    "from winning everywhere. The two together prevent collapse (DINO, Caron et al. 2021: 0.04 "
    "to 0.07 for the teacher, 0.1 for the student).",
    "为了让目标更尖：温度低，教师的分布更集中，避免塌缩成均匀分布；减去 center 则避免某一维处处最"
    "大。两者配合才能防止塌缩（DINO，Caron 等 2021：教师 0.04～0.07，学生 0.1）。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a centre is subtracted from the teacher's side."""
    centred = code.keys & {"dino"} or re.search(r"- \w*cent(er|re)\w*\) /", code.text)
    return _CENTRE if centred and _ASKS.search(question) else None
