"""The target of `kl_div` is log-probabilities, and `log_target` is not set.

## What it does

Finds `kl_div` whose second argument comes from log_softmax (or a log) while `log_target` is
False.

## Why is this bad

The gradient to the student is minus the target. With log-probabilities as the target the
weights are −log p, largest for the class the teacher thinks least likely: the student is taught
the opposite of the teacher. The loss itself is NaN, because the logarithm of a negative number
is taken, but its gradient is finite, so training goes on.

## Measured effect

The gradient is 1032 times too large with a cosine of 0.06 to the right one. The toy student
ends at 5.2 % with 20 classes: chance.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_log_probs = F.log_softmax(student_logits, dim=1)
    teacher_log_probs = F.log_softmax(teacher_logits, dim=1)
    return F.kl_div(student_log_probs, teacher_log_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_log_probs = F.log_softmax(student_logits, dim=1)
    teacher_log_probs = F.log_softmax(teacher_logits, dim=1)
    return F.kl_div(
        student_log_probs, teacher_log_probs, reduction="batchmean", log_target=True
    )
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

`log_target` given by a variable is not reported.

## References

PyTorch, `torch.nn.KLDivLoss`, argument `log_target`.

---

`kl_div` 的 target 是对数概率，却没有设置 `log_target`。

## 它检查什么

检查第二个参数来自 log_softmax（或取过对数）而 `log_target` 为 False 的 `kl_div`。

## 为什么

传给学生的梯度等于负的 target。若 target 是对数概率，各类的权重就成了 −log p，教师认为最不可
能的类权重反而最大，学生学到的与教师相反。损失本身因对负数取对数而是 NaN，但梯度是有限值，训
练会照常进行下去。

## 实测影响

梯度大了 1032 倍，与正确梯度的余弦为 0.06。小实验 20 类的学生精度为 5.2 %，等于随机猜。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

`log_target` 由变量给出时不报告。

## 参考

PyTorch 文档 `torch.nn.KLDivLoss` 的 `log_target` 参数。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.machine import LogRatio
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD104"
NAME = "kl-div-target-log"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("KL-TARGET-LOG",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find log-probabilities in the place of probabilities."""
    for use in uses(analysis, "kl_div"):
        wrong = use.target.space is Space.LOG_PROBS and use.log_target is False
        if wrong and use.input.space not in (Space.PROBS, Space.SIGMOID_PROBS):
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))
        elif use.log_target is False and _is_logarithm(analysis, use):
            yield Found(use.node, _LOGARITHM, severity=Severity.WARNING)


def _is_logarithm(analysis: Analysis, use: LossUse) -> bool:
    """Whether the target is the logarithm of something of which nothing else is known."""
    if use.target.space is not Space.UNKNOWN or use.input.space is not Space.LOG_PROBS:
        return False
    logs = {id(log.node) for log in analysis.logs if not isinstance(log.argument.payload, LogRatio)}
    return any(id(step.node) in logs for step in path(analysis, use.target_node, use.scope))


_LOGARITHM = Text(
    "the target of kl_div is a logarithm, and log_target is not set: the formula takes its "
    "logarithm once more, which is NaN. Pass probabilities, or set log_target=True",
    "kl_div 的 target 是一个对数，却没有设置 log_target：公式会再取一次对数，得到 NaN。应传入概率，"
    "或设 log_target=True",
)
_MESSAGE = Text(
    "the target of kl_div is log-probabilities, but log_target is not set: the loss is NaN, and "
    "the gradient weighs each class by -log p, most for the least likely one. Use softmax for "
    "the target, or log_target=True {both}",
    "kl_div 的 target 是对数概率，但没有设置 log_target：损失为 NaN，梯度按 −log p 加权，最不可能"
    "的类权重最大。应对 target 用 softmax，或设 log_target=True {both}",
)
