"""Whether a softmax belongs before the cross-entropy."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shown

PLACE = 20
ASKS = either(
    r"(cross.?entropy|\bce\b).*softmax|softmax.*(cross.?entropy|\bce\b)",
    r"(交叉熵|cross_?entropy|\bce\b).*softmax|softmax.*(交叉熵|cross_?entropy|\bce\b)",
)
_NEED = either(
    r"need|before|first|should|have to|must|forg[eo]t|missing|raw",
    r"要不要|需要|前面|之前|先|漏|忘|吗",
)
_TEXT = Text(
    "No: cross_entropy takes raw logits and does the log_softmax itself, as `{code}` (line "
    "{line}) is given them. A softmax before it would be applied twice: the loss could not fall "
    "below log(e + C − 1) − 1, and the gradient would nearly vanish.",
    "不用：cross_entropy 要的就是原始 logits，内部自带 log_softmax，`{code}`（第 {line} 行）传的"
    "正是 logits。前面再加 softmax 就做了两次：损失降不到 log(e + C − 1) − 1 以下，梯度也几乎消失"
    "。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the cross-entropy with the labels is right as it stands."""
    if (
        not _NEED.search(question)
        or code.serious
        or re.search(r"soft.?(label|target)|软标签", question)
    ):
        return None
    for term in code.terms:
        hard = term.definition is not None and term.definition.key in {"ce", "ce_padded"}
        line = code.line(term.body)
        if hard and term.status == "equal" and line is not None:
            call = next((c for c in code.calls("cross_entropy") if c.lineno == line), None)
            if call is not None:
                return _TEXT.format(code=shown(call), line=line)
    return None
