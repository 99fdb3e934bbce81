"""Whether positions that the cross-entropy ignores are distilled."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.tree import Call, Constant, walk

PLACE = 9
ASKS = either(
    r"\b255\b|ignore|\bvoid\b|unlabel+ed", r"255|忽略|ignore|未标注|无效像素|无效区域|void"
)
_DISTIL = either(
    r"distil|\bKL\b|soft|kd\b|\bcount|as well|\btoo\b|mask", r"蒸馏|KL|kd|软|也会|算进|参与|mask"
)
_TEXT = Text(
    "Yes: ignore_index={value} acts in the cross-entropy alone; the distillation term reads no "
    "labels, so it compares student and teacher at those pixels too. That is a choice, as the "
    "teacher has an opinion there; to leave them out keep the KL per pixel, "
    "(kl * m).sum() / m.sum() with m = (labels != {value}).",
    "会：ignore_index={value} 只作用于交叉熵，蒸馏项不看标签，这些像素同样在比较师生输出。这可以是"
    "有意的（教师在那里也有预测）；不想算进去，就保留逐像素的 KL，写成 (kl * m).sum() / m.sum()，"
    "m = (labels != {value})。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the hard term has an ``ignore_index`` and the soft one no mask."""
    if re.search(r"\bwhy\b|为什么", question, re.IGNORECASE) or not _DISTIL.search(question):
        return None
    soft = [t for t in code.terms if t.definition is not None and t.definition.key in
            {"kd", "soft_ce"}]  # fmt: skip
    ignored = [
        value.value for t in code.terms for p in walk(t.body)
        if isinstance(p, Call) and p.name == "cross_entropy"
        and isinstance(value := p.keyword("ignore_index"), Constant)
    ]  # fmt: skip
    soft += [t for t in code.terms if t.definition is None and "kl_div(" in code.text]
    if not ignored or not soft or any(map(_is_selected, soft)):
        return None
    return _TEXT.format(value=ignored[0])


def _is_selected(term: object) -> bool:
    """Whether something picks positions in a term."""
    body = getattr(term, "body", None)
    picks = {"index", "masked_select", "masked_fill", "where", "ne"}
    return body is not None and any(isinstance(p, Call) and p.name in picks for p in walk(body))
