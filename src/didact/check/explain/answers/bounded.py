"""Whether a divergence is bounded, and what a mixture becomes at the ends of β."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either

PLACE = 14
ASKS = either(
    r"bound|upper limit|maxim(um|al) value|infinit|\bend ?points?\b|(->|→|goes to|tends to)",
    r"有界|上界|上限|无穷|趋于|趋近|接近 ?[01]|->|→",
)
_BOUND = either(r"bound|upper limit|maxim(um|al) value|infinit", r"有界|上界|上限|无穷")
_END = re.compile(
    r"(beta|alpha|β).{0,14}?(->|→|goes to|tends to|approach\w*|趋于|趋近于?|接近|near|at|=)\s*"
    r"(?P<end>[01])\b(?!\.\d)"
)
_MIXTURE = Text(
    "Yes: 0 ≤ JSD_β ≤ −β·ln β − (1 − β)·ln(1 − β), which is ln 2 ≈ 0.693 for β = 0.5: each "
    "distribution is compared with a mixture that contains it, so no logarithm can become "
    "infinite.",
    "有界：0 ≤ JSD_β ≤ −β·ln β − (1 − β)·ln(1 − β)，β = 0.5 时上界为 ln 2 ≈ 0.693：每个分布都是与"
    "包含它自己的混合分布相比，对数不会趋于无穷。",
)
_DIVERGENCE = Text(
    "No: it is at least 0, and has no upper bound. It becomes infinite where {q} gives 0 to a "
    "class that {p} holds possible.",
    "没有上界：它不小于 0，但只要{p}认为可能的类别上{q}的概率趋于 0，它就趋于无穷。",
)
_STUDENT, _TEACHER = Text("the student", "学生"), Text("the teacher", "教师")
_ENDS = {
    "1": Text(
        "Up to a factor, yes: for β → 1 the mixture becomes the teacher's distribution, the loss "
        "itself goes to 0, and loss/(1 − β) goes to KL(student ‖ teacher), the reverse KL. β = 1 "
        "itself has to be a branch of its own.",
        "差一个系数：β → 1 时混合分布趋于教师的分布，损失本身趋于 0，而 损失/(1 − β) 趋于 "
        "KL(学生 ‖ 教师)，即反向 KL。β = 1 本身需要单独写一个分支。",
    ),
    "0": Text(
        "Up to a factor, yes: for β → 0 the mixture becomes the student's distribution, the loss "
        "itself goes to 0, and loss/β goes to KL(teacher ‖ student), the forward KL. β = 0 itself "
        "has to be a branch of its own.",
        "差一个系数：β → 0 时混合分布趋于学生的分布，损失本身趋于 0，而 损失/β 趋于 "
        "KL(教师 ‖ 学生)，即前向 KL。β = 0 本身需要单独写一个分支。",
    ),
}  # fmt: skip
_WHICH = {
    "1": re.compile(r"reverse|student\s*(‖|\|\|)\s*teacher|反向|什么|what", re.IGNORECASE),
    "0": re.compile(r"forward|teacher\s*(‖|\|\|)\s*student|前向|正向|什么|what", re.IGNORECASE),
}


def answer(question: str, code: Code) -> Text | None:
    """For a loss that is one divergence."""
    told: list[Text] = []
    mixed = bool(code.keys & {"jsd", "jsd_masked"}) and all(
        t.definition is not None and t.definition.key in _KNOWN and t.status == "equal"
        for t in code.terms
    )  # fmt: skip
    if _BOUND.search(question):
        if mixed:
            told.append(_MIXTURE)
        elif code.keys and code.keys <= {"kd", "kd_masked"}:
            told.append(_DIVERGENCE.format(q=_STUDENT, p=_TEACHER))
        elif code.keys and code.keys <= {"reverse_kl", "reverse_kl_masked"}:
            told.append(_DIVERGENCE.format(q=_TEACHER, p=_STUDENT))
    end = _END.search(question)
    if end is not None and mixed and _WHICH[end["end"]].search(question):
        told.append(_ENDS[end["end"]])
    return both(*told) if told else None


_KNOWN = frozenset({"jsd", "jsd_masked", "kd", "kd_masked", "reverse_kl", "reverse_kl_masked"})
