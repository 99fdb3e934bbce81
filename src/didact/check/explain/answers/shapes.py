"""The shape of a tensor of the code, as its numbers have it."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.draws import Draw, bind
from didact.check.explain.formula.kinds import Kind, kinds_of
from didact.check.explain.formula.nodes import text_of
from didact.check.explain.formula.tree import Evaluator, Node

PLACE = 45
ASKS = either(
    r"shape|scalar|how many dim|what size|dimensions? of", r"形状|标量|几维|维度是|多大|尺寸"
)
_LETTERS = {
    2: {4: "B", 5: "C"},
    3: {4: "B", 3: "S", 5: "C", 12: "B·S"},
    4: {4: "B", 5: "C", 2: "H", 3: "W", 6: "H·W", 24: "B·H·W", 20: "B·C"},
}
"""What the sizes of a draw stand for."""
_ALIKE = {Kind.OLD_CLASSES, Kind.OLD_OUTPUT, Kind.COUNT, Kind.LIST, Kind.FEW_LABELS}
"""Whose sizes in a draw are those of another dimension."""
_INPUTS = {2: "[B, C]", 3: "[B, S, C]", 4: "[B, C, H, W]"}
_TEXT = Text(
    "For inputs {inputs} `{name}` (line {line}) is {shape}.",
    "输入为 {inputs} 时，`{name}`（第 {line} 行）是{shape}。",
)
_SCALAR = Text("a scalar, one number", "标量，即一个数")


def answer(question: str, code: Code) -> Text | None:
    """The sizes of the names that are asked of, on the tensors that the formula holds for."""
    ranks = {b.rank for loss in code.judged.losses for b in loss.branches}
    if len(ranks) != 1 or code.verdict.outcome != "equal":
        return None
    (rank,) = ranks
    for name in code.mentioned(question):
        setting = [n for n in code.nodes if isinstance(n, ast.Assign | ast.AugAssign)
                   and name in ast.unparse(n).split("=")[0]]  # fmt: skip
        for node in setting:
            if len(setting) > 1 or not isinstance(node, ast.Assign):
                break
            if text_of(node.targets[0]) != name:
                break
            traced = code.traced(node.value)
            shape = _shape(code, traced, rank) if traced is not None else None
            if shape is not None:
                return _TEXT.format(inputs=_INPUTS[rank], name=name, line=node.lineno, shape=shape)
    return None


def _shape(code: Code, traced: Node, rank: int) -> Text | None:
    nodes = [v for v in code.judged.tracer.values.values() if isinstance(v, Node)]
    kinds = {**kinds_of(nodes), **code.judged.kinds}
    if _ALIKE & set(kinds.values()):
        return None
    try:
        value = Evaluator(bind(kinds.items(), Draw(rank=rank)))(traced)
    except EvaluationError:
        return None
    if isinstance(value, int | float):
        return _SCALAR
    if not isinstance(value, Array):
        return None
    if not value.shape:
        return _SCALAR
    letters = [_LETTERS[rank].get(size, "") for size in value.shape]
    if not all(letters):
        return None
    shape = f"[{', '.join(letters)}]"
    return Text(shape, f" {shape}")
