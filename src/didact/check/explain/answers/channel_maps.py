"""Why CWD takes the softmax over the places of a channel, not over the channels."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 30
ASKS = either(r"h ?[*x·] ?w|spatial|channel", r"h ?[*x·×] ?w|空间|通道|位置")
_ASKS = either(
    r"why|instead|rather|not over|over the", r"为什么|为何|而不|不是对|对.{0,6}做 ?softmax"
)
_TEXT = Text(
    "With a softmax over its H·W places each channel becomes a distribution of where it looks: "
    "the student learns where the teacher attends in that channel, and the difference of their "
    "magnitudes drops out. A softmax over the channels would be a distribution of classes at "
    "each pixel, the pixel-wise KD.",
    "对每个通道的 H·W 个位置做 softmax，得到“这个通道关注哪里”的分布：学生学教师在该通道上关注的"
    "位置，幅度差异被归一化掉。对通道做 softmax 则是每个像素上的类别分布，即逐像素蒸馏（"
    "pixel-wise KD）。",
)
_PLACES = re.compile(
    r"(view|reshape)\((-1|\w+ \* \w+|\w+, \w+), (-1|\w*[hH]\w* \* \w*[wW]\w*)\)[^\n]*|flatten\(2\)"
)
"""The places of a map laid into one dimension."""


def answer(question: str, code: Code) -> Text | None:
    """Where the loss is CWD's."""
    departs = any(t.definition is not None and t.definition.key == "cwd" for t in code.terms)
    departs = departs or _PLACES.search(code.text) is not None
    softmax = "softmax" in question.lower() or "归一" in question
    return _TEXT if departs and softmax and _ASKS.search(question) else None
