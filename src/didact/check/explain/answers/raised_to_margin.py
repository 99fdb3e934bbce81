"""What the margin ReLU of OFD is for."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 22
ASKS = either(r"margin|\bmax\(|torch\.max", r"margin|阈值|torch\.max|max\(")
_CALL = re.compile(r"torch\.(?:max|maximum)\(([\w.]+(?:\.detach\(\))?), (\w*margin\w*)\)")
_TEXT = Text(
    "`{call}` takes the larger of the two, entry by entry: what lies below `{margin}` is raised to "
    "it (the margin ReLU of OFD, Heo et al. 2019). There the margin is a negative number, for each "
    "channel the mean of the teacher's negative responses: behind the ReLU a negative value counts "
    "as 0 whatever its size, so the student need only be negative there, not just as negative.",
    "`{call}` 逐元素取较大者：低于 `{margin}` 的值都被抬到 `{margin}`（OFD 的 margin ReLU，Heo 等 "
    "2019）。文中的 margin 是负数：每个通道上教师负响应的均值。负值经过 ReLU 后都是 0，具体多负并不"
    "重要，所以只要求学生在那里也为负，而不必精确拟合很大的负值。",
)


def answer(_question: str, code: Code) -> Text | None:
    """Where the teacher's features are raised to a margin."""
    found = _CALL.search(code.text)
    return _TEXT.format(call=found[0], margin=found[2]) if found is not None else None
