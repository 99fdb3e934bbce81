"""The temperature is applied twice.

## What it does

Finds `x / T / T` and softmax of a softened log_softmax that is divided by T again.

## Why is this bad

softmax(log_softmax(x/T) / T) = softmax(x/T²): the distribution is far softer than written,
almost uniform already at T = 4.

## Measured effect

The gradient is 2e-5 of the right one for softmax(softmax(x/T)/T), 0.05 for x/T/T; the toy
student stays at 52.8 %.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def weights(logits, T):
    log_probs = F.log_softmax(logits / T, dim=1)
    return F.softmax(log_probs / T, dim=1)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def weights(logits, T):
    log_probs = F.log_softmax(logits / T, dim=1)
    return log_probs.exp()
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

None known.

## References

Hinton et al. 2015.

---

温度用了两次。

## 它检查什么

检查 `x / T / T`，以及对已软化的 log_softmax 再除以 T 做 softmax 的写法。

## 为什么

softmax(log_softmax(x/T) / T) = softmax(x/T²)：分布远比所写的更软，T = 4 时就已接近均匀。

## 实测影响

softmax(softmax(x/T)/T) 的梯度只有正确值的 2e-5，x/T/T 为 0.05；小实验精度停在 52.8 %。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

暂无。

## 参考

Hinton 等 2015。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import is_temperature
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD204"
NAME = "temperature-twice"
SEVERITY = Severity.ERROR
TOPIC = "temperature"
CATALOGUE = ("T-TWICE",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a softmax whose temperature is a square."""
    for softmax in analysis.softmaxes:
        temperature = softmax.result.temperature
        if temperature is None or "sigmoid" in softmax.kind:
            continue
        for symbol, exponent in temperature.atoms:
            if exponent >= 2 and is_temperature(symbol):
                yield Found(softmax.node, _MESSAGE.format(t=symbol, power=f"{exponent:g}"))


_MESSAGE = Text(
    "the temperature {t} is applied {power} times before this softmax: it works at {t}**{power}, "
    "and the distribution is almost uniform",
    "在这个 softmax 之前温度 {t} 用了 {power} 次：实际温度是 {t}**{power}，分布近似均匀",
)
