"""Two models teach each other, and neither target is detached.

## What it does

Finds KL(a, b) and KL(b, a) between the outputs of two different models, in different losses,
with the targets in the graph.

## Why is this bad

In mutual learning the peer's output is a fixed target of the other's loss. Undetached, each
loss also moves the other model towards being a good target, and with two backward passes the
same graph is run twice.

## Measured effect

No separate number: the objective is another one.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def losses(net_a, net_b, images):
    a, b = net_a(images), net_b(images)
    loss_a = F.kl_div(F.log_softmax(a, dim=1), F.softmax(b, dim=1), reduction="batchmean")
    loss_b = F.kl_div(F.log_softmax(b, dim=1), F.softmax(a, dim=1), reduction="batchmean")
    return loss_a, loss_b
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def losses(net_a, net_b, images):
    a, b = net_a(images), net_b(images)
    loss_a = F.kl_div(
        F.log_softmax(a, dim=1), F.softmax(b.detach(), dim=1), reduction="batchmean"
    )
    loss_b = F.kl_div(
        F.log_softmax(b, dim=1), F.softmax(a.detach(), dim=1), reduction="batchmean"
    )
    return loss_a, loss_b
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

A symmetric KL in one sum (R-Drop) is meant to have both gradients and not reported.

## References

Zhang et al. 2018 (deep mutual learning), arXiv:1706.00384.

---

两个模型互为教师，而目标都没有 detach。

## 它检查什么

检查两个不同模型的输出之间、分属两个损失、目标仍在计算图里的 KL(a, b) 与 KL(b, a)。

## 为什么

互学习中，对方的输出在自己的损失里应是固定目标。不 detach 的话，每个损失还会推动对方去“成为
一个好目标”，两次反向传播也会重复使用同一张图。

## 实测影响

没有单独的数字：这是另一个目标函数。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

同一个和式里的对称 KL（R-Drop）本就需要两侧梯度，不报告。

## 参考

Zhang 等 2018（深度互学习），arXiv:1706.00384。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, arguments, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD503"
NAME = "peer-target-in-graph"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = ("TARGET-IN-GRAPH",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find pairs of losses whose arguments are each other's targets, in the graph."""
    found = [use for use in uses(analysis, *SOFT) if use.input.sources and use.target.sources]
    for use in found:
        for other in found:
            mirrored = (
                use.input.sources == other.target.sources
                and use.target.sources == other.input.sources
            )
            if (
                mirrored
                and use.input.sources != use.target.sources
                and not _together(analysis, use, other)
            ) and _models(analysis, use.input.sources) != _models(analysis, use.target.sources):
                yield Found(use.node, _MESSAGE.format(both=arguments(use)))
                break


def _models(analysis: Analysis, keys: frozenset[int]) -> set[str]:
    return {forward.model for forward in analysis.forwards if forward.key in keys}


def _together(analysis: Analysis, one: LossUse, other: LossUse) -> bool:
    return any(
        {id(one.node), id(other.node)} <= {id(term.use.node) for term in total.value.terms}
        for total in analysis.totals
        if not isinstance(getattr(total.node, "value", None), ast.Tuple)
    )


_MESSAGE = Text(
    "each of two models is the other's target, and this target is not detached: the loss also "
    "trains the peer to be a target. Use .detach() {both}",
    "两个模型互为目标，而这里的目标没有 detach：损失也会训练对方去充当目标。应使用 .detach() "
    "{both}",
)
