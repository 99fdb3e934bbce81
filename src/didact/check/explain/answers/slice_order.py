"""Whether the classes are cut before the softmax or after it, and what comes of the difference."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either, shown
from didact.check.explain.call_words import last_name

PLACE = 5
ASKS = either(
    r"slic.*(softmax)|softmax.*(slic|\[:)|cut.*softmax|softmax.*\bcut\b",
    r"(切|截|取前|\[:|\[\.\.\.).*softmax|softmax.*(切|截|取前|\[:|\[\.\.\.)",
)
_ORDER = either(
    r"before|after|order|first|then|differ|which|same|earlier|matter",
    r"之前|之后|以后|以前|顺序|先|再|后|区别|不一样|不同|差别|哪|一样",
)
_WHY = Text(
    "They differ in the sum below the fraction. Softmax of the cut logits divides by the sum over "
    "the kept classes alone: the probabilities add up to 1. Cut after the softmax, each was "
    "divided by the sum over all classes, the new ones included: they add up to Z < 1, and each "
    "log-probability is smaller by −log Z. In the KL that is an extra −log Z, whose gradient "
    "pushes the new classes' logits down, against the cross-entropy.",
    "区别在分母：先切再 softmax，分母只含保留下来的类，概率之和为 1；先 softmax 再切，分母含全部类"
    "（包括新类），切出的概率之和 Z < 1，每个对数概率都多了 log Z（负数）。放进 KL 就多出一项 "
    "−log Z，它的梯度会压低新类的 logits，与交叉熵冲突。",
)
_LWF = Text(
    "LwF compares the old task's own output, so cut first, then softmax.",
    "LwF 比较的是旧任务自己的输出，所以应先切片、再 softmax。",
)
_HERE = Text(
    "Line {line} cuts after the softmax: `{code}`.",
    "这里第 {line} 行是 softmax 之后才切：`{code}`。",
)
_GOOD = Text(
    "Line {line} cuts the logits first: `{code}`.", "这里第 {line} 行是先切 logits：`{code}`。"
)


def answer(question: str, code: Code) -> Text | None:
    """Where the question sets one order against the other, and the code has one of them."""
    if not _ORDER.search(question):
        return None
    place = _place(code)
    if place is None:
        return None
    node, late = place
    told = (_HERE if late else _GOOD).format(line=getattr(node, "lineno", 0), code=shown(node))
    return both(_WHY, _LWF, told) if code.judged.incremental else both(_WHY, told)


def _place(code: Code) -> tuple[ast.expr, bool] | None:
    """The first cut of classes beside a softmax, and whether it comes behind it."""
    early: ast.expr | None = None
    for node in code.nodes:
        if not isinstance(node, ast.Call) or not re.fullmatch(
            r"(log_)?softmax", last_name(node.func)
        ):
            continue
        owner = node.func.value if isinstance(node.func, ast.Attribute) else node
        if _cuts(owner) or any(
            isinstance(n, ast.Subscript) and _cuts(n) for a in node.args for n in ast.walk(a)
        ):
            early = early or node
    for node in code.nodes:
        if isinstance(node, ast.Subscript) and _cuts(node):
            value = node.value
            if isinstance(value, ast.Call) and "softmax" in last_name(value.func):
                return node, True
            if isinstance(value, ast.Name) and _is_softmax(code, value.id):
                return node, True
    return (early, False) if early is not None else None


def _cuts(node: ast.expr) -> bool:
    """``x[:, :k]`` and ``x[..., :k]``."""
    key = node.slice if isinstance(node, ast.Subscript) else None
    return isinstance(key, ast.Tuple) and isinstance(key.elts[-1], ast.Slice)


def _is_softmax(code: Code, name: str) -> bool:
    return bool(re.search(rf"^\s*{re.escape(name)} = [\w.]*softmax\([^\n]*\)$", code.text, re.M))
