"""A loop over several losses replaces the sum each time: only the last one counts.

## What it does

Finds a name that is set to 0 before a loop, is given a new loss in each round without being read,
and is used after the loop.

## Why is this bad

`total = loss` in place of `total += loss` throws away all but the last layer's or the last
teacher's loss. It runs, the number looks plausible, and the others teach nothing.

## Measured effect

Three layers with losses 1, 2 and 3: the result is 3, and the gradient of the first two is 0.

## Example

```python
import torch.nn.functional as F


def feature_loss(student_features, teacher_features):
    total = 0.0
    for student, teacher in zip(student_features, teacher_features):
        total = F.mse_loss(student, teacher.detach())
    return total
```

## Use instead

```python
import torch.nn.functional as F


def feature_loss(student_features, teacher_features):
    total = 0.0
    for student, teacher in zip(student_features, teacher_features):
        total = total + F.mse_loss(student, teacher.detach())
    return total
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

A zero that only serves as a value for an empty loop, where the last loss is meant.

## References

Python documentation, augmented assignment statements.

---

循环每次都用新的损失覆盖总和：只有最后一项起作用。

## 它检查什么

检查这样的名字：循环前设为 0，循环中每次被赋予新的损失而未被读取，循环之后才使用。

## 为什么

本应写 `total += loss` 却写成 `total = loss`，除最后一层（或最后一个教师）之外的损失都被丢掉。代码能
运行，数值看上去也合理，但其余各项不起任何作用。

## 实测影响

三层的损失分别为 1、2、3：结果是 3，前两层的梯度为 0。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

初始的 0 只是循环为空时的取值，本意就是取最后一次的损失。

## 参考

Python 文档，增强赋值语句。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD312"
NAME = "sum-overwritten-in-loop"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("SUM-OVERWRITTEN",)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
_LEAVES = (ast.Break, ast.Return, ast.Yield)
_NAMES = {"loss", "losses", "total", "kd", "kl", "distill", "dist", "sum"}
_COUNTED = {"epoch", "epochs", "step", "steps", "iteration", "iterations", "iters", "batch"}


def check(analysis: Analysis) -> Iterator[Found]:
    """Look at every loop that gives a new loss to a name which began at 0."""
    for loop in analysis.index.of(ast.For):
        if any(isinstance(part, _LEAVES) for part in nodes_of(loop)) or _is_of_steps(loop):
            continue
        for statement in loop.body:
            name = _replaced(statement)
            if name and _is_loss(analysis, name, statement) and _is_sum(analysis, loop, name):
                yield Found(statement, _MESSAGE.format(name=name))


def _replaced(statement: ast.stmt) -> str:
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return ""
    target = statement.targets[0]
    name = target.id if isinstance(target, ast.Name) else ""
    computes = any(isinstance(part, ast.Call) for part in nodes_of(statement.value))
    return name if name and computes and not _reads(statement.value, name) else ""


def _is_of_steps(loop: ast.For) -> bool:
    """Whether a loop is over epochs or batches: there each round is a step of its own."""
    names = {w for part in nodes_of(loop.target) if isinstance(part, ast.Name)
             for w in words(part.id)}  # fmt: skip
    over = {w for part in nodes_of(loop.iter) if isinstance(part, ast.Name | ast.Attribute)
            for w in words(dotted(part) or "")}  # fmt: skip
    loader = any("loader" in w or w in ("dl", "dataset", "data") for w in over)
    steps = {getattr(part, "attr", "") for part in nodes_of(loop)} & {"backward", "step"}
    return bool(names & _COUNTED) or loader or bool(steps)


def _is_loss(analysis: Analysis, name: str, statement: ast.stmt) -> bool:
    value = analysis.value_of(statement.value)  # type: ignore[attr-defined]
    named = bool(set(words(name)) & _NAMES)
    return named and (value is None or value.space in (Space.LOSS, Space.UNKNOWN))


def _is_sum(analysis: Analysis, loop: ast.For, name: str) -> bool:
    """Whether a name is 0 before the loop, not read in it, and read after it."""
    if any(_reads(part, name) for part in loop.body) or _count_stores(loop, name) != 1:
        return False
    scope = analysis.parent_of(loop)
    while scope is not None and not isinstance(scope, _SCOPES):
        scope = analysis.parent_of(scope)
    parent = analysis.parent_of(loop)
    body = getattr(parent, "body", None)
    if scope is None or not isinstance(body, list) or loop not in body:
        return False
    at = body.index(loop)
    before = [s for s in body[:at] if isinstance(s, ast.Assign) and _sets(s, name)]
    after = body[at + 1 :]
    return bool(before) and _is_zero(before[-1].value) and any(_reads(s, name) for s in after)


def _sets(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(t, ast.Name) and t.id == name for t in statement.targets)


def _is_zero(value: ast.expr) -> bool:
    """``0``, ``0.0``, ``torch.zeros(...)``, ``torch.tensor(0.)``."""
    if isinstance(value, ast.Constant):
        return type(value.value) in (int, float) and value.value == 0
    if not isinstance(value, ast.Call):
        return False
    if isinstance(value.func, ast.Attribute) and value.func.attr in ("to", "cuda"):
        return _is_zero(value.func.value)
    last = dotted(value.func).rpartition(".")[2]
    first = value.args[0] if value.args else None
    return last in ("zeros", "new_zeros") or (
        last in ("tensor", "as_tensor") and first is not None and _is_zero(first)
    )


def _reads(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)
        for part in nodes_of(node)
    )


def _count_stores(node: ast.AST, name: str) -> int:
    return sum(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
        for part in nodes_of(node)
    )


_MESSAGE = Text(
    "{name} begins at 0 and is replaced in every round of the loop: only the last loss is left. "
    "Add instead: {name} = {name} + ..., or +=",
    "{name} 从 0 开始，却在循环里每次都被覆盖：只剩下最后一项损失。应累加：{name} = {name} + …，"
    "或者用 +=",
)
