"""Whether a loss is bounded, can be negative or 0, and what it is where both sides agree."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either, listed
from didact.check.explain.formula.tree import Given, walk
from didact.check.explain.formula.verdict import Term

PLACE = 15
ASKS = either(
    r"\bbound(ed|s)?\b|\b(upper|lower) (bound|limit)|negative|below (zero|0)|minim(um|al)"
    r"|\bmaxim(um|al)|largest value|smallest value|range|\b(reach|become|go to|get to|be|to) "
    r"(exactly )?(zero|0)\b|never (zero|0)|not (zero|0)\b"
    r"|(student|they|both).*(equal|identical|same|agree|match).*(teacher|each other)?",
    r"有界|上界|下界|上限|下限|最小值|最大值|取值范围|值域|负|(到|为|是|等于) ?(0|零)(?![.\d])"
    r"|(学生|两边|两者|师生).{0,8}(完全)?(一样|一致|相同|相等)",
)
_BOUND = either(
    r"\bbound(ed|s)?\b|(upper|lower) (bound|limit)|\bmaxim(um|al)|largest value|range",
    r"有界|上界|上限|最大值|取值范围|值域",
)
_NEGATIVE = either(
    r"\b(can|could|may|is|possible|able|ever)\b.*(negative|below (zero|0))",
    r"(能|会|可能|可以|有可能|是否).{0,8}(负|小于 ?0|小于零)",
)
_ZERO = either(
    r"(why|\bcan|could|will|does|should|ever)\b.*\b(zero|0)\b|minim(um|al)|smallest value"
    r"|lower bound",
    r"(降不到|到不了|达不到|降到|能不能到|能到|会到|为什么不[是为]|不会[是为到]).{0,4}(0|零)|最小值"
    r"|下界|下限",
)
_AGREE = either(
    r"(what|if|when|where)\b.*(student|they|both)\b.*\b(equals?|identical|same as|agrees?"
    r"|match(es)?|copies)\b",
    r"(学生|两者|师生).{0,12}(?<!不)(一样|一致|相同|相等).{0,10}(多少|会怎样|会怎么样|怎么样|是几|呢)",
)
_NOT_THIS = either(
    r"\bwhy\b.*negative|weights?\b.*negative|gradient|clip|temperature|\bT\b|negatives|accuracy"
    r"|dimension|channel|width|size\b|shape|official|paper|result",
    r"为什么.{0,12}负|负样本|权重.{0,6}负|梯度|精度|准确率|维度|通道|形状|大小|结果|论文|官方|两个网络",
)


class _Range(NamedTuple):
    """The values of a loss.

    Attributes:
        low: What it is at least, and where.
        high: The upper bound; None where there is none.
        grows: Where it grows without limit.
        agree: What it is where both sides agree.
    """

    low: Text
    high: Text | None
    grows: Text
    agree: Text | None


_NO = Text("", "")
_ZERO_EQUAL = Text("0, where both distributions are equal", " 0（两侧分布相等时）")
_KL_GROWS = Text(
    "it grows without limit where the student's probability of a class that the teacher believes "
    "in goes to 0",
    "教师有概率的类别上学生的概率趋于 0 时，它可以任意大",
)
_KL_AGREE = Text("it is 0, and so is its gradient", "它为 0，梯度也为 0")
_KL = _Range(_ZERO_EQUAL, None, _KL_GROWS, _KL_AGREE)
_REVERSE = _KL._replace(grows=Text(
    "it grows without limit where the teacher's probability of a class that the student believes "
    "in goes to 0", "学生有概率的类别上教师的概率趋于 0 时，它可以任意大"))  # fmt: skip
_SOFT = _Range(
    Text("H(p), the entropy of the target, where the student equals it (above 0 unless the target "
         "is one-hot)",
         "目标的熵 H(p)（学生等于目标时取到；只要目标不是 one-hot 就大于 0）"),
    None, _KL_GROWS,
    Text("it is H(p), the entropy of the target, and its gradient is 0",
         "它等于目标的熵 H(p)，梯度为 0"),
)  # fmt: skip
_HARD = _Range(
    Text("0, which it only nears as the probability of the true class goes to 1",
         " 0（真实类的概率趋于 1 时逼近，有限的 logits 取不到）"),
    None,
    Text("it grows without limit where the probability of the true class goes to 0",
         "真实类的概率趋于 0 时可以任意大"), None,
)  # fmt: skip
_BINARY = _Range(
    Text("the entropy of the targets, where σ(s) equals them (above 0 as soon as a target lies "
         "strictly between 0 and 1)",
         "目标的二元熵（σ(s) 等于目标时取到；只要有目标严格介于 0 与 1 之间就大于 0）"),
    None,
    Text("it grows without limit where a logit goes far to the wrong side",
         "某个 logit 往错误方向走得很远时可以任意大"), None,
)  # fmt: skip
_SQUARE = _Range(
    Text("0, where both tensors are equal", " 0（两个张量相等时）"), None,
    Text("it grows without limit with the gap of the two", "随两者之差可以任意大"), _KL_AGREE,
)  # fmt: skip
_UNIT = _Range(Text("0, where both have the same direction", " 0（两者方向相同时）"),
               Text("2 (opposite directions)", "2（方向相反）"), _NO, _KL_AGREE)  # fmt: skip
_RANGES: dict[str, _Range] = {
    **dict.fromkeys(("ce", "ce_padded", "focal"), _HARD),
    **dict.fromkeys(("kd", "kd_average", "kd_masked", "tckd", "nckd", "cwd"), _KL),
    **dict.fromkeys(("reverse_kl", "reverse_kl_masked"), _REVERSE),
    **dict.fromkeys(("soft_ce", "soft_ce_average", "soft_ce_masked"), _SOFT),
    **dict.fromkeys(("icarl", "icarl_labels", "icarl_narrow", "icarl_narrow_sum",
                     "icarl_labels_sum", "binary_kd"), _BINARY),
    **dict.fromkeys(("mse", "mse_rows", "mse_sum", "l1", "l1_rows", "smooth_l1"), _SQUARE),
    "mse_probs": _Range(_ZERO_EQUAL, Text("2/C", "2/C"), _NO, _KL_AGREE),
    "mse_probs_rows": _Range(_ZERO_EQUAL, Text("2", "2"), _NO, _KL_AGREE),
    "cosine": _UNIT,
    "at": _Range(Text("0, where both maps are alike up to a factor", " 0（两张图只差一个倍数时）"),
                 Text("2/(H·W), the mean over the places of two non-negative maps of length 1",
                      "2/(H·W)（两张长度为 1 的非负图，对各位置取平均）"), _NO, _KL_AGREE),
    "rkd_angle": _Range(Text("0, where all angles agree", " 0（所有夹角一致时）"),
                        Text("1.5, as two cosines differ by 2 at most and beyond 1 the Huber loss "
                             "is linear", "1.5（两个余弦最多差 2，Huber 损失超过 1 后按线性计）"),
                        _NO, None),
    "rkd_distance": _Range(Text("0, where all ratios of distances agree",
                                " 0（距离的比例全部一致时）"),
                           Text("a number that depends on the batch size alone, as each distance "
                                "is divided by the mean",
                                "一个只取决于批大小的数（每个距离都除以了均值）"), _NO, _KL_AGREE),
    "jsd": _Range(_ZERO_EQUAL,
                  Text("−β·ln β − (1−β)·ln(1−β), that is ln 2 = 0.693 at β = 0.5",
                       "−β·ln β − (1−β)·ln(1−β)，β = 0.5 时即 ln 2 = 0.693"), _NO, _KL_AGREE),
    "hard_kd": _Range(
        Text("0, which it only nears as the probability of the teacher's first class goes to 1",
             " 0（教师第一类的概率趋于 1 时逼近，有限的 logits 取不到）"), None,
        Text("it grows without limit where the probability of the teacher's first class goes to 0",
             "教师第一类的概率趋于 0 时可以任意大"), None),
    "sp": _Range(
        Text("0, where both matrices are equal", " 0（两个矩阵相等时）"),
        Text("4/B, as each row of either matrix has length 1",
             " 4/B（两个矩阵的每一行长度都是 1）"), _NO, _KL_AGREE),
    "ewc": _Range(
        Text("0, where every weight has its old value, as at the start of the new task; the "
             "gradient is 0 there, too",
             " 0（所有参数都等于旧值时，例如新任务刚开始；这时梯度也为 0）"), None,
        Text("it grows with the square of how far the weights move", "随参数偏离旧值的平方增大"),
        None),
    "skew_kl": _Range(_ZERO_EQUAL, Text("−ln of the teacher's share in the mixture",
                                        "混合分布中教师所占比例的负对数"), _NO, _KL_AGREE),
}  # fmt: skip
_GENERIC = frozenset({"mse", "mse_rows", "mse_sum", "l1", "l1_rows", "smooth_l1"})
_IS_AT_LEAST = Text("the least value of {name} is {low}", "{name}的最小值是{low}")
_IS_AT_MOST = Text(
    "{name} is at most {high}; its least value is {low}", "{name}不超过 {high}，最小值是{low}"
)
_GROWS = Text("{name}: {grows}", "{name}：{grows}")
_WEIGHTS = Text(" (the weights in front are taken as positive)", "（以前面的权重为正为前提）")


def answer(question: str, code: Code) -> Text | None:
    """By the values that the terms can have."""
    if _NOT_THIS.search(question):
        return None
    ranges = _ranges(code, code.terms)
    return _said(question, code, ranges) if ranges else None


def _said(question: str, code: Code, ranges: list[tuple[Term, _Range]]) -> Text | None:
    if _BOUND.search(question):
        return _bounded(code, ranges)
    if _NEGATIVE.search(question):
        return _negative(code, ranges)
    if _AGREE.search(question):
        return _agreeing(code, ranges)
    if _ZERO.search(question):
        return _least(code, ranges)
    return None


def of_named_terms(question: str, code: Code) -> Text | None:
    """The same for the terms that one variable is made of, where the question names it."""
    if _NOT_THIS.search(question) or not ASKS.search(question):
        return None
    for name in code.mentioned(question):
        terms = _terms_of(code, name)
        if not terms or len(terms) == len(code.terms):
            continue
        ranges = _ranges(code, terms)
        if ranges:
            return _said(question, code, ranges)
    for pattern, keys in _SPOKEN:
        held = [t for t in code.terms if t.definition is not None and t.definition.key in keys]
        if held and len(held) < len(code.terms) and pattern.search(question):
            ranges = _ranges(code, held)
            return _said(question, code, ranges) if ranges else None
    return None


_SPOKEN = (
    (either(r"cosine", r"余弦"), {"cosine"}),
    (either(r"\bmse\b", r"\bmse\b|均方"), {"mse", "mse_rows", "mse_sum"}),
    (
        either(
            r"\b(soft|kd|kl|distillation) (loss|term|part)|\bkl\b", r"蒸馏(项|损失)|软标签|\bkl\b"
        ),
        {"kd", "soft_ce", "kd_masked", "soft_ce_masked", "reverse_kl", "kd_average"},
    ),
    (
        either(r"\bhard (loss|term)|cross.?entropy|\bce\b", r"硬标签|交叉熵|\bce\b"),
        {"ce", "ce_padded"},
    ),
)
"""How a term is spoken of."""


def _terms_of(code: Code, name: str) -> list[Term]:
    """The terms that a variable is made of, set once."""
    stored = [n for n in code.nodes if isinstance(n, ast.Name) and n.id == name
              and isinstance(n.ctx, ast.Store)]  # fmt: skip
    setting = [code.parents.get(id(n)) for n in stored]
    if len(setting) != 1 or not isinstance(setting[0], ast.Assign):
        return []
    traced = code.traced(setting[0].value)
    inside = {id(p) for p in walk(traced)} if traced is not None else set()
    return [t for t in code.terms if id(t.body) in inside]


def _ranges(code: Code, terms: Sequence[Term]) -> list[tuple[Term, _Range]]:
    found: list[tuple[Term, _Range]] = []
    for term in terms:
        key = term.definition.key if term.definition is not None else ""
        if code.verdict.method_key == "ewc" and key == "ewc" and code.verdict.outcome == "equal":
            found.append((term, _RANGES["ewc"]))
            continue
        if key in _GENERIC and not isinstance(term.student, Given):
            return []  # what is compared may have a range of its own
        if term.status != "equal" or key not in _RANGES or term.dead:
            return []
        found.append((term, _RANGES[key]))
    return found


def _bounded(code: Code, ranges: list[tuple[Term, _Range]]) -> Text:
    growing = [_GROWS.format(name=code.name_of(t), grows=r.grows) for t, r in ranges
               if r.high is None]  # fmt: skip
    if growing:
        return _UNBOUNDED.format(grows=_joined(growing), rest=_WEIGHTS)
    told = [_IS_AT_MOST.format(name=code.name_of(t), high=r.high or _NO, low=r.low)
            for t, r in ranges]  # fmt: skip
    return _BOUNDED.format(told=_joined(told))


_UNBOUNDED = Text(
    "Not from above: {grows}. From below it is: no term can be negative{rest}.",
    "没有上界：{grows}。有下界：各项都不会为负{rest}。",
)
_BOUNDED = Text("Yes: {told} (without the weight in front).", "有界：{told}（不含前面的权重）。")


def _negative(code: Code, ranges: list[tuple[Term, _Range]]) -> Text:
    told = _joined([_IS_AT_LEAST.format(name=code.name_of(t), low=r.low) for t, r in ranges])
    return _NOT_BELOW.format(told=told)


_NOT_BELOW = Text(
    "No, as long as no weight in front is negative (1 − α with α > 1, say): {told}.",
    "不会，只要前面的权重不为负（例如 α > 1 时的 1 − α）：{told}。",
)


def _least(code: Code, ranges: list[tuple[Term, _Range]]) -> Text:
    told = _joined([_IS_AT_LEAST.format(name=code.name_of(t), low=r.low) for t, r in ranges])
    if len(ranges) == 1:
        return Text(f"{told.en[0].upper()}{told.en[1:]}.", f"{told.zh}。")
    return both(Text(f"{told.en[0].upper()}{told.en[1:]}.", f"{told.zh}。"), _TOGETHER)


_TOGETHER = Text(
    "The sum need not reach the sum of these, since the terms want different outputs.",
    "各项想要的输出不同，总和不一定能取到这些最小值之和。",
)


def _agreeing(code: Code, ranges: list[tuple[Term, _Range]]) -> Text | None:
    told = [_GROWS.format(name=code.name_of(t), grows=r.agree) for t, r in ranges if r.agree]
    if not told:
        return None
    rest = [code.name_of(t) for t, r in ranges if r.agree is None]
    first = _AGREEING.format(told=_joined(told))
    return both(first, _STAYS.format(rest=listed(rest))) if rest else first


_AGREEING = Text("Where both sides agree: {told}.", "两侧一致时：{told}。")
_STAYS = Text("What then still trains is {rest}.", "这时还起训练作用的是{rest}。")


def _joined(parts: list[Text]) -> Text:
    unique = list(dict.fromkeys(parts))
    return Text("; ".join(p.en for p in unique), "；".join(p.zh.strip() for p in unique))
