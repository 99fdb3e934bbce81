"""The soft term is multiplied by T or T⁴ instead of T².

## What it does

Finds a distillation term whose factor has the temperature to another power than two.

## Why is this bad

Both derivatives that the temperature enters through give 1/T, together 1/T². With T once the
term is still 1/T too small, with T² applied twice T² too large.

## Measured effect

T once at T = 4: a quarter of the gradient.

## Example

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
    return soft * T + F.cross_entropy(student_logits, labels)
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
    return soft * T * T + F.cross_entropy(student_logits, labels)
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Silent where the power is a variable.

## References

Hinton et al. 2015, section 2.

---

软损失乘的是 T 或 T⁴，而不是 T²。

## 它检查什么

检查因子中温度的幂次不是 2 的蒸馏项。

## 为什么

温度在求导时出现两次，每次带来 1/T，合起来是 1/T²。只乘一次 T，仍小了 T 倍；乘了两次 T²，则
大了 T² 倍。

## 实测影响

T = 4 只乘一次 T：梯度为四分之一。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

幂次由变量给出时不报告。

## 参考

Hinton 等 2015，第 2 节。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Term, Total
from didact.check.findings.finding import Severity
from didact.check.rules._common import (
    SOFT,
    beside_hard_term,
    power_of,
    temperature_of,
    temperature_symbol,
    totals_with,
    uses,
)
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD202"
NAME = "wrong-power-of-temperature"
SEVERITY = Severity.WARNING
TOPIC = "temperature"
CATALOGUE = (
    "T-POW1",
    "T2-TWICE",
    "T²-TWICE",
)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find factors T, T**3, T**4."""
    for use in uses(analysis, *SOFT):
        temperature = temperature_of(use)
        symbol = temperature_symbol(temperature) if temperature is not None else None
        if symbol is None:
            continue
        beside = [term for total, term in totals_with(analysis, use) if _has_hard_term(total, term)]
        terms = beside or [term for _, term in totals_with(analysis, use)]
        powers = {power_of(term, symbol) for term in terms if not term.cut}
        powers = {power for power in powers if power > 0}
        if powers and 2 not in powers and beside_hard_term(analysis, use):
            power = max(powers)
            yield Found(
                use.node, _MESSAGE.format(t=symbol, power=f"{power:g}", off=f"{power - 2:g}")
            )


def _has_hard_term(total: Total, term: Term) -> bool:
    return any(
        other.use.is_hard and other.use.node is not term.use.node and not term.excludes(other)
        for other in total.value.terms
    )


_MESSAGE = Text(
    "the soft term is multiplied by {t}**{power}; the formula has {t}**2, so it is off by "
    "{t}**({off})",
    "软损失乘的是 {t}**{power}，公式为 {t}**2，相差 {t}**({off}) 倍",
)
