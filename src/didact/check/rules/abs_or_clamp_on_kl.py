"""`abs` or `clamp` on a KL divergence hides a mistake.

## What it does

Finds abs, relu or clamp applied to the value of a KL loss.

## Why is this bad

KL ≥ 0 always holds for two distributions. A negative total means that an argument is in the
wrong space; `abs` then turns the gradient round. On the terms of the sum, which may be
negative, a clamp changes the loss: the sum of the positive parts is no divergence.

## Measured effect

−7.87 becomes 7.87, with the gradient reversed; clamping the terms turns 0.72 into 0.91.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(log_probs, target, reduction="none").clamp(min=0).sum(1).mean()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(log_probs, target, reduction="none").sum(1).mean()
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

A clamp at a positive upper bound (to cut outliers) is not reported.

## References

discuss.pytorch.org/t/93102.

---

对 KL 散度取 `abs` 或 `clamp` 会掩盖错误。

## 它检查什么

检查对 KL 损失的值使用 abs、relu 或 clamp 的写法。

## 为什么

对两个分布，KL ≥ 0 恒成立。总和为负说明某个参数的空间不对；这时 `abs` 会把梯度反过来。逐项的
值本来就可以为负，对它们 clamp 会改变损失：只加正的部分不再是散度。

## 实测影响

−7.87 变成 7.87，梯度方向相反；逐项 clamp 使 0.72 变为 0.91。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

只设上界的 clamp（截断离群值）不报告。

## 参考

discuss.pytorch.org/t/93102。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD120"
NAME = "abs-or-clamp-on-kl"
SEVERITY = Severity.WARNING
TOPIC = "space"
CATALOGUE = (
    "ABS-HIDES-NEGATIVE",
    "CLAMP-HIDES-NEGATIVE",
)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a KL value that is forced to be positive."""
    for operation in (*analysis.operations_of("abs"), *analysis.operations_of("clamp")):
        kinds = {term.use.kind for term in operation.base.terms if not term.cut}
        if (
            kinds & {"kl_div", "kl_by_hand"}
            and isinstance(operation.node, ast.Call)
            and not _is_upper_bound(operation.node)
            and not _is_only_compared(analysis, operation.node)
        ):
            yield Found(operation.node, _MESSAGE)


def _is_only_compared(analysis: Analysis, node: ast.Call) -> bool:
    """A test of the value, or a divisor that is kept from zero."""
    parent = analysis.parent_of(node)
    divisor = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div)
    return isinstance(parent, ast.Compare) or (divisor and parent.right is node)  # type: ignore[union-attr]


def _is_upper_bound(node: ast.Call) -> bool:
    return bool(node.keywords) and all(keyword.arg == "max" for keyword in node.keywords)


_MESSAGE = Text(
    "a KL divergence is never negative; where this one is, an argument is in the wrong space, "
    "and abs or clamp hides it (abs also reverses the gradient). Single terms may be negative "
    "and must stay so",
    "KL 散度不会为负；若出现负值，说明某个参数的空间不对，abs 或 clamp 只是把它掩盖（abs 还会使梯"
    "度反向）。逐项的值可以为负，应予保留",
)
