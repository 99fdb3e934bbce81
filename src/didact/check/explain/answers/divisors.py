"""Why a sum is divided by what it is divided by."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.answers.padded import masks_of

PLACE = 25
ASKS = either(
    r"divid|batchmean|number of tokens|\bmean\b.*sum|reduction", r"除以|除的|batchmean|平均|归约"
)
_CHANNELS = Text(
    "Because there are B·C distributions, one for each sample and channel, each over its H·W "
    "places: the sum over the places belongs to the KL, and the mean goes over the "
    "distributions. B·H·W would be the divisor of a softmax over the classes at each pixel.",
    "因为一共有 B·C 个分布，每个样本的每个通道一个，各自定义在 H·W 个位置上：对位置求和属于 KL 本"
    "身，取平均是对分布的个数。只有对每个像素在类别上做 softmax 时，才应除以 B·H·W。",
)
_TOKENS = Text(
    "Over the tokens that count: after `{code}` the rows are the kept positions, so dim 0 is their "
    "number, and that is what batchmean divides by.",
    "对有效词元取平均：经过 `{code}` 之后每一行就是一个保留下来的位置，第 0 维就是它们的个数，"
    "batchmean 除的正是它。",
)
_PIXEL_ROWS = re.compile(r"permute\(0, 2, 3, 1\)[\s\S]{0,20}(reshape|view)\(-1, ")
_PIXELS = Text(
    "No, not once more: after permute(0, 2, 3, 1) and reshape(-1, C) dim 0 has B·H·W rows, one "
    "per pixel, and batchmean divides by just that. What comes out is the mean KL per pixel.",
    "不用再除：permute(0, 2, 3, 1) 再 reshape(-1, C) 之后，第 0 维是 B·H·W 行，每个像素一行，"
    "batchmean 除的正是它，得到的已经是每个像素的平均 KL。",
)

_PER_TOKEN = Text(
    "`{count}` is right: the divergence is already summed over the vocabulary, so this is the mean "
    "over the tokens that count, on the scale of the cross-entropy, which averages over its valid "
    "labels as well. Divided by the batch size it would be a sum over positions: the longer the "
    "sequences, the more it weighs beside the other term.",
    "除以 `{count}` 是对的：散度已经对词表求和，这样得到的是每个有效词元的平均值，"
    "与同样只对有效标签取平均的交叉熵尺度一致。若除以 batch size，它就成了对位置求和："
    "序列越长，这一项相对另一项越大。",
)
_WHOSE_COUNT = either(r"batch.?size|number of (samples|sequences)", r"batch.?size|批大小|样本数")
_MASKED = frozenset({"kd_masked", "soft_ce_masked", "reverse_kl_masked", "jsd_masked"})


def _per_token(question: str, code: Code) -> Text | None:
    """Whether a masked sum is divided by the mask's sum or by the batch."""
    known = code.keys & _MASKED or (code.keys & {"kd", "soft_ce", "reverse_kl"})
    counts = set(re.findall(r"/ (\w+\.(?:float\(\)\.)?sum\(\))", code.text))
    if not known or len(counts) != 1 or code.serious or not _WHOSE_COUNT.search(question):
        return None
    return _PER_TOKEN.format(count=counts.pop())


def answer(question: str, code: Code) -> Text | None:
    """By the rows of what goes into the divergence."""
    if (told := _per_token(question, code)) is not None:
        return told
    if code.keys & {"cwd"} and re.search(r"B ?\*|H ?\*|通道|channel|B\W*C|H\W*W", question):
        return _CHANNELS
    if re.search(
        r"H ?[*·x×] ?W|(again|also|too|need)\b.*pixel|(还要|要不要|需要).*像素", question
    ) and _PIXEL_ROWS.search(code.text):
        clean = code.keys & {"kd", "soft_ce"} and not code.serious
        return _PIXELS if clean and "batchmean" in code.text else None
    if "batchmean" not in code.text or not re.search(
        r"batchmean|token|position|divid|除", question, re.IGNORECASE
    ):
        return None
    kept = re.search(r"\b(\w+) = \1\[(\w*(?:keep|mask|valid|sel)\w*)\]", code.text) or re.search(
        r"(\w+), \w+(?:, \w+)? = \(?(\1\[(\w*(?:keep|mask|valid|sel)\w*)\])", code.text
    )
    if kept is not None and code.keys & {"kd", "kd_masked"}:
        mask = kept[2] if "[" not in kept[2] else kept[3]
        return _TOKENS.format(code=f"{kept[1]}[{mask}]")
    return _of_rows(code)


def _of_rows(code: Code) -> Text | None:
    """Where both sides of the divergence are rows that a mask of labels picked."""
    if not code.keys & {"kd", "kd_masked", "reverse_kl"} or code.kinds & {"BATCHMEAN-3D"}:
        return None
    masks = masks_of(code)
    picked = {
        n.slice.id: ast.unparse(n) for n in code.nodes
        if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Name) and n.slice.id in masks
        and code.text.count(f"[{n.slice.id}]") > 1
    }  # fmt: skip
    return _TOKENS.format(code=next(iter(picked.values()))) if len(picked) == 1 else None
