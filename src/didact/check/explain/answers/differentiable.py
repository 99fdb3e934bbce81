"""Whether a loss has a gradient in the student's outputs, in T, and through argmax."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either
from didact.check.explain.formula.definitions import GENERIC
from didact.check.explain.formula.tree import Given

PLACE = 13
ASKS = either(r"differentiab|derivative", r"可导|可微|求导")
_SMOOTH = frozenset(
    [
        "ce", "ce_padded", "ce_smooth", "kd", "soft_ce", "kd_masked", "soft_ce_masked",
        "kd_average", "soft_ce_average", "reverse_kl", "reverse_kl_masked", "jsd", "skew_kl",
        "tckd", "nckd", "mse", "mse_rows", "mse_sum", "mse_probs", "mse_probs_rows", "mse_centred",
        "smooth_l1", "icarl", "icarl_labels", "icarl_narrow", "icarl_narrow_sum",
        "icarl_labels_sum", "binary_kd", "hard_kd", "cwd", "focal", "dino", "dino_uncentred",
    ]
)  # fmt: skip
_YES = Text(
    "Yes, in the student's outputs: each of its terms is made of functions that have a derivative "
    "everywhere.",
    "对学生的输出可导：各项都由处处可导的函数组成。",
)
_KINK = Text(
    "Yes, but for the places where both sides are equal: |x| has a kink at 0, and PyTorch takes 0 "
    "for its derivative there.",
    "除了两侧相等的点以外都可导：|x| 在 0 处有尖点，PyTorch 在那里取导数为 0。",
)
_ARGMAX = Text(
    "argmax gives class numbers and passes no gradient on; here it makes the target alone (line "
    "{line}), which needs none, so the loss stays differentiable in the student's outputs.",
    "argmax 得到的是类别编号，不传梯度；这里它只用来得到目标（第 {line} "
    "行），目标本来就不需要梯度，"
    "损失对学生的输出仍然可导。",
)
_IN_T = Text(
    "As a formula in T as well, for T > 0. But `{t}` is a plain number in this code: it gets a "
    "gradient only if it is made a tensor with requires_grad.",
    "作为公式，对 T（T > 0）也可导。但这段代码里 `{t}` 只是一个普通的数，"
    "要让它得到梯度，得把它写成 "
    "requires_grad 的张量。",
)
_OF_T = re.compile(r"(?<![A-Za-z])T(?![A-Za-z])|temperature|\btau\b|温度")


def answer(question: str, code: Code) -> Text | None:
    """By the terms, where all of them are known."""
    keys = {t.definition.key if t.definition is not None else "" for t in code.terms}
    if not keys or any(t.status != "equal" or t.dead for t in code.terms):
        return None
    if "argmax" in question and "hard_kd" in keys:
        lines = [c.lineno for c in code.calls("argmax")]
        return _ARGMAX.format(line=lines[0]) if len(lines) == 1 else None
    compared = [t for t in code.terms if t.definition is not None and t.definition.key in GENERIC]
    if any(not isinstance(t.student, Given) for t in compared):
        return None  # a root or a norm before the comparison may have a kink of its own
    kinks = keys & {"l1", "l1_rows"}
    if not keys - kinks <= _SMOOTH:
        return None
    first = _KINK if kinks else _YES
    told = [t.temperature.text for t in code.terms if isinstance(t.temperature, Given)]
    if _OF_T.search(question) and told:
        return both(first, _IN_T.format(t=told[0]))
    return first
