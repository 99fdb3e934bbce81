"""What TCKD and NCKD are."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 25
ASKS = either(r"tckd|nckd", r"tckd|nckd")
_ASKS = either(
    r"what|mean|difference|which|stand", r"是什么|是啥|什么意思|区别|分别|各自|含义|干嘛"
)
_TEXT = Text(
    "TCKD compares the two-way split “true class or any other” of teacher and student; NCKD "
    "compares how the other classes share what is left, the true class taken out. Hinton's KD is "
    "TCKD + (1 − p of the teacher's true class)·NCKD; DKD gives the two weights of their own, so "
    "a sure teacher no longer switches the second off.",
    "TCKD 比较教师与学生在“真实类 / 其余类”这个二元分布上的差别；NCKD 去掉真实类，比较其余类内部"
    "的分配。Hinton 的 KD = TCKD + (1 − 教师给真实类的概率)·NCKD；DKD 让两者各有自己的权重，教师"
    "很自信时第二项就不会被压掉。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the code is DKD's or names its parts."""
    named = "tckd" in code.text.lower() or code.keys & {"tckd", "nckd"}
    return _TEXT if named and _ASKS.search(question) else None
