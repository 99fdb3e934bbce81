"""Both sides of the distillation loss are the same tensor.

## What it does

Finds KL or soft cross-entropy whose two arguments are made from one and the same output.

## Why is this bad

D(p‖p) = 0: the loss and its gradient vanish, and the student learns from the labels alone.

## Measured effect

Loss 0, gradient 0; the toy student at 52.7 %.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(teacher_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Entropy written as p log p is not reported.

## References

Hinton et al. 2015.

---

蒸馏损失的两侧是同一个张量。

## 它检查什么

检查两个参数由同一个输出得到的 KL。

## 为什么

D(p‖p) = 0：损失与梯度都为零，学生只从标签学习。

## 实测影响

损失 0，梯度 0；小实验精度 52.7 %。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

写成 p log p 的熵不报告。

## 参考

Hinton 等 2015。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Softmax
from didact.check.engine.names import source
from didact.check.findings.finding import Severity
from didact.check.rules._common import uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD509"
NAME = "student-unused"
SEVERITY = Severity.ERROR
TOPIC = "teacher"
CATALOGUE = ("STUDENT-UNUSED",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find losses between a tensor and itself."""
    by_node = {id(softmax.node): softmax for softmax in analysis.softmaxes}
    for use in uses(analysis, "kl_div", "kl_by_hand"):
        first, second = by_node.get(id(use.input.origin)), by_node.get(id(use.target.origin))
        if first is None or second is None or first.node is second.node:
            continue
        one, other = first.argument_node, second.argument_node
        if one is None or other is None or ast.unparse(one) != ast.unparse(other):
            continue
        if (
            first.argument == second.argument
            and first.scope.node is second.scope.node
            and not _between(first, second, one)
        ):
            yield Found(use.node, _MESSAGE.format(name=source(one)))
    yield from _same_tensor(analysis)


def _same_tensor(analysis: Analysis) -> Iterator[Found]:
    """A distance between a variable and itself."""
    for use in uses(analysis, "mse", "l1", "kl_div", "bce"):
        one, other = use.input_node, use.target_node
        if (
            isinstance(one, ast.Name | ast.Attribute)
            and other is not None
            and ast.unparse(one) == ast.unparse(other)
            and not use.input.terms
        ):
            yield Found(use.node, _MESSAGE.format(name=source(one)))


def _between(first: Softmax, second: Softmax, node: ast.expr) -> bool:
    """The variable is assigned anew between the two."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    low, high = sorted((first.node.lineno, second.node.lineno))
    return any(
        isinstance(n, ast.Name)
        and n.id in names
        and isinstance(n.ctx, ast.Store)
        and low <= n.lineno <= high
        for n in ast.walk(first.scope.node)
    )


_MESSAGE = Text(
    "both sides of the loss are made from '{name}': it is 0, and so is its gradient; the other "
    "model's output was probably meant",
    "损失两侧都由 '{name}' 得到：损失为 0，梯度也为 0；多半其中一侧本应是另一个模型的输出",
)
