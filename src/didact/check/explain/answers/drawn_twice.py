"""Whether a buffer must be drawn from twice."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.nodes import nodes_of

PLACE = 12
ASKS = either(
    r"twice|two (times|batches|draws|samples|calls)|again|duplicat"
    r"|second (time|draw|batch|sample|get_data)",
    r"两[次遍回]|重复|一次|再取|第二次",
)
_TEXT = Text(
    "It is no slip: as in DER++, the logits (line {one}) and the labels (line {two}) are matched "
    "on two batches that are drawn independently. One batch for both works as well and saves a "
    "forward pass; the gradient is the same on average.",
    "不是写重复了：DER++ 的写法就是 logits（第 {one} 行）和标签（第 {two} 行）各抽一批独立的样本"
    "。只取一批、两项共用也可以，省一次前向，梯度的期望不变。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the code calls the buffer's get_data two times."""
    calls = code.calls("get_data", "sample", "get_batch")
    if len(calls) != 2 or not re.search(r"buf|memory|replay|取|抽", code.text + question):
        return None
    labels = [c for c in calls if _is_for_labels(c, code)]
    if len(labels) != 1:
        return None
    logits = calls[0] if labels[0] is calls[1] else calls[1]
    return _TEXT.format(one=logits.lineno, two=labels[0].lineno)


def _is_for_labels(call: ast.Call, code: Code) -> bool:
    """Whether what is drawn goes into a cross-entropy."""
    assigned = code.parents.get(id(call))
    if not isinstance(assigned, ast.Assign):
        return False
    drawn = {n.id for t in assigned.targets for n in nodes_of(t)
             if isinstance(n, ast.Name) and n.id != "_"}  # fmt: skip
    later = [c for c in code.calls("cross_entropy", "CrossEntropyLoss", "loss", "criterion", "ce")
             if c.lineno > call.lineno]  # fmt: skip
    return any(isinstance(n, ast.Name) and n.id in drawn for c in later for n in nodes_of(c))
