"""Why a slice of the classes is taken."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either, shown

PLACE = 35
ASKS = either(
    r"slic|\[:, ?:?\w+:?\]|\[\.\.\., ?:?\w+|first .*(class|column)|only the old",
    r"切片|\[:, ?:?\w+:?\]|\[\.\.\.|只取|前 ?\w+ ?(列|类|个)|截取|切到",
)
_WHY = either(
    r"why|what|need|purpose|for\?|necessar", r"为什么|为何|什么|作用|需要|要不要|干嘛|意思|必要"
)
_TEXT = Text(
    "`{code}` (line {line}) takes the first `{bound}` columns, the old classes: the old model "
    "knows only these, so both softmaxes run over the same classes, and the term says nothing of "
    "the new ones, which the labels teach.",
    "`{code}`（第 {line} 行）取前 `{bound}` 列，即旧类：旧模型只认识这些类别，这样两边的 softmax "
    "在同一组类别上进行；新类由真实标签来教，这一项不管。",
)
_ALSO = Text(
    "`{code}` is the same cut on the other side; where the old model's head has these classes "
    "alone, it changes nothing there.",
    "另一侧的 `{code}` 是同样的切片；旧模型的分类头如果本来就只有这些类，那一侧切不切都一样。",
)
_BOUND = re.compile(r"old|known|prev|seen|(?<![a-z])n_?k\b", re.IGNORECASE)
_WRONG = {
    "SLICE",
    "HEADS",
    "SLICE-AFTER-SOFTMAX",
    "HEAD-MISMATCH",
    "SLICE-SWAPPED",
    "SLICES-DIFFER",
}


def answer(question: str, code: Code) -> Text | None:
    """Where the student's old columns are compared with the old model's."""
    if not _WHY.search(question) or any("slice" in f.message.en.lower() for f in code.serious):
        return None
    if code.kinds & _WRONG or not code.keys & {"kd", "soft_ce", "mse", "binary_kd"}:
        return None
    for node in code.nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            last = node.slice.elts[-1]
            first = ast.unparse(node.slice.elts[0])
            plain = isinstance(last, ast.Slice) and last.lower is None and last.upper is not None
            if not plain or first not in {":", "..."} or not isinstance(last, ast.Slice):
                continue
            bound = ast.unparse(last.upper) if last.upper is not None else ""
            if _BOUND.search(bound) or _is_old_width(code, bound):
                told = _TEXT.format(code=shown(node), line=node.lineno, bound=bound)
                alike = [n for n in code.nodes if isinstance(n, ast.Subscript) and ast.unparse(
                    n.slice) == ast.unparse(node.slice) and ast.unparse(n.value) != ast.unparse(
                    node.value)]  # fmt: skip
                return told if not alike else both(told, _ALSO.format(code=shown(alike[0])))
    return None


def _is_old_width(code: Code, bound: str) -> bool:
    """Whether a bound is the width of the old model's output."""
    width = r"\w*(old|prev|teacher|t_)\w*\.(size\((1|-1)\)|shape\[(1|-1)\])"
    return bool(
        re.fullmatch(width, bound) or re.search(rf"\b{re.escape(bound)} = {width}", code.text)
    )
