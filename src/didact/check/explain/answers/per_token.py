"""Why a KL per token is kept apart: ``reduction='none'`` and ``sum(-1)``."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 25
ASKS = either(
    r"reduction|\bsum\(-1\)|sum\(dim=-1\)|batchmean|\bnone\b",
    r"reduction|sum\((dim=)?-1\)|batchmean|none",
)
_ASKS = either(
    r"why|what|for\?|instead|not just|need", r"为什么|为何|是为了|作用|什么|干嘛|不直接|不能"
)
_TEXT = Text(
    "reduction='none' keeps one number per position and class, `.sum(-1)` adds them over the "
    "vocabulary, and what is left is the KL of each position, [B, S]: only so can the mask leave "
    "positions out and the sum be divided by the number of those that count. batchmean would add "
    "all positions, padding included, and divide by the batch alone.",
    "reduction='none' 保留每个位置、每个类别的数，`.sum(-1)` 对词表求和，得到每个位置的 KL（[B, "
    "S]）：这样掩码才能去掉不算的位置，再除以有效位置数。batchmean 会把所有位置（含填充）都加起来"
    "，只除以批大小。",
)
_CODE = re.compile(r"reduction='none'\)[\s\S]{0,40}?\.sum\((dim=)?-1\)")
_MASKED = re.compile(r"\* \w*(mask|keep|valid|live|\bm\b)|/ \w+\.sum\(\)")


def answer(question: str, code: Code) -> Text | None:
    """Where the elements are summed over the last dim and then masked."""
    if not _ASKS.search(question) or not code.is_torch:
        return None
    if not _CODE.search(code.text) or not _MASKED.search(code.text):
        return None
    return _TEXT if "kl_div" in code.text or "KLDivLoss" in code.text else None
