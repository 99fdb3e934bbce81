"""Whether label smoothing of the teacher hurts distillation."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 12
ASKS = either(
    r"label.?smooth|bug or expected|worse than|expected|hurt", r"标签平滑|label.?smooth|变差|正常"
)
_TEXT = Text(
    "Expected, as a rule (Müller et al. 2019): label smoothing pulls the logits of a class "
    "together and erases how similar the other classes are, which is what the soft labels should "
    "carry. Train the teacher without it, or distil at a low temperature. For the student's own "
    "cross-entropy it does no harm.",
    "一般是预期之中的（Müller 等 2019）：标签平滑会让同一类样本的 logits 聚到一起，抹掉“其余类别"
    "有多像”的信息，而软标签要传递的正是它。教师训练时不要用，或者蒸馏用较低的温度；学生自己的交"
    "叉熵用标签平滑则无妨。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the teacher was trained with it, as the code or the question says."""
    of_teacher = re.search(
        r"teacher\w* = [^\n]*label_smoothing|smooth\w*.{0,30}teacher|teacher.{0,40}smooth"
        r"|教师.{0,20}平滑|老师.{0,20}平滑|平滑.{0,20}(教师|老师)",
        f"{code.text}\n{question}", re.IGNORECASE,
    )  # fmt: skip
    about = re.search(
        r"smooth|平滑|bug or expected|worse|expected|hurt|变差", question, re.IGNORECASE
    )
    if not (of_teacher and about) or code.serious:
        return None
    if re.search(r"hurt|harm|does it|影响|有害|会不会", question, re.IGNORECASE):
        return Text(
            _TEXT.en.replace("Expected, as a rule", "As a rule yes"),
            _TEXT.zh.replace("一般是预期之中的", "一般会"),
        )
    return _TEXT
