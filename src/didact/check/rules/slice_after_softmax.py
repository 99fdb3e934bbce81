"""Classes are cut out after the softmax: what is left does not sum to one.

## What it does

Finds a KL or cross-entropy with `softmax(x)[:, :k]`.

## Why is this bad

Σ of p over some of the classes is less than one, so KL is no divergence any more: it can be
negative, and it also punishes mass that the student gives to new classes, or hides it.

## Measured effect

Row sums 0.80–0.88, a KL of −0.046.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def lwf_loss(logits, old_logits, known):
    log_probs = F.log_softmax(logits, dim=1)[:, :known]
    old_probs = F.softmax(old_logits, dim=1)[:, :known]
    return F.kl_div(log_probs, old_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def lwf_loss(logits, old_logits, known):
    log_probs = F.log_softmax(logits[:, :known], dim=1)
    old_probs = F.softmax(old_logits[:, :known], dim=1)
    return F.kl_div(log_probs, old_probs, reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

None known.

## References

ContinualAI/avalanche, issue 1018.

---

在 softmax 之后才切出部分类别：剩下的概率之和不为 1。

## 它检查什么

检查在 KL 或交叉熵中使用 `softmax(x)[:, :k]` 的写法。

## 为什么

只对部分类别求和，p 之和小于 1，KL 不再是散度：它可能为负，还会惩罚（或掩盖）学生分给新类的
概率。

## 实测影响

各行之和 0.80–0.88，KL 为 −0.046。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

暂无。

## 参考

ContinualAI/avalanche，issue 1018。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import NORMALISED
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, arguments, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD118"
NAME = "slice-after-softmax"
SEVERITY = Severity.WARNING
TOPIC = "space"
CATALOGUE = ("SLICE-AFTER-SOFTMAX",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find distributions that were cut after they were normalised."""
    for use in uses(analysis, *SOFT, "bce", "bce_logits", "mse", "l1"):
        for side in (use.target, use.input):
            if side.partial and side.space in NORMALISED and side.class_slice:
                message = _MESSAGE.format(cut=side.class_slice, both=arguments(use))
                whole = side is use.input  # the target is a distribution: a valid cross-entropy
                yield Found(use.node, message, severity=Severity.INFO if whole else None)
                break


_MESSAGE = Text(
    "the classes [{cut}] are cut out after the softmax, so the probabilities do not sum to one; "
    "slice the logits first, then apply softmax {both}",
    "类别 [{cut}] 是在 softmax 之后切出的，概率之和不为 1；应先切 logits，再做 softmax {both}",
)
