"""Why the squared difference is taken on raw logits."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 30
ASKS = either(r"mse|raw logits|l2\b|squared", r"mse|均方|原始 ?logits|logits 上|直接.*logits")
_ASKS = either(r"why|instead|rather|not kl|reason", r"为什么|为何|而不用|而不是|不用")
_TEXT = Text(
    "Because nothing is lost on raw logits: the softmax would squash the differences of the "
    "small ones and ignore a common shift. For a large temperature the KL tends to the squared "
    "difference of the centred logits anyway, so the MSE is its high-temperature limit{more}.",
    "直接在 logits 上比较不丢信息：softmax 会压缩较小 logits 之间的差别，还会忽略整体平移。温度很"
    "大时 KL 本来就趋于中心化 logits 的均方差，所以 MSE 相当于它的高温极限{more}。",
)
_BUFFER = Text(
    "; DER stores the logits of past samples and keeps today's outputs near them in this way",
    "；DER 正是存下过去样本的 logits，用它约束现在的输出",
)


def answer(question: str, code: Code) -> Text | None:
    """Where logits are compared by squared differences."""
    if not _ASKS.search(question) or not code.keys & {"mse", "mse_rows", "mse_sum"}:
        return None
    if not re.search(r"logit|buf_out|outputs", code.text):
        return None
    more = _BUFFER if re.search(r"buf", code.text) else Text("", "")
    return _TEXT.format(more=more)
