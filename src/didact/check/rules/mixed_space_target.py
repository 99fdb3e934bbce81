"""One target holds one-hot labels in some columns and logits in others.

## What it does

Finds a one-hot tensor into which the old model's logits are pasted and which then goes through
a softmax or into a loss.

## Why is this bad

A logit of 6 and a label of 1 are no common scale: after the softmax the true new class has less
mass than any confident old one.

## Measured effect

The true new class gets 0.5 % of the target's mass.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels, old_logits, known):
    target = F.one_hot(labels, logits.size(1)).float()
    target[:, :known] = old_logits[:, :known]
    return F.cross_entropy(logits, F.softmax(target, dim=1))
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels, old_logits, known):
    target = F.one_hot(labels, logits.size(1)).float()
    target[:, :known] = torch.sigmoid(old_logits[:, :known])
    return F.binary_cross_entropy_with_logits(logits, target)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

One-hot targets with old *probabilities* (sigmoids) pasted in are right for a binary loss and
not reported.

## References

Rebuffi et al. 2017 (iCaRL), arXiv:1611.07725.

---

同一个目标张量里，有些列是 one-hot 标签，有些列是 logits。

## 它检查什么

检查把旧模型的 logits 写入 one-hot 张量、再做 softmax 或送入损失的写法。

## 为什么

logit 6 与标签 1 不在同一尺度上：softmax 之后，真正的新类得到的概率比任何一个有把握的旧类都
小。

## 实测影响

真正的新类只占目标质量的 0.5 %。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

把旧模型的概率（sigmoid）写入 one-hot 张量、再用二元损失，是正确的，不报告。

## 参考

Rebuffi 等 2017（iCaRL），arXiv:1611.07725。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD117"
NAME = "mixed-space-target"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("MIXED-SPACE",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a softmax or a loss of a tensor that holds labels and logits."""
    for softmax in analysis.softmaxes:
        if softmax.argument.space is Space.MIXED:
            yield Found(softmax.node, _MESSAGE)
    for use in analysis.uses:
        if use.target.space is Space.MIXED and use.kind != "other":
            yield Found(use.node, _MESSAGE)


_MESSAGE = Text(
    "the target mixes two spaces: one-hot labels (0 or 1) in some columns, raw logits in others. "
    "Build all of it in one space, e.g. probabilities",
    "目标混用了两种空间：部分列是 one-hot 标签（0 或 1），部分列是原始 logits。应统一到一种空间，"
    "例如概率",
)
