"""What each term of a loss is for."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.tree import Given, walk
from didact.check.explain.formula.verdict import Term

PLACE = 60
ASKS = either(
    r"(first|second|third|last|latter) (loss |of the )?(terms?|parts?|loss)\b|"
    r"(each|every|all|the|these|those|two|three|four|\d) (of the )?(\d |two |three "
    r"|four )?(loss )?(terms?|losses|parts?)\b",
    r"(后面|最后|前面|第[一二三])(那|的|这)?一?个?(项|部分|损失)|(每一?|各|这几|这两|这三|两|三"
    r"|几)(个|项|部分)?(损失|loss|项)|各项|每项|分别(是|有)?什么(作用|损失)|哪几项",
)
_ASKS = either(
    r"what|explain|why|where|come from|for\b|role|purpose|do\b",
    r"作用|意思|解释|讲解|什么|为什么|干嘛|含义|哪来|来自",
)
_PLACES = {
    -1: either(
        r"\b(last|latter) (term|part|loss)",
        r"(后面|最后|末尾)(面)?(那|的|这)?(一)?(个)?(项|部分|损失)",
    ),
    0: either(r"\bfirst (term|part|loss)", r"(前面|第一)(那|的|这)?(一)?(个)?(项|部分|损失)"),
    1: either(r"\bsecond (term|part|loss)", r"第二(个)?(项|部分|损失)"),
    2: either(r"\bthird (term|part|loss)", r"第三(个)?(项|部分|损失)"),
}
_PURPOSES = {
    "ce": Text("learns the labels", "学习真实标签"),
    "ce_padded": Text("learns the labels, padding left out", "学习真实标签（忽略填充）"),
    "kd": Text(
        "brings the student's softened outputs near the teacher's",
        "让学生软化后的输出接近教师"),
    "mse": Text("brings the two tensors together entry by entry", "让两个张量逐元素接近"),
    "cosine": Text("turns the two vectors into the same direction, whatever their length",
                   "让两个向量方向一致，不管长度"),
    "at": Text("brings the attention maps together", "让注意力图接近"),
    "rkd_distance": Text(
        "keeps the ratios of the distances between samples",
        "保持样本间距离的比例"),
    "rkd_angle": Text("keeps the angles between samples", "保持样本间的夹角"),
}  # fmt: skip
_OLD = Text(
    "keeps the outputs of the old classes as the old model had them",
    "让旧类上的输出保持旧模型的样子",
)
_EWC = Text(
    "the EWC penalty holds the weights that mattered for the old tasks near their old values",
    "EWC 惩罚项：让对旧任务重要的参数保持在旧值附近",
)
_ITEM = Text("{name} {purpose}", "{name}：{purpose}")
_SAME = {"soft_ce": "kd", "kd_masked": "kd", "soft_ce_masked": "kd", "kd_average": "kd",
         "mse_rows": "mse", "mse_sum": "mse"}  # fmt: skip


def answer(question: str, code: Code) -> Text | None:
    """Where the purpose of every term is known."""
    if not _ASKS.search(question) or len(code.terms) < 2:
        return None
    place = next((n for n, words in _PLACES.items() if words.search(question)), None)
    if place is not None:
        at = place if place < 0 or place < len(code.terms) else None
        one = None if at is None else _purpose(code, _in_order(code)[at])
        return None if one is None else _sentence([one])
    said = [_purpose(code, term) for term in code.terms]
    told = [s for s in said if s is not None]
    if len(told) != len(said):
        return None
    return _sentence(told)


def _in_order(code: Code) -> list[Term]:
    """The terms in the order in which the code has them."""
    return sorted(code.terms, key=lambda t: code.place(t.body) or (0, 0))


def _sentence(told: list[Text]) -> Text:
    english = "; ".join(t.en for t in told)
    return Text(
        english[0].upper() + english[1:] + ".", "；".join(t.zh.strip() for t in told) + "。"
    )


def _purpose(code: Code, term: Term) -> Text | None:
    names = " ".join(g.text for g in walk(term.body) if isinstance(g, Given)).lower()
    if re.search(r"fisher|importance|omega", names):
        return _EWC
    if term.definition is None:
        if isinstance(term.body, Given) and term.body.text.endswith(".loss"):
            return _ITEM.format(name=code.name_of(term), purpose=_PURPOSES["ce"])
        return None
    key = _SAME.get(term.definition.key, term.definition.key)
    purpose = _PURPOSES.get(key)
    if purpose is None:
        return None
    if key == "kd" and code.judged.incremental:
        purpose = _OLD
    return _ITEM.format(name=code.name_of(term), purpose=purpose)
