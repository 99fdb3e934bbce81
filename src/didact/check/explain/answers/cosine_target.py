"""What the target of a cosine embedding loss says."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shown
from didact.check.explain.call_words import last_name

PLACE = 15
ASKS = either(
    r"\bones?\b|\btarget\b|fill_|\b-?1\b.*(cos|label)|1 ?[-−] ?cos|increas",
    r"全 ?1|全一|标签|fill_|ones|target|1 ?[-−] ?cos",
)
_CALLS = re.compile(r"CosineEmbeddingLoss|cosine_embedding_loss|cos\w*_?loss\w*\(", re.IGNORECASE)
_SAME = either(
    r"1 ?[-−] ?cos\w*.*(same|equal|identical)|(same|equal).*1 ?[-−] ?cos",
    r"1 ?[-−] ?cos.*(一回事|一样|等价|相同|吗)",
)
_YES = either(r"correct|right|ok\b|fine", r"对吗|正确|写对|可以")
_ONE = Text(
    "a target of +1 says “similar pair”: the loss is 1 − cos(x1, x2), so the two are pulled "
    "together. −1 would push them apart (max(0, cos − margin)).",
    "目标为 +1 表示“相似的一对”，损失是 1 − cos(x1, x2)，把两者拉近；写 −1 则会把它们推开（"
    "max(0, cos − margin)）。",
)
_MINUS = Text(
    "The target is −1 here (line {line}, `{code}`), which says “make them unlike”: the loss is "
    "max(0, cos − margin), which grows as the two align. Write +1 (torch.ones), and it is 1 − "
    "cos.",
    "这里的目标是 −1（第 {line} 行 `{code}`），意思是“让两者不像”：损失是 max(0, cos − margin)，"
    "两者越对齐损失越大。应改成 +1（torch.ones），损失就是 1 − cos。",
)
_EQUAL = Text(
    "Yes: with a target of all ones cosine_embedding_loss is 1 − cos, averaged over the samples.",
    "是：目标全为 1 时，cosine_embedding_loss 就是对样本取平均的 1 − cos。",
)


def answer(question: str, code: Code) -> Text | None:
    """By the target that is handed to it."""
    if not _CALLS.search(code.text):
        return None
    minus = next((n for n in code.nodes if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub)
                  and "ones" in ast.unparse(n.operand)), None)  # fmt: skip
    ones = [c for c in code.calls("ones", "ones_like", "fill_", "new_ones", "full")
            if last_name(c.func) not in {
                "fill_"} or ast.unparse(c).endswith((
                "(1)",
                "(1.0)"))]  # fmt: skip
    if minus is not None:
        return _MINUS.format(line=minus.lineno, code=shown(minus))
    if not ones:
        return None
    if _SAME.search(question):
        return _EQUAL
    if not re.search(r"ones?\b|fill|target|全 ?1|全一|标签", question, re.IGNORECASE):
        return None
    if _YES.search(question) and not re.search(r"why|为什么", question, re.IGNORECASE):
        return Text("Yes: " + _ONE.en, "对：" + _ONE.zh)
    return Text(_ONE.en[0].upper() + _ONE.en[1:], _ONE.zh)
