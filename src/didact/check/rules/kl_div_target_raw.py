"""The target of `kl_div` is raw scores; it must be probabilities.

## What it does

Finds `kl_div` without `log_target=True` whose second argument is logits, and cross-entropies
written by hand, `-(t * log_softmax(s)).sum()`, where t are scores of a model.

## Why is this bad

The target enters as `t * log t`, which does not exist for t < 0 and is no distribution anyway;
the gradient to the student is −t, so classes with a negative score are pushed up or down at
random.

## Measured effect

Raw scores on both sides: the loss is NaN from the first batch.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_log_probs = F.log_softmax(student_logits, dim=1)
    return F.kl_div(student_log_probs, teacher_logits, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_log_probs = F.log_softmax(student_logits, dim=1)
    return F.kl_div(student_log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

None known; a model's output of unknown space is not reported, nor is an advantage or a value
with one number for each sample.

## References

PyTorch, `torch.nn.KLDivLoss`.

---

`kl_div` 的 target 是未归一化的分数，而它必须是概率。

## 它检查什么

检查未设 `log_target=True` 且第二个参数为 logits 的 `kl_div`，以及手写交叉熵
`-(t * log_softmax(s)).sum()` 中 t 是模型原始分数的情形。

## 为什么

target 以 `t · log t` 的形式进入损失，t < 0 时没有定义，而且它根本不是一个分布；传给学生的梯
度是 −t，分数为负的类别会被推向错误的方向。

## 实测影响

两侧都是原始分数时，第一个 batch 的损失就是 NaN。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

暂无；空间未知的模型输出不报告，每个样本一个数的优势或价值也不报告。

## 参考

PyTorch 文档 `torch.nn.KLDivLoss`。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.spaces import Grad
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, is_raw, sure, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD103"
NAME = "kl-div-target-raw"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("KL-TARGET-RAW",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find raw scores in the place of probabilities."""
    for use in uses(analysis, "kl_div", "soft_cross_entropy"):
        by_hand = use.kind == "soft_cross_entropy"
        if not is_raw(analysis, use, use.target) or (by_hand and not _is_soft(use)):
            continue
        if by_hand or use.log_target is False:
            message = _BY_HAND if by_hand else _MESSAGE
            severity = Severity.WARNING if by_hand else sure(use.target)
            yield Found(use.node, message.format(both=arguments(use)), severity=severity)


def _is_soft(use: LossUse) -> bool:
    """Whether scores of one model weigh the logarithms of another: not an advantage, not both."""
    return use.target.grad is Grad.NO and use.input.grad is not Grad.NO


_BY_HAND = Text(
    "raw scores weigh the log-probabilities here, and cross-entropy is -sum p log q of "
    "probabilities p: with a negative score the loss has no lower bound, and with large ones it is "
    "many times too large {both}",
    "这里用未归一化的分数去加权对数概率，而交叉熵 −Σ p log q 中的 p 应为概率：出现负分时损失"
    "没有下界，分数较大时损失会大许多倍 {both}",
)
_MESSAGE = Text(
    "the target of kl_div is raw scores; the formula needs probabilities there. t * log t is NaN "
    "for every negative score {both}",
    "kl_div 的 target 是未归一化的分数，而公式要求概率。分数为负时 t·log t 为 NaN {both}",
)
