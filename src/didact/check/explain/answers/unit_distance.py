"""Where the 2 in 2 − 2·cos comes from."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 40
ASKS = either(r"\b2 ?[-−] ?2\b|\bthe 2\b|a 2\b", r"2 ?[-−] ?2|这个 ?2|减 ?2|乘 ?2")
_MEANS = Text(
    "Because for unit vectors ‖a − b‖² = ‖a‖² + ‖b‖² − 2·a·b = 2 − 2·cos(a, b): it is the squared "
    "distance of the two after normalisation, between 0 (same direction) and 4. The constant 2 has "
    "no gradient; −2·cos alone trains the same.",
    "因为对单位向量有 ‖a − b‖² = ‖a‖² + ‖b‖² − 2·a·b = 2 − 2·cos(a, b)：它就是归一化之后的平方距离"
    "，在 0（方向相同）到 4 之间。常数 2 没有梯度，只写 −2·cos 训练效果一样。",
)


def answer(question: str, code: Code) -> Text | None:
    """For BYOL's loss alone."""
    del question
    return _MEANS if "byol" in code.keys else None
