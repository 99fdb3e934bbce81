"""Whether the dim of the softmaxes is right."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 55
ASKS = either(r"\bdim\b ?=? ?-?\d?|\baxis\b", r"dim|axis|哪一?维")
_RIGHT = either(
    r"right|correct|ok\b|okay|fine|should|which|wrong",
    r"对吗|对不对|正确|应该|填几|哪一?维|写错|几",
)
_LAST = Text(
    "Yes: dim=-1 (lines {lines}) is the last dimension, the classes of [B, C] and of [B, S, V]. "
    "For maps [B, C, H, W] it would have to be dim=1.",
    "对：dim=-1（第 {lines} 行）是最后一维，[B, C] 和 [B, S, V] 的类别都在这里。若是特征图 [B, "
    "C, H, W]，则要用 dim=1。",
)
_FIRST = Text(
    "Yes for [B, C] and for maps [B, C, H, W]: dim=1 (lines {lines}) is the classes. For sequences "
    "[B, S, V] it would have to be dim=-1.",
    "对 [B, C] 和特征图 [B, C, H, W] 是对的：dim=1（第 {lines} 行）就是类别维。若是序列 [B, S, V]"
    "，则要用 dim=-1。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where all softmaxes have one dim, and no mistake was found."""
    if code.serious or not _RIGHT.search(question) or not code.is_torch:
        return None
    if not re.search(r"softmax|dim|axis|维", question) or code.verdict.outcome != "equal":
        return None
    ranks = {t.rank for t in code.terms if t.definition is not None}
    if not ranks <= {2} or not code.keys & {"kd", "soft_ce", "ce"}:
        return None
    found: dict[int, list[int]] = {}
    for call in code.calls("softmax", "log_softmax"):
        given = [k.value for k in call.keywords if k.arg == "dim"] or call.args[1:2]
        try:
            dim = ast.literal_eval(given[0]) if given else None
        except ValueError:
            return None
        if not isinstance(dim, int):
            return None
        found.setdefault(dim, []).append(call.lineno)
    if len(found) != 1:
        return None
    ((dim, at),) = found.items()
    lines = ", ".join(str(n) for n in dict.fromkeys(at))
    form = {-1: _LAST, 1: _FIRST}.get(dim)
    return None if form is None else form.format(lines=lines)
