"""`cross_entropy` gets probabilities; it applies log_softmax itself.

## What it does

Finds `F.cross_entropy` and `nn.CrossEntropyLoss` whose input already went through a softmax, or
through a sigmoid (a warning).

## Why is this bad

cross_entropy(x) = −log softmax(x)[y]. With x a softmax the scores are confined to [0, 1], so
the largest probability that can come out is e / (e + C − 1), and the loss never falls below
ln(e + C − 1) − 1.

## Measured effect

The floor of the loss is 1.46 at 10 classes, 3.62 at 100, 5.91 at 1000. A confidently wrong
sample has a gradient of 6e-9 instead of 1.41. As the only loss in a toy with label noise: 54.1
% against 52.8 %, since a bounded loss resists noise; on clean data it slows training down or
stops it.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(model, images, labels):
    probs = F.softmax(model(images), dim=1)
    return F.cross_entropy(probs, labels)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(model, images, labels):
    logits = model(images)
    return F.cross_entropy(logits, labels)
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Bounded losses against label noise sometimes do this on purpose; say so with a noqa.

## References

PyTorch, `torch.nn.CrossEntropyLoss`.

---

传给 `cross_entropy` 的是概率，而它内部会再做一次 log_softmax。

## 它检查什么

检查输入已经过 softmax 的 `F.cross_entropy` 与 `nn.CrossEntropyLoss`；输入经过 sigmoid 时为警告。

## 为什么

cross_entropy(x) = −log softmax(x)[y]。若 x 已是 softmax 输出，分数被限制在 [0, 1] 内，得到
的最大概率只有 e / (e + C − 1)，损失永远不会低于 ln(e + C − 1) − 1。

## 实测影响

损失下限：10 类 1.46，100 类 3.62，1000 类 5.91。自信但错误的样本梯度为 6e-9，应为 1.41。带
标签噪声的小实验中单独使用为 54.1 %（正确写法 52.8 %），因为有界损失抗噪；在干净数据上会使训
练变慢甚至停滞。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

有人为了抗标签噪声而有意这样做，请用 noqa 注明。

## 参考

PyTorch 文档 `torch.nn.CrossEntropyLoss`。
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

CODE = "KD108"
NAME = "cross-entropy-on-probs"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("CE-ON-PROBS",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a softmax before the softmax that is inside cross_entropy."""
    for use in uses(analysis, "cross_entropy"):
        space = use.input.space
        if space is Space.PROBS and not use.input.by_name:
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))
        elif space is Space.SIGMOID_PROBS and not use.input.by_name:
            message = _SIGMOID.format(both=arguments(use))
            yield Found(use.node, message, severity=Severity.WARNING)


_SIGMOID = Text(
    "cross_entropy applies log_softmax itself, and its input has already gone through a sigmoid: "
    "scores between 0 and 1 keep the loss above ln(e + C - 1) - 1 (1.46 at 10 classes, 3.62 at "
    "100). Pass the logits; the sigmoid belongs to binary cross-entropy {both}",
    "cross_entropy 内部会做 log_softmax，而输入已经过 sigmoid：分数限制在 0 与 1 之间，损失"
    "不会低于 ln(e + C − 1) − 1（10 类 1.46，100 类 3.62）。应直接传 logits；sigmoid 属于"
    "二元交叉熵 {both}",
)
_MESSAGE = Text(
    "cross_entropy applies log_softmax itself, and its input has already gone through softmax: "
    "the loss cannot fall below ln(e + C - 1) - 1 (1.46 at 10 classes, 3.62 at 100), and "
    "confident mistakes get almost no gradient. Pass the logits {both}",
    "cross_entropy 内部会做 log_softmax，而输入已经过 softmax：损失不会低于 ln(e + C − 1) − 1（10"
    " 类 1.46，100 类 3.62），自信的错误几乎没有梯度。应直接传 logits {both}",
)
