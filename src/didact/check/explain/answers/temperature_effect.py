"""What a larger or smaller temperature does, and what T = 1 means."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either
from didact.check.explain.formula.tree import Constant

PLACE = 28
ASKS = either(r"temperature|\bT\b|\btemp\b|\btau\b", r"温度|(?<![A-Za-z])T(?![A-Za-z])")
_ONE = either(
    r"(T|temperature|temp|tau)\s*(=|is|to|of|at|be)\s*1(\.0)?(?![\d.])|without (a )?temperature",
    r"(T|温度)\s*(可以|能|可不可以|是|为|=|取|设)?(设|取|用)?(成|为|=)?\s*1(?![\d.])",
)
_LARGER = either(
    r"(larger|higher|bigger|increas|raise|too (high|large|big)|effect|affect|does .* do|smaller"
    r"|lower)",
    r"越(大|高|小|低)|调大|调高|太大|太高|增大|大了|作用|影响|是干嘛|干什么",
)
_NOT_THIS = re.compile(
    r"squar|²|gradient|梯度|\^ ?2|\*\*|平方|T ?\* ?T|schedul|anneal|epoch|nan|negative"
    r"|teacher'?s temp|不同|different|两边|both|line|第 ?\d+ ?行|learn|which|选|多少"
    r"|为什么.{0,4}乘",
    re.IGNORECASE,
)
_AT_ONE = Text(
    "It works: T = 1 is the plain softmax, and T² = 1. The small probabilities of a sure teacher "
    "then hardly count, so the term says little more than its top class; T > 1 lets them count.",
    "可以：T = 1 就是普通的 softmax，T² = 1。教师很自信时，较小的概率几乎不起作用，这一项能提供的"
    "信息和“它的第一类”差不多；T > 1 才让这些小概率起作用。",
)
_EFFECT = Text(
    "The larger `{t}`, the flatter both distributions: the ranking of the classes stays, and the "
    "small probabilities, which tell how the classes are related, count for more. For a very "
    "large one the term tends to the squared difference of the centred logits; near 1 the top "
    "class dominates.",
    "`{t}` 越大，两边的分布越平：类别的排序不变，较小的概率（类别之间的关系）占的比重更大。非常大"
    "时，这一项趋于中心化 logits 的均方差；接近 1 时主要看第一类。",
)
_NOT_WRONG = Text(
    "No error in itself; values of 1 to 10 are usual, chosen on validation data.",
    "本身不算错；常用 1 到 10，在验证集上选。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the soft term has a temperature on both sides."""
    if _NOT_THIS.search(question) or code.serious:
        return None
    soft = [t for t in code.terms if t.definition is not None and t.temperature is not None
            and t.definition.key in {"kd", "soft_ce", "kd_masked", "soft_ce_masked"}
            and t.status == "equal"]  # fmt: skip
    if not soft:
        return None
    if _ONE.search(question):
        return _AT_ONE
    told = soft[0].temperature
    if (
        told is None
        or (isinstance(told, Constant) and told.value == 1)
        or not _LARGER.search(question)
    ):
        return None
    effect = _EFFECT.format(t=code.written(told) if not isinstance(told, Constant) else "T")
    return (
        both(_NOT_WRONG, effect)
        if re.search(r"too (high|large|big)|太大|太高", question)
        else effect
    )
