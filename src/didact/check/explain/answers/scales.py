"""Whether the terms of a loss are on one scale."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 30
ASKS = either(
    r"same (scale|order|magnitude|size)|scale of|magnitude|balanced",
    r"量级|尺度|数量级|同一?个?数量|大小差",
)
_TEXT = Text(
    "By construction yes: each term is a mean over the samples of a sum over the classes, and "
    "the soft one is multiplied by T², which gives its gradient the size that it would have "
    "without a temperature. The values may still differ: the KL falls towards 0 as the student "
    "comes near the teacher, the cross-entropy does not.",
    "按写法是同一尺度：每一项都是“对类别求和、对样本取平均”，软标签项又乘了 T²，梯度大小与没有温"
    "度时相当。数值上仍可以差很多：学生接近教师时 KL 趋于 0，交叉熵则不会，这是正常的。",
)


def answer(_question: str, code: Code) -> Text | None:
    """Where the soft term has its T² and stands beside a cross-entropy, both as defined."""
    if code.serious or len(code.terms) != 2:
        return None
    soft = [
        t for t in code.terms if t.definition is not None and t.definition.key in {"kd", "soft_ce"}
    ]
    hard = [t for t in code.terms if t.definition is not None and t.definition.key == "ce"]
    if not soft or not hard or any(t.status != "equal" for t in code.terms):
        return None
    power = sum(p for w, p in soft[0].weights if w is soft[0].temperature)
    return _TEXT if power == 2 else None
