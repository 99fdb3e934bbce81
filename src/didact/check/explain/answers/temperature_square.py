"""Whether T² is needed, and what happens without it."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.tree import Call, Constant, Given
from didact.check.explain.formula.verdict import Term

PLACE = 20
ASKS = either(
    r"\b(temp\w*|tau) ?(\*\*|\^) ?2|T ?(squared|²|\*\*|\^)|temperature squared|\bT ?\* ?T\b"
    r"|square of T|T2\b",
    r"T ?的?平方|温度的?平方|T²|乘.{0,3}平方|乘(了)?两(次|个) ?T|T ?\*\* ?2|T ?\* ?T|T ?\^ ?2"
    r"|两个 ?T",
)
_NEED = either(
    r"need|necessar|should|have to|must|required|drop|for\b|yes or no|right|correct|do i"
    r"|forg[eo]t|missing|leave|without|matter|retune",
    r"要不要|需要|必须|要乘|该不该|不乘|没乘|没有乘|漏|省|必要|影响|吗|会怎|去掉|能不能|可以",
)
_WITHOUT = either(
    r"(drop|leave (it|t)|without|forget|omit|remove|retune|skip)",
    r"不乘|没乘|不加|漏了?会|去掉|没有?乘",
)
_LEFT_OUT = Text(
    "Without T² the gradient of the soft term is about {share} of what it is with it: the "
    "student hears that much less of the teacher, and the weights mean something else at each T. "
    "The code still trains; multiply the soft term's weight by T² to make up for it, and tune it "
    "anew whenever T changes.",
    "不乘 T² 的话，软标签项的梯度大约只有乘时的 {share}：教师的影响相应变小，而且换一个 T 权重的"
    "含义就变了。代码照样能训练；可以把软标签项的权重放大 T² 倍来弥补，改 T 时要重调。",
)
_WHY = either(r"\bwhy\b|derive|where .* from", r"为什么|为何|推导|怎么来")
_SCHEDULE = either(
    r"schedul|anneal|epoch|follow|fixed|chang", r"退火|调度|每个? ?epoch|随|变化|固定"
)
_YES = Text(
    "Yes, beside a hard term: the gradient of the soft one shrinks as about 1/T²{value}, and the "
    "factor brings it back, so that the weights keep their meaning whatever T is. {here}",
    "要（因为旁边还有硬标签项）：软标签项的梯度大约按 1/T² 缩小{value}，乘上 T² 才恢复，换 T 时权"
    "重的含义才不变。{here}",
)
_ALONE = Text(
    "In what is shown the soft term stands alone: there T² only scales the loss, as a learning "
    "rate would. Where it is added to a hard term elsewhere, T² is needed, or a weight that "
    "makes up for it: without it the gradient is about {share} of what it is with it. {here}",
    "就贴出的部分看只有软标签项，T² 只相当于缩放损失（学习率）。如果在别处还要与硬标签项相加，就"
    "需要 T²，或者用权重补回来：不乘时梯度大约只有乘时的 {share}。{here}",
)
_THERE = Text("It is there.", "代码里已经乘了。")
_LACKS = Text(
    "It is missing here; as it is, the weight of the soft term acts like {share} of itself. "
    "Multiply by T² (or its weight by as much).",
    "这里没有乘：软标签项的权重实际只相当于写出来的 {share}。应乘上 T²（或把权重放大同样的倍数）。",
)
_FOR = Text(
    "It keeps the gradient of the soft term at one size whatever T is: without it that gradient "
    "shrinks as about 1/T², and so does the weight of the teacher beside the hard term.",
    "它让软标签项的梯度大小不随 T 改变：不乘时梯度大约按 1/T² 缩小，教师相对硬标签项的权重也就跟"
    "着变小。",
)
_IS_RIGHT = either(r"\b(still|correct|right|valid|okay|ok|fine)\b", r"对吗|对不对|正确|还对")
_FOLLOW = Text(
    "T² follows the schedule: the factor must be the square of the T that divides the logits in "
    "the same step, as {here}; with a fixed T² the soft term's share would change with T.",
    "T² 要跟着 T 一起变：系数应是这一步除 logits 的那个 T 的平方，{here}；固定 T² 的话，软标签项"
    "的比重会随 T 改变。",
)


def answer(question: str, code: Code) -> Text | None:
    """By whether the soft term has its T², and whether a hard one stands beside it."""
    soft = [t for t in code.terms if t.definition is not None and t.definition.power == 2
            and t.temperature is not None]  # fmt: skip
    if len(soft) != 1 or (not _NEED.search(question) and not _SCHEDULE.search(question)):
        return None
    term = soft[0]
    power = _power(term)
    if power not in {0, 2}:
        return None
    lacks = power == 0
    if isinstance(term.temperature, Constant) and term.temperature.value == 1:
        return None
    if term.law is None or not set(dict(term.law.powers)) <= {"T"}:
        return None
    if _SCHEDULE.search(question):
        if lacks or isinstance(term.temperature, Constant):
            return None
        told = _FOLLOW.format(here=Text("it is here", "这段代码就是这样"))
        if not _IS_RIGHT.search(question):
            return told
        return Text("Yes: " + told.en, "对：" + told.zh)
    if _WITHOUT.search(question) and any(t is not term for t in code.terms):
        return _LEFT_OUT.format(share=_share(term))
    if re.search(r"what is it for|干嘛的|有什么用", question):
        return _FOR
    if _WHY.search(question) and not re.search(r"要不要|需要|need", question):
        return None
    here = _LACKS.format(share=_share(term)) if lacks else _THERE
    hard = any(t is not term for t in code.terms)
    if not hard:
        return _ALONE.format(
            share=_share(term),
            here=here if not lacks else Text("It is not there.", "代码里没有乘。"),
        )
    return _YES.format(value=_value(term), here=here)


def _power(term: Term) -> int | None:
    """The power of T before a term: 2, 0, or None where it cannot be told."""
    told = term.temperature
    held = sum(p for w, p in term.weights if w is told or (
        isinstance(w, Given) and isinstance(told, Given) and w.text == told.text))  # fmt: skip
    if held:
        return held
    number = _number(term)
    numbers = [w.value for w, p in term.weights if isinstance(w, Constant) and p == 1]
    if any(isinstance(n, int | float) and number and n == number**2 for n in numbers):
        return 2
    named = isinstance(told, Given) and any(
        isinstance(w, Given | Constant) for w, _ in term.weights
    )
    by_law = term.law is not None and dict(term.law.powers).get("T") == -2
    if by_law or not term.weights or named:
        return 0
    whole = all(isinstance(w, Given | Constant) or _is_plain(w) for w, _ in term.weights)
    return 0 if whole else None


def _is_plain(weight: object) -> bool:
    return isinstance(weight, Call) and all(isinstance(c, Given | Constant) for c in weight.args)


def _number(term: Term) -> float | None:
    told = term.temperature
    value = (
        told.value
        if isinstance(told, Constant)
        else told.default
        if isinstance(told, Given)
        else None
    )
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _share(term: Term) -> str:
    number = _number(term)
    return f"1/{number * number:g}" if number else "1/T²"


def _value(term: Term) -> Text:
    number = _number(term)
    if not number or number == 1:
        return Text("", "")
    return Text(
        f" (to about 1/{number * number:g} at T = {number:g})",
        f"（T = {number:g} 时约为 1/{number * number:g}）",
    )
