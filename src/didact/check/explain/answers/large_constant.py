"""Why a large number times a mask is subtracted from the logits."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 20
ASKS = either(r"1000|1e[34589]|minus|subtract", r"1000|1e[34589]|减")
_CODE = re.compile(r"- (?P<n>1000(?:\.0)?|1e\+?\d+|10000(?:\.0)?|1000000(?:\.0)?) \* (?P<m>\w+)")
_TEXT = Text(
    "It takes the class of the mask `{mask}` out: its logit becomes very negative, exp(−{n}) = "
    "0, so the softmax is renormalised over the other classes. With the mask of the true class "
    "these are the non-target classes, which NCKD of DKD compares; the code published with DKD "
    "does it so.",
    "为了把掩码 `{mask}` 对应的类别去掉：它的 logit 变得极小，exp(−{n}) = 0，softmax 就只在其余类"
    "别上重新归一化。掩码是真实类别时，剩下的就是非目标类，DKD 的 NCKD 比较的正是它们；DKD 公开的"
    "代码也是这样写的。",
)
_PARTS = Text(
    "TCKD is the KL of the two-way split “true class or any other”; NCKD is the KL within the "
    "other classes, after the true one is taken out.",
    "TCKD 是“真实类 / 其余类”这个二元分布的 KL；NCKD 是去掉真实类之后，其余类内部的 KL。",
)
_NAMES = re.compile(r"tckd|nckd", re.IGNORECASE)


def answer(question: str, code: Code) -> Text | None:
    """Where the code subtracts such a number."""
    found = _CODE.search(code.text)
    if found is None or not re.search(
        r"1000|1e\d|why|为什么|为何|干嘛|减", question, re.IGNORECASE
    ):
        return None
    number = re.sub(r"\.0$", "", found["n"])
    told = _TEXT.format(mask=found["m"], n=number)
    if _NAMES.search(question):
        return Text(f"{told.en} {_PARTS.en}", told.zh + _PARTS.zh)
    return told
