"""The input of `kl_div` holds probabilities; it must hold log-probabilities.

## What it does

Finds `F.kl_div` and `nn.KLDivLoss` whose first argument comes from a softmax or a sigmoid.

## Why is this bad

`kl_div(input, target)` computes `sum target * (log target - input)`; it takes no logarithm of
`input`. It should be D(P‖Q) = Σ P (log P − log Q) with P the teacher and Q the student, so
`input` must be log Q. With `input = Q` the loss is linear in Q, and its minimum is a one-hot at
the teacher's top class: everything the soft target says beyond that is lost.

## Measured effect

64 samples, 100 classes, T = 4: the loss is −68, its gradient has 0.08 of the right norm and a
cosine of 0.30 with it. In a toy (20 classes, label noise) the student reaches 54.6 % with
`mean` and 63.6 % with `batchmean`; the right loss reaches 72.3 %.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_probs = F.softmax(student_logits, dim=1)
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(student_probs, teacher_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_log_probs = F.log_softmax(student_logits, dim=1)
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(student_log_probs, teacher_probs, reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

A tensor whose name says probabilities but which was made by `log_softmax` is not reported: only
the computation counts.

## References

PyTorch, `torch.nn.KLDivLoss`; Hinton, Vinyals, Dean 2015, arXiv:1503.02531.

---

`kl_div` 的 input 是概率，而它必须是对数概率。

## 它检查什么

检查第一个参数来自 softmax 或 sigmoid 的 `F.kl_div` 与 `nn.KLDivLoss`。

## 为什么

`kl_div(input, target)` 计算的是 `Σ target · (log target − input)`，它不会替你对 `input` 取
对数。蒸馏要的是 D(P‖Q) = Σ P (log P − log Q)，P 为教师、Q 为学生，所以 `input` 必须是 log Q。
若传入 Q 本身，损失对 Q 是线性的，最小值落在教师最大类的 one-hot 上，软标签里的其余信息全部
丢失。

## 实测影响

64 个样本、100 类、T = 4：损失为 −68，梯度范数只有正确值的 0.08，夹角余弦 0.30。小实验（20
类，带标签噪声）中学生精度为 54.6 %（`mean`）或 63.6 %（`batchmean`），正确写法为 72.3 %。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

变量名叫 prob、实际由 `log_softmax` 得到的张量不会误报：只看计算过程，不看名字。

## 参考

PyTorch 文档 `torch.nn.KLDivLoss`；Hinton 等 2015，arXiv:1503.02531。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD101"
NAME = "kl-div-input-probs"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("KL-INPUT-PROBS",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find probabilities in the place of log-probabilities."""
    for use in uses(analysis, "kl_div"):
        wrong = use.input.space in (Space.PROBS, Space.SIGMOID_PROBS) and not use.input.by_name
        reversed_ = use.target.space is Space.LOG_PROBS and use.log_target is not True
        if wrong and not reversed_:
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))


_MESSAGE = Text(
    "the input of kl_div is probabilities; the formula needs log-probabilities there, since "
    "kl_div computes sum target * (log target - input). As written the loss is linear in the "
    "input and is least for a one-hot at the target's top class {both}",
    "kl_div 的 input 是概率，而公式要求对数概率：kl_div 计算 Σ target·(log target − input)。这样"
    "写损失对 input 是线性的，最小值是目标最大类的 one-hot {both}",
)
