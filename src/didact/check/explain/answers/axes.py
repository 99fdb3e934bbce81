"""Which direction a sum, a mean, a softmax or a pooling runs over, and what is left of a tensor."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either, shown

PLACE = 40
ASKS = either(
    r"\bdim\b|\baxis\b|direction|pool|over (what|which)|along|\bsum\b|\bmean\b|normali[sz]",
    r"dim|axis|方向|哪一?维|维度|池化|沿|求和|取平均|归一",
)
_WHICH = either(
    r"which|what|over|direction|along|pool|mean\?|do(es)?\b",
    r"哪|方向|什么意思|是什么|分别|沿|干嘛|干什么",
)
_REDUCING = frozenset({"sum", "mean", "softmax", "log_softmax", "normalize", "max", "amax", "norm"})
_QUOTED = re.compile(r"\.?\b(sum|mean|softmax|log_softmax|normalize|amax|max|norm)\(([^()]*)\)")
_AXES = {
    4: (
        ("the batch", "批"),
        ("the channels", "通道"),
        ("the height", "高度"),
        ("the width", "宽度"),
    ),
}
_LETTERS = {4: ("B", "C", "H", "W")}
_SUMS = Text(
    "`{code}` (line {line}) runs over {axis} (dim {dim} of [{shape}]); what is left is [{left}].",
    "`{code}`（第 {line} 行）沿{axis}（[{shape}] 的第 {dim} 维）进行，剩下 [{left}]。",
)
_KEEPS = Text(
    "`{code}` (line {line}) runs over {axis} (dim {dim} of [{shape}]): along it the result "
    "{what}; the shape stays.",
    "`{code}`（第 {line} 行）沿{axis}（[{shape}] 的第 {dim} 维）进行：{what}，形状不变。",
)
_ONE = Text("sums to 1", "沿这一维之和为 1")
_LENGTH = Text("has length 1", "沿这一维的长度（L2 范数）为 1")


def answer(question: str, code: Code) -> Text | None:
    """By the calls that the question quotes, on a tensor whose dimensions are known."""
    quoted = [(m[1], m[2].replace(" ", "")) for m in _QUOTED.finditer(question)]
    if not quoted or not _WHICH.search(question):
        return None
    said: list[Text] = []
    for name, arguments in quoted:
        for node in code.calls(name):
            given = ",".join(ast.unparse(a) for a in [*node.args, *node.keywords]).replace(" ", "")
            own = isinstance(node.func, ast.Attribute)
            if arguments and own and given.split(",")[0] == arguments.split(",")[0]:
                told = _of(code, node, name)
                if told is not None:
                    said.append(told)
                    break
    return both(*dict.fromkeys(said)) if said else None


def _of(code: Code, node: ast.Call, name: str) -> Text | None:
    method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in {"F", "torch", "nn", "jnp"}
    )
    operand = node.func.value if method and isinstance(node.func, ast.Attribute) else node.args[0]
    dim = _dim(node, method=method)
    if dim is None or not _is_map(code, operand):
        return None
    rank = 4
    dim = dim % rank
    letters = list(_LETTERS[rank])
    left = letters[:dim] + letters[dim + 1 :]
    keep = any(k.arg in {"keepdim", "keepdims"} for k in node.keywords)
    if keep:
        left = [*letters[:dim], "1", *letters[dim + 1 :]]
    axis = Text(*_AXES[rank][dim])
    values = {"code": shown(node), "line": node.lineno, "axis": axis, "dim": dim,
              "shape": ", ".join(letters)}  # fmt: skip
    if name in {"softmax", "log_softmax", "normalize"}:
        return _KEEPS.format(**values, what=_LENGTH if name == "normalize" else _ONE)
    return _SUMS.format(**values, left=", ".join(left))


def _dim(node: ast.Call, *, method: bool) -> int | None:
    found = [k.value for k in node.keywords if k.arg in {"dim", "axis"}]
    found += node.args[0 if method else 1 :][:1]
    for value in found:
        try:
            told = ast.literal_eval(value)
        except ValueError:
            continue
        if isinstance(told, int) and not isinstance(told, bool):
            return told
    return None


def _is_map(code: Code, operand: ast.expr) -> bool:
    """Whether a tensor is [B, C, H, W], as far as the code tells it."""
    if code.rank_of(operand) == 4:
        return True
    name = ast.unparse(operand).split(".")[0].split("[")[0]
    deep = re.search(
        rf"\b{re.escape(name)}\b[\w.()]*\.(sum|mean)\((dim=)?(3|\(2, 3\)|\[2, 3\])", code.text
    )
    flat = re.search(r"\.mean\((dim=)?1\)\.(view|flatten|reshape)\(", code.text)
    ranks = {t.rank for t in code.terms if t.definition is not None}
    return deep is not None or (flat is not None and ranks == {4})
