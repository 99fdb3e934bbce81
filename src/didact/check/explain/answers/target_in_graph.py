"""Whether a target of the student's own network, or of a peer, must be detached."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either
from didact.check.explain.formula.methods import is_of_one_network

PLACE = 8
ASKS = either(r"detach|no_grad|stop.?grad", r"截断|切断")
_NEED = either(
    r"need|should|must|have to|required|necessary|or not|\?", r"要|吗|用不用|该不该|是否|必要"
)
_YES = Text("Yes: {why}.", "要：{why}。")
_NOT_EVAL = Text(
    "It cannot be no_grad() here: the exits come out of one forward pass, which the shallow ones "
    "need the graph of.",
    "这里不能用 no_grad()：各出口出自同一次前向，浅层还需要它的计算图。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a finding says that the target is in the graph."""
    found = [f for f in code.findings if f.code == "KE108"]
    if (
        not found
        or not _NEED.search(question)
        or re.search(r"\bwhy\b|为什么", question, re.IGNORECASE)
    ):
        return None
    why = Text(found[0].message.en.rstrip("."), found[0].message.zh.rstrip("。"))
    told = _YES.format(why=why)
    soft = [t for t in code.terms if t.definition is not None and t.definition.key == "kd"]
    return both(told, _NOT_EVAL) if is_of_one_network(soft) else told
