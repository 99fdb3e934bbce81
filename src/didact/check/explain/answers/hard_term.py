"""Why the labels are learnt beside the teacher."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.words.polarity import LEAVES_OUT

PLACE = 40
ASKS = either(
    r"(hard|cross.?entropy|\bce\b|label)\w* (loss|term|target|label)?|ground.?truth",
    r"硬标签|交叉熵|真实标签|hard|\bce\b",
)
_ASKS = either(
    r"why.*(need|still|add|also|at all|have)|(drop|leave out|skip|without|remove|omit"
    r"|only the (soft|kd))|need.*at all|is .* necessary",
    r"为什么.{0,6}(还要|要加|需要|加上)|可以(不|去掉|只用)|能不能(不|去掉|只用)|不要行|去掉|必要"
    r"|只用软",
)
_TEXT = Text(
    "The labels are right where the teacher is wrong, and they set which class is first; the "
    "soft term tells how the others are related. With a good teacher the soft term alone trains "
    "too (and needs no labels at all); the hard one beside it, with a small weight, mostly gains "
    "a little accuracy.",
    "教师判错的样本由真实标签来纠正，它也决定哪个类别排第一；软标签项传递的是类别之间的关系。教师"
    "足够好时只用软标签项也能训练（甚至不需要标签）；再加一个权重较小的硬标签项，通常精度会略高一"
    "点。",
)


_ALONE = Text(
    "Yes, with a good teacher: the soft term alone trains too, and needs no labels at all. What it "
    "gives up is the correction where the teacher is wrong; a hard term with a small weight mostly "
    "gains a little accuracy.",
    "教师足够好时可以：只用软标签项也能训练，甚至不需要标签。失去的是教师判错时真实标签的纠正；"
    "保留一个权重较小的硬标签项，通常精度会略高一点。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a cross-entropy with the labels stands beside the soft term."""
    soft = code.keys & {"kd", "soft_ce", "kd_masked"}
    hard = code.keys & {"ce", "ce_padded"}
    if not (soft and hard) or code.judged.incremental:
        return None
    if not _ASKS.search(question):
        return None
    return _ALONE if LEAVES_OUT.search(question) else _TEXT
