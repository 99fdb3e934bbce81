"""Σ p log q is minimised without its minus.

## What it does

Finds a soft cross-entropy written by hand that reaches `backward()`, or a sum with another
loss, with a positive sign.

## Why is this bad

Cross-entropy is −Σ p log q. Without the minus the student is pushed away from the teacher.

## Measured effect

Cosine −1 with the right gradient; the toy student ends at 4.8 % of 20 classes: chance.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels):
    log_probs = F.log_softmax(student_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    soft = (target * log_probs).sum(dim=1).mean()
    return soft + F.cross_entropy(student_logits, labels)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels):
    log_probs = F.log_softmax(student_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    soft = -(target * log_probs).sum(dim=1).mean()
    return soft + F.cross_entropy(student_logits, labels)
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Entropy of one and the same distribution, whose sign depends on the purpose, is not reported.

## References

Hinton et al. 2015.

---

直接最小化 Σ p log q，少了负号。

## 它检查什么

检查以正号进入 `backward()`、或与其他损失相加的手写软交叉熵。

## 为什么

交叉熵是 −Σ p log q。少了负号，学生会被推离教师。

## 实测影响

与正确梯度的余弦为 −1；小实验 20 类精度 4.8 %，等于随机猜。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

同一个分布的熵，符号取决于用途，不报告。

## 参考

Hinton 等 2015。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Total
from didact.check.engine.spaces import Role, Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, totals_with, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD308"
NAME = "cross-entropy-sign"
SEVERITY = Severity.ERROR
TOPIC = "reduction"
CATALOGUE = ("SIGN-MISSING",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find soft cross-entropies whose sign is positive where they are minimised."""
    for use in uses(analysis, "soft_cross_entropy"):
        distribution = use.target.space in (Space.PROBS, Space.ONE_HOT)
        if not distribution or _is_entropy(analysis, use):
            continue
        for total, term in totals_with(analysis, use):
            minimised = total.how == "backward" or _beside_other(total)
            if (
                minimised
                and term.scale.const > 0
                and term.reductions
                and not _flipped(analysis, use)
            ):
                yield Found(use.node, _MESSAGE.format(both=arguments(use)))
                break


def _flipped(analysis: Analysis, use: LossUse) -> bool:
    return any(term.scale.const < 0 for term in analysis.terms_of(use))


def _beside_other(total: Total) -> bool:
    return total.how == "return" and any(
        t.use.is_hard and t.scale.const > 0 for t in total.value.terms
    )


def _is_entropy(analysis: Analysis, use: LossUse) -> bool:
    if use.target.role is Role.TEACHER and use.input.role is not Role.TEACHER:
        return False
    nodes = [
        ast.unparse(s.argument_node)
        for s in analysis.softmaxes
        if s.argument_node is not None and s.node in (use.input.origin, use.target.origin)
    ]
    return len(nodes) != 2 or nodes[0] == nodes[1]


_MESSAGE = Text(
    "sum p log q enters the loss with a plus; cross-entropy is -sum p log q. As written the "
    "student is pushed away from the target {both}",
    "Σ p log q 以正号进入损失；交叉熵是 −Σ p log q。这样写学生会被推离目标 {both}",
)
