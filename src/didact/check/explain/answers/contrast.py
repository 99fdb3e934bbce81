"""Negatives, labels and temperature of a contrastive loss within the batch."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 18
ASKS = either(
    r"negative|positive|arange|temperature|\btau\b|log\(?batch|diagonal|symmetric|two cross"
    r"|both directions|transpose|average of|T ?(\^|\*\*) ?2|T²",
    r"负样本|正样本|负例|arange|温度|对角|标签|对称|两个方向|两次交叉熵|转置|T ?平方|T²|T ?\*\* ?2",
)
_PAIRS = either(r"negative|positive|arange|diagonal", r"负样本|正样本|负例|arange|对角")
_PLACE_OF_T = either(
    r"right place|multipl|divid|wrong|inverted|\bstuck|log\(?batch", r"除|乘|位置|写反|不下降|log"
)
_SQUARE = either(r"T ?(\^|\*\*) ?2|T²|squared", r"平方|T²|T ?\*\* ?2")
_BOTH = either(
    r"symmetric|two cross|both directions|transpose|average of|\.T\b", r"对称|两个方向|两次|转置"
)
_WHY = either(r"\bwhy\b|what for|\bneed", r"为什么|为何|干嘛|作用|要不要|需要")
_NO_SQUARE = Text(
    "No: T² belongs to soft targets, where both sides are divided by T, and their gradients shrink "
    "as 1/T². Here the target is a class index, and `{tau}` sets how sharply the negatives are "
    "weighed; InfoNCE has no T².",
    "不需要：T² 是给软目标用的，那里两边都除以 T，梯度按 1/T² 缩小。这里的目标是下标，`{tau}` 只决"
    "定对难负样本的侧重程度；InfoNCE 里没有 T²。",
)
_DIRECTIONS = Text(
    "Row i of the matrix asks which teacher embedding belongs to student i; row i of its transpose "
    "asks which student embedding belongs to teacher i. The first is normalised over the teachers, "
    "the second over the students; the mean of the two treats both sides alike, as CLIP does. "
    "One direction alone is a valid InfoNCE as well.",
    "矩阵的第 i 行问的是“学生 i 对应哪一个教师特征”，转置后的第 i 行问的是“教师 i 对应哪一个学生"
    "特征”：前者在教师特征上归一化，后者在学生特征上归一化；取平均使两边对等，CLIP 就是这样。只用"
    "一个方向也是合法的 InfoNCE。",
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
    terms = [t for t in code.terms if t.definition is not None and "infonce" in t.definition.key]
    if _SQUARE.search(question) and terms and len(terms) == len(code.terms):
        tau = code.written(terms[0].temperature) if terms[0].temperature is not None else "T"
        return _NO_SQUARE.format(tau=tau)
    if _BOTH.search(question) and _WHY.search(question) and code.keys & {
        "infonce_back", "infonce_back_raw",
    }:  # fmt: skip
        return _DIRECTIONS
    return _TEXT if _PAIRS.search(question) else None
