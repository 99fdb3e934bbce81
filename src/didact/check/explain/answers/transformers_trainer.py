"""Where ``outputs.loss`` comes from, and what ``compute_loss`` returns."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 12
ASKS = either(
    r"\w+\.loss\b|return_outputs|tuple|num_items", r"\.loss|元组|return_outputs|返回|num_items"
)
_LOSS = Text(
    "`{code}` is the model's own loss: `inputs` holds `labels`, so the transformers model "
    "computes the cross-entropy with them itself (−100 is ignored).",
    "`{code}` 是模型自己算的损失：inputs 里带有 labels，transformers 的模型会直接算出对它的交叉熵"
    "（忽略 −100）。",
)
_ALONE = Text(
    "No: `{code}` is only the model's own cross-entropy with the labels; the distillation term "
    "is added to it in compute_loss.",
    "不包含：`{code}` 只是模型自己对标签的交叉熵，蒸馏项是在 compute_loss 里另外加上的。",
)
_TUPLE = Text(
    "Trainer calls compute_loss in two ways: in training it wants the loss alone, in evaluation "
    "(return_outputs=True) the pair (loss, outputs), to compute metrics from the logits.",
    "Trainer 以两种方式调用 compute_loss：训练时只要 loss；评估时（return_outputs=True）要 "
    "(loss, outputs) 这个元组，以便用 logits 计算指标。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a Trainer's compute_loss is shown."""
    if "compute_loss" not in code.text:
        return None
    if re.search(r"includ|contain|already|包含|已经|包括", question) and re.search(
        r"\bkl\b|\bkd\b|distil|teacher|蒸馏|教师", question, re.IGNORECASE
    ):
        held = re.search(r"\b\w+\.loss\b", question)
        return _ALONE.format(code=held[0]) if held is not None and held[0] in code.text else None
    own = re.search(r"\b\w+\.loss\b", question)
    if (
        own is not None
        and own[0] in code.text
        and re.search(r"where|what|from|哪|是什么|怎么来", question, re.IGNORECASE)
    ):
        return _LOSS.format(code=own[0])
    if re.search(r"tuple|元组|return_outputs|返回", question) and "return_outputs" in code.text:
        return _TUPLE
    return None
