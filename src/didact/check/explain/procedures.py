"""Procedures of class-incremental learning that hold no loss: known by what the statements do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of

_HERDING = Text(
    "This is herding, the choice of exemplars of iCaRL (Rebuffi et al. 2017): at each step the "
    "sample that brings the mean of the chosen ones nearest to the class mean. There is no loss "
    "in it.",
    "这是 herding，即 iCaRL（Rebuffi 等 2017）挑选样例的方法：每一步加入使已选样例的均值最接近类"
    "均值的样本。其中没有损失函数。",
)
_ALIGNING = Text(
    "This is weight alignment (WA, Zhao et al. 2020): the rows of the classifier are rescaled by a "
    "ratio of mean norms. There is no loss in it.",
    "这是权重对齐（WA，Zhao 等 2020）：按平均范数之比缩放分类头的各行。其中没有损失函数。",
)


def procedure_in(tree: ast.Module) -> Text | None:
    """What the code does, where it is a procedure that is known."""
    if is_herding(tree):
        return _HERDING
    return _ALIGNING if _aligns(tree) else None


def is_herding(tree: ast.Module) -> bool:
    """Whether a loop chooses samples by herding."""
    return any(_chooses(n) for n in nodes_of(tree) if isinstance(n, ast.For | ast.While))


def _chooses(loop: ast.For | ast.While) -> bool:
    """``i = (mu - (s + x) / k).norm(dim=1).argmin(); s = s + x[i]``: greedy, with a running sum."""
    inside = [n for s in loop.body for n in ast.walk(s)]
    if not any(isinstance(n, ast.Call) and last_name(n.func) == "argmin" for n in inside):
        return False
    grown = set(_sums(inside))
    return any(
        isinstance(n, ast.BinOp)
        and isinstance(n.op, ast.Div)
        and isinstance(n.left, ast.BinOp)
        and isinstance(n.left.op, ast.Add)
        and {ast.unparse(n.left.left), ast.unparse(n.left.right)} & grown
        for n in inside
    )


def _sums(nodes: list[ast.AST]) -> Iterator[str]:
    """The names to which an item is added: ``s += x[i]``, ``s = s + x[i]``."""
    for node in nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            if isinstance(node.value, ast.Subscript):
                yield ast.unparse(node.target)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            name, value = ast.unparse(node.targets[0]), node.value
            if isinstance(value.op, ast.Add) and name == ast.unparse(value.left):
                yield name


def _aligns(tree: ast.Module) -> bool:
    """``w[n:] *= gamma`` beside norms of rows."""
    text = ast.unparse(tree)
    scaled = re.search(
        r"weight(\.data)?\[\w[\w.]*:\] (\*= |= [^\n]*weight(\.data)?\[\w[\w.]*:\] \* )", text
    )
    return bool(scaled and "norm(" in text and re.search(r"norm\w* / \w*norm", text))
