"""`nll_loss` gets probabilities or logits; it takes no logarithm.

## What it does

Finds `F.nll_loss` and `nn.NLLLoss` whose input is not log-probabilities.

## Why is this bad

nll_loss(x, y) is −x[y] and nothing else: no softmax, no log. On probabilities the gradient is
−1 whatever the probability is, on logits the loss has no lower bound.

## Measured effect

On probabilities the loss is −0.32, on logits −6.9, for logits ~ N(0, 9).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels):
    return F.nll_loss(F.softmax(logits, dim=1), labels)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels):
    return F.nll_loss(F.log_softmax(logits, dim=1), labels)
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

None known.

## References

PyTorch, `torch.nn.NLLLoss`.

---

传给 `nll_loss` 的是概率或 logits，而它并不取对数。

## 它检查什么

检查输入不是对数概率的 `F.nll_loss` 与 `nn.NLLLoss`。

## 为什么

nll_loss(x, y) 就是 −x[y]，既不做 softmax 也不取对数。传概率时，无论概率多大梯度都是 −1；传
logits 时损失没有下界。

## 实测影响

logits ~ N(0, 9)：传概率时损失 −0.32，传 logits 时 −6.9。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

暂无。

## 参考

PyTorch 文档 `torch.nn.NLLLoss`。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.scale import ONE
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, sure, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD110"
NAME = "nll-on-wrong-space"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("NLL-WRONG-SPACE",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find anything but log-probabilities in nll_loss."""
    for use in uses(analysis, "nll"):
        if use.input.space is Space.PROBS or (
            use.input.space is Space.LOGITS and use.input.scale == ONE
        ):
            message = _MESSAGE.format(space=use.input.space.text, both=arguments(use))
            yield Found(use.node, message, severity=sure(use.input))


_MESSAGE = Text(
    "nll_loss takes the entry of the true class with a minus and no logarithm; its input is "
    "{space}, it needs log_softmax {both}",
    "nll_loss 只取真实类的那一项并加负号，不取对数；现在的输入是{space}，应先做 log_softmax {both}",
)
