"""What β does in a generalised Jensen–Shannon divergence."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 15
ASKS = either(r"\bbeta\b|\balpha\b|\bskew", r"beta|alpha|β")
_ASKS = either(r"what|mean|role|control|do\b|does", r"什么|作用|意思|控制|含义|干嘛")
_TEXT = Text(
    "`{beta}` mixes the two: m = {beta}·p_teacher + (1 − {beta})·p_student, and the loss is "
    "{beta}·KL(p_teacher ‖ m) + (1 − {beta})·KL(p_student ‖ m). 0.5 is the symmetric "
    "Jensen–Shannon divergence; near 0 it behaves, up to its scale, like the forward KL, near 1 "
    "like the reverse KL.",
    "`{beta}` 是混合比例：m = {beta}·p_教师 + (1 − {beta})·p_学生，损失是 {beta}·KL(p_教师 ‖ m) "
    "+ (1 − {beta})·KL(p_学生 ‖ m)。0.5 时就是对称的 JSD；接近 0 时（除去尺度）像前向 KL，接近 1 "
    "时像反向 KL。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the loss is this divergence, with a weight in the mixture."""
    if not _ASKS.search(question) or not code.keys & {"jsd", "jsd_masked"}:
        return None
    for name in code.mentioned(question):
        if name in {"beta", "alpha", "b"} and re.search(
            rf"1(\.0)? - {name}\b", code.text.replace("b = torch.tensor(beta", "b")
        ):
            return _TEXT.format(beta=name)
        if name == "beta" and "tensor(beta" in code.text:
            return _TEXT.format(beta=name)
    return None
