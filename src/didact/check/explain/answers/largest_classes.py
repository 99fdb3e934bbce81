"""What happens to the classes outside of the top k."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 25
ASKS = either(
    r"outside|rest\b|other (class|token|prob)|left out|remaining|sum to 1|renormali",
    r"以外|其余|其他|剩下|和还?是 ?1|归一",
)
_TEXT = Text(
    "They do not take part: both sides are cut to the teacher's top k first, and the softmax "
    "renormalises over these, so each sums to 1 over the k alone. What the student puts on other "
    "classes is not punished by this term.",
    "不参与：两边先取教师的前 k 个，再在这 k 个上做 softmax 重新归一化，所以各自在这 k 个上的和为"
    " 1。学生放在其他类别上的概率，这一项不惩罚。",
)


def answer(_question: str, code: Code) -> Text | None:
    """Where a KL is taken over the teacher's largest classes."""
    return _TEXT if code.verdict.method_key == "topk_kd" else None
