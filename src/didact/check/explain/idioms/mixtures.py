"""Mixup: samples that are mixed with others of the batch, and what is drawn for it."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.engine.names import dotted
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of
from didact.check.explain.mistakes.unmixed_target import mixture

_MIXED = Text(
    "Mixup: `{mixed}` is each sample of `{plain}` mixed with the one that `{order}` puts in its "
    "place, {weights}.",
    "mixup：`{mixed}` 把 `{plain}` 的每个样本与按 `{order}` 换过来的另一个样本以 {weights} 混合。",
)
_BETA = Text(
    "a random number between 0 and 1, drawn from the Beta({a}, {b}) distribution",
    "从 Beta({a}, {b}) 分布抽取的 0 到 1 之间的随机数",
)
_ORDER = Text("a random order of the numbers from 0 to {n} − 1", "0 到 {n} − 1 的随机排列")


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """What is drawn."""
    del scene
    if not isinstance(node, ast.Call) or node.keywords:
        return None
    name = dotted(node.func)
    if (
        name in {"np.random.beta", "numpy.random.beta", "random.betavariate"}
        and len(node.args) == 2
    ):
        a, b = map(ast.unparse, node.args)
        return _BETA.format(a=a, b=b)
    if name in {"torch.randperm", "paddle.randperm"} and len(node.args) == 1:
        return _ORDER.format(n=code_of(node.args[0]))
    return None


def sentence(scene: Scene, statement: ast.stmt) -> Text | None:
    """The mixture itself."""
    del scene
    made = mixture(statement)
    if made is None or not isinstance(statement, ast.Assign):
        return None
    total = statement.value
    assert isinstance(total, ast.BinOp)
    first = ast.unparse(total.left).split(" * ")[0]
    second = ast.unparse(total.right).split(" * ")[0].strip("()")
    weights = Text(f"`{first}` : `{second}`", f"`{first}` : `{second}`")
    return _MIXED.format(mixed=made.mixed, plain=made.plain, order=made.order, weights=weights)
