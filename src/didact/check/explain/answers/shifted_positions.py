"""Why logits and labels are shifted by one position, and what is lost without it."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 15
ASKS = either(r"\bshift|:-1\]|off by one|misalign|next token", r"移位|错位|错开|:-1\]|下一个")
_SKIP = either(
    r"skip|without|enough|leave out|omit|need|necessary|remove",
    r"不移|不错开|去掉|够|需要|必要|要不要|可以不",
)
_LOGITS = re.compile(r"\w+\[(?::|\.\.\.), :-1(?:, :)?\]")
_LABELS = re.compile(r"\w+\[(?::|\.\.\.), 1:\]")
_NEEDED = Text(
    "No, not without the shift: the logits at position t predict token t + 1, so `{logits}` "
    "belongs with `{labels}`. The KL alone needs none, as both models are shifted alike; but the "
    "labels, and the mask made of them, would be one position off.",
    "不能省：位置 t 的 logits 预测的是第 t + 1 个词，所以 `{logits}` 要配 `{labels}`。KL 本身不需"
    "要移位（两个模型的位置本来就对应），但标签以及由它得到的掩码会错开一位。",
)
_WHY = Text(
    "Because the logits at position t predict token t + 1: `{logits}` drops the last position, "
    "`{labels}` the first token, and then the two agree place by place. For the KL alone it "
    "would not matter, as both models are shifted alike; it is there for the labels and the mask "
    "made of them.",
    "因为位置 t 的 logits 预测的是第 t + 1 个词：`{logits}` 去掉最后一个位置，`{labels}` 去掉第一"
    "个词，两者才逐位对应。只算 KL 的话移不移都一样（两个模型的位置本来就对应），移位是为了标签和"
    "由它得到的掩码。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the code shifts both."""
    logits, labels = _LOGITS.search(code.text), _LABELS.search(code.text)
    if logits is None or labels is None or code.serious:
        return None
    values = {"logits": logits[0], "labels": labels[0]}
    if re.search(r"\bwhy\b|为什么|为何", question, re.IGNORECASE):
        return _WHY.format(**values)
    return _NEEDED.format(**values) if _SKIP.search(question) else None
