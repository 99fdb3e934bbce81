"""The loss on true labels is computed at the distillation temperature.

## What it does

Finds cross_entropy or nll_loss on logits divided by T beside a distillation term at the same T;
often a variable that was overwritten by its softened version.

## Why is this bad

The hard term wants T = 1. At T its gradient is 1/T of a flatter distribution's, and its optimum
is logits T times larger.

## Measured effect

The gradient is 0.29 of the right one at T = 4.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels, T=4.0):
    student_logits = student_logits / T
    soft = F.kl_div(
        F.log_softmax(student_logits, dim=1),
        F.softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
    )
    return soft * T**2 + F.cross_entropy(student_logits, labels)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels, T=4.0):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
    )
    return soft * T**2 + F.cross_entropy(student_logits, labels)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Contrastive losses (InfoNCE), which divide by a temperature without distilling, are not
reported.

## References

Hinton et al. 2015, section 2.

---

真实标签的损失也用了蒸馏温度。

## 它检查什么

检查与同一温度的蒸馏项并用、且 logits 除以 T 的 cross_entropy 或 nll_loss；常见原因是变量被
软化后的版本覆盖。

## 为什么

硬损失应在 T = 1 下计算。在 T 下，它的梯度要乘 1/T，分布也更平，而且最优点处的 logits 会大 T
倍。

## 实测影响

T = 4 时梯度为正确值的 0.29。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

不涉及蒸馏、只是除以温度的对比损失（InfoNCE）不报告。

## 参考

Hinton 等 2015，第 2 节。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.names import is_temperature
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import NORMALISED, Role
from didact.check.findings.finding import Severity
from didact.check.rules._common import CONTRASTIVE, SOFT, is_declared, totals_with, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD206"
NAME = "hard-loss-at-temperature"
SEVERITY = Severity.WARNING
TOPIC = "temperature"
CATALOGUE = ("HARD-CE-AT-T",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find hard terms whose logits carry the temperature of a soft term in the same sum."""
    for use in uses(analysis, "cross_entropy", "nll"):
        softened = _softened(use)
        if softened is None or not use.is_hard or use.target.role is Role.TEACHER:
            continue
        for total, term in totals_with(analysis, use):
            soft = [t.use for t in total.value.terms if t.use.kind in SOFT]
            paid = any(is_temperature(symbol) for symbol in term.scale.symbols)
            contrastive = is_declared(analysis, use, CONTRASTIVE)
            if (
                not paid
                and not contrastive
                and any(softened in (u.input.temperature, u.target.temperature) for u in soft)
            ):
                yield Found(use.node, _MESSAGE.format(t=softened.text))
                break


def _softened(use: LossUse) -> Scale | None:
    value = use.input
    temperature = value.temperature if value.space in NORMALISED else value.scale.power(-1)
    if (
        temperature is None
        or temperature.is_one
        or not all(map(is_temperature, temperature.symbols))
    ):
        return None
    return temperature


_MESSAGE = Text(
    "the loss on the true labels is computed at the distillation temperature {t}; the formula "
    "has T = 1 there",
    "真实标签的损失也在蒸馏温度 {t} 下计算；公式在这里用 T = 1",
)
