"""Negatives, labels and temperature of a contrastive loss within the batch."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 25
ASKS = either(
    r"negative|positive|arange|temperature|\btau\b|log\(?batch|diagonal",
    r"负样本|正样本|负例|arange|温度|对角|标签",
)
_PAIRS = either(r"negative|positive|arange|diagonal", r"负样本|正样本|负例|arange|对角")
_PLACE_OF_T = either(
    r"right place|multipl|divid|wrong|inverted|\bstuck|log\(?batch", r"除|乘|位置|写反|不下降|log"
)
_TEXT = Text(
    "The positive of sample i is the teacher's embedding of the same sample, the diagonal of the "
    "B×B matrix of similarities: that is what the labels arange(B) say. The negatives are the "
    "other B − 1 teacher embeddings of the batch; samples of the same class among them count as "
    "negatives too.",
    "样本 i 的正样本是教师对同一个样本的特征，即 B×B 相似度矩阵的对角线，标签 arange(B) 就是这个"
    "意思；负样本是同一批里其余 B − 1 个教师特征，其中同类的样本也被当作负样本。",
)
_MULTIPLIED = Text(
    "No: `{tau}` must divide. Multiplied by a small number such as 0.07 all logits are nearly "
    "equal, so the cross-entropy stays near log B.",
    "不对：应当除以 `{tau}`。乘一个很小的数（如 0.07）会让所有 logits 几乎相等，交叉熵就停在 log "
    "B 附近。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a matrix of similarities goes into a cross-entropy against its diagonal."""
    found = re.search(r"\w+ @ \w+\.(t\(\)|T|transpose\([^)]*\))|mm\(|matmul\(", code.text)
    if (
        found is None
        or "arange(" not in code.text
        or "cross_entropy(" not in code.text.replace("CrossEntropyLoss()(", "cross_entropy(")
    ):
        return None
    times = re.search(r"@ \w+\.(?:t\(\)|T) \* (?:self\.)?(tau|temperature|temp|T|t)\b", code.text)
    if times is not None and _PLACE_OF_T.search(question):
        return _MULTIPLIED.format(tau=times[1])
    return _TEXT if _PAIRS.search(question) else None
