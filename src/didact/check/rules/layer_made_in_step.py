"""A layer with weights is made anew in every step: it stays random.

## What it does

Finds `nn.Linear`, `nn.Conv2d` and other layers with weights that are made where a loss is computed:
in `forward` or the function of a loss, or in the loop that trains.

## Why is this bad

The layer is drawn at random, used once and forgotten. It is in no optimiser, which was made
before; the student is pulled towards a projection that is another one in every step, or, where the
layer is kept after the first step, one that is never trained.

## Measured effect

The features are matched to noise: the term falls no lower than the variance of a random projection.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


class FeatureLoss(nn.Module):
    def forward(self, student_features, teacher_features):
        adapter = nn.Linear(student_features.size(1), teacher_features.size(1))
        return F.mse_loss(adapter(student_features), teacher_features.detach())
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


class FeatureLoss(nn.Module):
    def __init__(self, student_dim, teacher_dim):
        super().__init__()
        self.adapter = nn.Linear(student_dim, teacher_dim)

    def forward(self, student_features, teacher_features):
        return F.mse_loss(self.adapter(student_features), teacher_features.detach())
```

## Fix safety

No automatic fix: the layer has to be made once, and given to the optimiser.

## Known false alarms

Silent where the weights are set by hand (a fixed filter), or the layer is given to an optimiser in
the same function.

## References

Romero et al. 2015 (FitNets), section 2.2: the regressor is trained with the student.

---

带权重的层在每一步里重新创建：它始终是随机的。

## 它检查什么

检查在计算损失的地方创建的带权重的层（`nn.Linear`、`nn.Conv2d` 等）：在 `forward` 或损失函数里，
或在训练循环里。

## 为什么

这个层随机初始化，用一次就丢弃。优化器在此之前就已建好，里面没有它；学生被拉向每一步都不同的投影，或者
（第一步之后保留该层时）被拉向从不训练的投影。

## 实测影响

特征去匹配噪声：这一项最低只能降到随机投影的方差。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：这个层应只创建一次，并交给优化器。

## 已知误报

手工设置权重（固定滤波器），或在同一函数里把该层交给优化器时不报告。

## 参考

Romero 等 2015（FitNets）第 2.2 节：回归层与学生一起训练。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, word_set, words
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, is_without_grad, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD517"
NAME = "layer-made-in-step"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = ("FRESH-ADAPTER",)
_WEIGHTED = word_set(
    "Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d"
)
_SET = ("weight", "bias", "load_state_dict", "requires_grad_", "parameters")
_STEPS = word_set("forward loss step distill distillation distil kd compute criterion")
_BEFORE = word_set("init build make create setup configure get prepare define construct model test")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def check(analysis: Analysis) -> Iterator[Found]:
    """Find layers that are made where a loss is computed."""
    losses = list(uses(analysis, *SOFT, "mse", "l1", "cosine", "cross_entropy", "other"))
    with_loss = {id(use.scope.node) for use in losses}
    with_loss |= {id(_function(analysis, call)) for use in losses for call in use.scope.calls}
    for call in analysis.index.of(ast.Call):
        path = callee(analysis, call)
        if path.rpartition(".")[2] not in _WEIGHTED or not path.startswith("torch.nn."):
            continue
        function = _function(analysis, call)
        if function is None or id(function) not in with_loss:
            continue
        if _is_of_a_step(analysis, function, call) and not _is_cared_for(analysis, function, call):
            yield Found(call, _MESSAGE.format(layer=path.removeprefix("torch.")))


def _function(analysis: Analysis, node: ast.AST) -> _Function | None:
    around = analysis.parent_of(node)
    while around is not None and not isinstance(around, _Function):
        if isinstance(around, ast.ClassDef | ast.Lambda):
            return None
        around = analysis.parent_of(around)
    return around


def _is_of_a_step(analysis: Analysis, function: _Function, call: ast.Call) -> bool:
    """Whether the place is run for every batch."""
    methods = [
        n.func.attr
        for n in nodes_of(function)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
    ]
    if "step" in methods or "backward" in methods:
        loop = _loop(analysis, call)
        return loop is not None and any(
            isinstance(n, ast.Call)
            and isinstance(n.func, ast.Attribute)
            and n.func.attr == "backward"
            for n in nodes_of(loop)
        )
    named = set(words(function.name))
    return bool(named & _STEPS) and not named & _BEFORE - {"model"}


def _loop(analysis: Analysis, node: ast.AST) -> ast.AST | None:
    """The innermost loop around a node, inside its function."""
    around = analysis.parent_of(node)
    while around is not None and not isinstance(around, _Function):
        if isinstance(around, ast.For | ast.While):
            return around
        around = analysis.parent_of(around)
    return None


def _is_cared_for(analysis: Analysis, function: _Function, call: ast.Call) -> bool:
    """Whether its weights are set, or handed to an optimiser, or it is used without a graph."""
    statement = analysis.statement_of(call)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    names = {dotted(target) for target in targets} - {""}
    for node in nodes_of(function):
        if not isinstance(node, ast.Attribute):
            continue
        if node.attr == "add_param_group" or (dotted(node.value) in names and node.attr in _SET):
            return True
    return is_without_grad(analysis, call)


_MESSAGE = Text(
    "{layer} is made here in every step: its weights are random and in no optimiser, and the loss "
    "pulls the student to a projection that nothing trains. Make it once, in __init__, and train "
    "it",
    "{layer} 在这里每一步都重新创建：权重是随机的，也不在任何优化器里，损失把学生拉向无人训练的"
    "投影。应在 __init__ 里只创建一次，并参与训练",
)
