"""How the reductions of a KL divergence differ, and which is right here."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either
from didact.check.explain.answers.kl_arguments import divergences
from didact.check.explain.formula.tree import Call, Constant, walk

PLACE = 35
ASKS = either(r"batchmean|reduction|\bmean\b.*\bsum\b", r"batchmean|reduction|归约")
_WHICH = either(
    r"which|differ|right|correct|ok\b|okay|choice|choose|should|instead|or\b|vs|need|matter|why"
    r"|what",
    r"哪个|区别|对吗|正确|应该|还是|选|差别|不同|一样|要不要|为什么|什么",
)
_LAWS = Text(
    "For [B, C], 'sum' adds everything, 'batchmean' divides that by B (the mean KL per sample, the "
    "formula), 'mean' divides by B·C: 'mean' is 1/C of 'batchmean'.",
    "对 [B, C]：'sum' 全部相加；'batchmean' 再除以 B，得到每个样本的平均 KL，即公式；'mean' 除以 "
    "B·C，只有 'batchmean' 的 1/C。",
)
_CHOOSE = Text("They differ: choose 'batchmean'.", "有区别，选 'batchmean'。")
_TAKEN = Text(
    "Yes, 'batchmean' is right here: it is what stands in line {line}.",
    "对，这里就该用 'batchmean'（第 {line} 行正是它）。",
)
_MEAN = Text(
    "The code takes 'mean' (line {line}), so the term is 1/C of its formula.",
    "代码里用的是 'mean'（第 {line} 行），所以这一项只有公式的 1/C。",
)
_SUM = Text(
    "The code takes 'sum' (line {line}); divided by the batch size that is 'batchmean'.",
    "代码里用的是 'sum'（第 {line} 行），再除以批大小就等于 'batchmean'。",
)


def answer(question: str, code: Code) -> Text | None:
    """By the reduction of each kl_div on [B, C]."""
    question = re.sub(r"`[^`]*\([^`]*`", "", question)
    calls = divergences(code)
    if not ASKS.search(question) or not calls or not code.is_torch or not _WHICH.search(question):
        return None
    if re.search(r"divid|token|除以", question) or any(b.rank != 2 for loss in code.judged.losses
                                                       for b in loss.branches):  # fmt: skip
        return None
    found = {}
    for loss in code.judged.losses:
        for part in walk(loss.entry.value):
            if isinstance(part, Call) and part.name == "kl_div":
                kept = part.keyword("reduction")
                found[kept.value if isinstance(kept, Constant) else "mean"] = code.line(part)
    if len(found) != 1:
        return None
    ((reduction, line),) = found.items()
    if line is None:
        return None
    several = len(re.findall(r"\b(batchmean|mean|sum|none)\b", question)) > 1
    if reduction == "batchmean" and not code.serious:
        why = re.search(r"\bwhy\b|为什么|为何", question, re.IGNORECASE)
        first = _CHOOSE if several else _TAKEN.format(line=line)
        return _LAWS if why else both(first, _LAWS)
    if reduction == "mean":
        return both(_CHOOSE, _LAWS, _MEAN.format(line=line))
    if reduction == "sum" and not code.serious:
        return both(_LAWS, _SUM.format(line=line))
    return None
