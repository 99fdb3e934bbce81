"""A layer that the loss goes through is in no optimiser: it keeps its random weights.

## What it does

Finds a layer with weights that is made beside an optimiser, maps features or logits on their way
to the loss, and whose parameters are given to no optimiser.

## Why is this bad

A regressor or projector that maps the student's features to the teacher's size (FitNets) must be
trained with the student. Left out, it stays a random projection, and the student must bend its
features to it.

## Measured effect

A hint that a linear student of 8 dimensions can reach exactly, a regressor from 8 to 32 dimensions,
500 steps of Adam: the loss ends at 0.71 of its first value without the regressor in the optimiser,
and at 0 with it.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def fit(student, teacher, loader):
    regressor = nn.Conv2d(64, 256, kernel_size=1)
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-3)
    for images, _ in loader:
        with torch.no_grad():
            hint = teacher.extract(images)
        loss = F.mse_loss(regressor(student.extract(images)), hint)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def fit(student, teacher, loader):
    regressor = nn.Conv2d(64, 256, kernel_size=1)
    optimizer = torch.optim.Adam([*student.parameters(), *regressor.parameters()], lr=1e-3)
    for images, _ in loader:
        with torch.no_grad():
            hint = teacher.extract(images)
        loss = F.mse_loss(regressor(student.extract(images)), hint)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the training.

## Known false alarms

A random projection on purpose. Silent where the layer is frozen, is handed to anything, or becomes
part of another module.

## References

Romero et al. 2015 (FitNets).

---

损失经过的某一层不在任何优化器里：它一直是随机权重。

## 它检查什么

检查这样的带权重的层：与优化器在同一处创建，特征或 logits 要经过它才进入损失，而它的参数没有交给任何
优化器。

## 为什么

把学生特征映射到教师尺寸的回归层或投影层（FitNets）必须和学生一起训练。漏掉它，它就一直是随机投影，
学生只能让自己的特征去迁就它。

## 实测影响

8 维的线性学生可以完全拟合的 hint，8 维到 32 维的回归层，Adam 训练 500 步：回归层不在优化器里时，
损失停在初值的 0.71；在优化器里时降到 0。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练。

## 已知误报

有意使用随机投影。该层已冻结、被传给别处、或成为另一模块的一部分时不报告。

## 参考

Romero 等 2015（FitNets）。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, word_set
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD515"
NAME = "module-not-optimized"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = ("NOT-IN-OPTIMIZER",)
_WEIGHTED = word_set(
    "Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d"
)
_LISTS = ("parameters", "named_parameters")
_KEPT = ("to", "cuda", "cpu", "half", "float", "train", "eval", "double", "apply")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find layers that are called on the way to a loss and trained by no optimiser."""
    optimizers = _optimizers(analysis)
    if not optimizers or not _steps(analysis):
        return
    for statement in analysis.index.of(ast.Assign):
        target = statement.targets[0]
        if not isinstance(target, ast.Name) or not _has_weights(statement.value):
            continue
        scope = _scope_of(analysis, statement)
        beside = [call for call in optimizers if _scope_of(analysis, call) is scope]
        if beside and len(beside) == len(optimizers) and _is_left_alone(analysis, scope, target.id):
            yield Found(statement, _MESSAGE.format(name=target.id))


def _optimizers(analysis: Analysis) -> list[ast.Call]:
    """The calls that make optimisers, where all that they are given is said; else none."""
    made = [
        call
        for call in analysis.index.of(ast.Call)
        if any(k.arg == "lr" for k in call.keywords) or "optim." in dotted(call.func)
        if "lr_scheduler" not in dotted(call.func)
    ]
    return made if all(_is_plain(call) for call in made) else []


def _is_plain(call: ast.Call) -> bool:
    """Whether an optimiser is given nothing but ``model.parameters()``, of one or several."""
    first = call.args[0] if call.args else None
    first = first or next((k.value for k in call.keywords if k.arg == "params"), None)
    if first is None:
        return False
    named = {
        id(part.value)
        for part in nodes_of(first)
        if isinstance(part, ast.Attribute) and part.attr in _LISTS
    }
    plain = ("list", "chain", "itertools", "filter", "p", "x")
    for part in nodes_of(first):
        if isinstance(part, ast.Lambda | ast.comprehension):
            return False
        if isinstance(part, ast.Name) and id(part) not in named and part.id not in plain:
            return False
    return bool(named)


def _steps(analysis: Analysis) -> bool:
    names = {n.func.attr for n in analysis.index.of(ast.Call) if isinstance(n.func, ast.Attribute)}
    return {"backward", "step"} <= names and "add_param_group" not in names


def _has_weights(value: ast.expr) -> bool:
    """Whether a layer with weights is made, alone or in a Sequential, perhaps moved."""
    while (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in _KEPT
        and isinstance(value.func.value, ast.Call)
    ):
        if value.func.attr == "eval":
            return False
        value = value.func.value
    if not isinstance(value, ast.Call):
        return False
    last = dotted(value.func).rpartition(".")[2]
    if last == "Sequential":
        return any(_has_weights(argument) for argument in value.args)
    return last in _WEIGHTED


def _scope_of(analysis: Analysis, node: ast.AST) -> ast.AST | None:
    around = analysis.parent_of(node)
    while around is not None and not isinstance(around, _SCOPES):
        if isinstance(around, ast.ClassDef):
            return None
        around = analysis.parent_of(around)
    return around


def _is_left_alone(analysis: Analysis, scope: ast.AST | None, name: str) -> bool:
    """Whether a layer is called with a graph, and is neither frozen, handed on nor trained."""
    called = False
    places = [n for n in analysis.index.of(ast.Name) if n.id == name]
    if scope is None or sum(isinstance(n.ctx, ast.Store) for n in places) > 2:
        return False
    for node in places:
        if isinstance(node.ctx, ast.Store):
            continue
        parent = analysis.parent_of(node)
        if isinstance(parent, ast.Call) and parent.func is node:
            called |= not _is_without_graph(analysis, parent)
            continue
        method = parent.attr if isinstance(parent, ast.Attribute) else ""
        if method not in _KEPT or method == "eval":
            return False
    return called


def _is_without_graph(analysis: Analysis, node: ast.AST) -> bool:
    around: ast.AST | None = node
    while around is not None:
        if isinstance(around, ast.With) and any(
            "no_grad" in ast.unparse(item) or "inference_mode" in ast.unparse(item)
            for item in around.items
        ):
            return True
        around = analysis.parent_of(around)
    return False


_MESSAGE = Text(
    "{name} has weights, the loss goes through it, and its parameters are in no optimiser: it "
    "stays a random projection. Give the optimiser {name}.parameters() as well",
    "{name} 带有权重，损失要经过它，但它的参数不在任何优化器里：它一直是随机投影。应把 "
    "{name}.parameters() 也交给优化器",
)
