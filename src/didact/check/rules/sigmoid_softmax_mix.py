"""One side is a softmax, the other a sigmoid.

## What it does

Finds losses between a softmax and a sigmoid of two models.

## Why is this bad

A softmax sums to one over the classes; sigmoids sum to whatever they like. A target of the
wrong mass pulls every class up.

## Measured effect

Over 100 classes the sigmoids sum to 49. Gradient 3.1 times too large, cosine 0.14; toy student
61.3 % (right: 72.3 %).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    target = torch.sigmoid(teacher_logits)
    return F.kl_div(F.log_softmax(student_logits, dim=1), target, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(F.log_softmax(student_logits, dim=1), target, reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Binary losses with a softmax target on purpose (big-transfer recipes) are not reported.

## References

Hinton et al. 2015.

---

一侧用 softmax，另一侧用 sigmoid。

## 它检查什么

检查一侧为 softmax、另一侧为 sigmoid 的损失。

## 为什么

softmax 在各类上的和为 1，而 sigmoid 之和可以是任意值。目标的总质量不对，会把所有类别一起往
上拉。

## 实测影响

100 类时 sigmoid 之和为 49。梯度大 3.1 倍，余弦 0.14；小实验精度 61.3 %（正确写法 72.3 %）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

有意以 softmax 为目标的二元损失不报告。

## 参考

Hinton 等 2015。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import NORMALISED, Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD115"
NAME = "sigmoid-softmax-mix"
SEVERITY = Severity.WARNING
TOPIC = "space"
CATALOGUE = ("SIG/SOFTMAX-MIX",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a categorical against an element-wise distribution."""
    for use in uses(analysis, "kl_div", "soft_cross_entropy", "kl_by_hand", "mse", "cross_entropy"):
        spaces = {use.input.space, use.target.space}
        categorical = spaces & NORMALISED or use.kind == "cross_entropy"
        if categorical and use.target.space is Space.SIGMOID_PROBS:
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))


_MESSAGE = Text(
    "the target comes from a sigmoid, the other side from a softmax: the target does not sum to "
    "one (to about C/2 at the start) {both}",
    "目标来自 sigmoid，另一侧来自 softmax：目标之和不是 1（初始时约为 C/2）{both}",
)
