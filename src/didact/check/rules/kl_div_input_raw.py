"""The input of `kl_div` is raw scores; it must be log-probabilities.

## What it does

Finds `kl_div` whose first argument is logits: named so, or a model's output that the same code
normalises elsewhere.

## Why is this bad

`kl_div` computes `sum target * (log target - input)`. For logits x the part that learns is −Σ
t·x, which has no lower bound: adding a constant to all logits lowers the loss for ever, and the
model learns to grow.

## Measured effect

The loss is −77 and keeps falling (−10.9 after 300 Adam steps on a small net). In the toy the
student ends at 11.9 % (20 classes; the right loss: 72.3 %).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(student_logits, teacher_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(F.log_softmax(student_logits, dim=1), teacher_probs, reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

A model whose `forward` already ends in log_softmax: its output is of unknown space and is not
reported unless the code itself normalises it somewhere.

## References

PyTorch, `torch.nn.KLDivLoss`.

---

`kl_div` 的 input 是未归一化的分数，而它必须是对数概率。

## 它检查什么

检查第一个参数为 logits 的 `kl_div`：由名字可知，或同一段代码在别处对该模型输出做了归一化。

## 为什么

`kl_div` 计算 `Σ target · (log target − input)`。input 为 logits x 时，参与学习的部分是 −Σ t
·x，它没有下界：所有 logits 同加一个常数，损失就一直下降，模型只会学着把输出变大。

## 实测影响

损失为 −77 且持续下降（小网络上 Adam 300 步后为 −10.9）。小实验中学生精度 11.9 %（20 类；正
确写法 72.3 %）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

`forward` 末尾已做 log_softmax 的模型：其输出空间未知，除非代码自己又对它做了归一化，否则不
报告。

## 参考

PyTorch 文档 `torch.nn.KLDivLoss`。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, is_raw, sure, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD102"
NAME = "kl-div-input-raw"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("KL-INPUT-RAW",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find raw scores in the place of log-probabilities."""
    for use in uses(analysis, "kl_div"):
        if is_raw(analysis, use, use.input):
            message = _MESSAGE.format(both=arguments(use))
            yield Found(use.node, message, severity=sure(use.input))


_MESSAGE = Text(
    "the input of kl_div is raw scores; the formula needs log-probabilities there. As written "
    "the loss is -sum target * input plus a constant, which has no lower bound {both}",
    "kl_div 的 input 是未归一化的分数，而公式要求对数概率。这样写损失等于 −Σ target·input 加常数，"
    "没有下界 {both}",
)
