"""The softmax runs over the batch instead of the classes.

## What it does

Finds softmax and log_softmax with `dim=0` on a batch of outputs that goes into a loss.

## Why is this bad

`dim=0` makes each class's scores over the samples sum to one; each sample's probabilities sum
to something else, and the loss depends on who else is in the batch.

## Measured effect

Row sums 2.1, 1.3, 1.1; gradient cosine 0.79.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(model, teacher_probs, images):
    log_probs = F.log_softmax(model(images), dim=0)
    return F.kl_div(log_probs, teacher_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(model, teacher_probs, images):
    log_probs = F.log_softmax(model(images), dim=-1)
    return F.kl_div(log_probs, teacher_probs, reduction="batchmean")
```

## Fix safety

Unsafe: `dim=0` becomes `dim=-1`.

## Known false alarms

1-D tensors, transposed square matrices and attention are not reported.

## References

PyTorch, `torch.nn.functional.softmax`.

---

softmax 在批维度上归一化，而不是类别维。

## 它检查什么

检查对送入损失的一批输出使用 `dim=0` 的 softmax 与 log_softmax。

## 为什么

`dim=0` 使每个类别在各样本上的分数之和为 1；每个样本的概率之和却不是 1，损失还取决于批里有哪
些别的样本。

## 实测影响

各行之和 2.1、1.3、1.1；梯度余弦 0.79。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：把 `dim=0` 改为 `dim=-1`。

## 已知误报

一维张量、转置的方阵、注意力不报告。

## 参考

PyTorch 文档 `torch.nn.functional.softmax`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._common import SOFT, uses
from didact.check.rules._rule import Found, replace
from didact.check.rules._trace import is_one_sample

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD402"
NAME = "softmax-over-batch"
SEVERITY = Severity.ERROR
TOPIC = "dimension"
CATALOGUE = ("DIM-0",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find distributions over the batch in a loss."""
    wanted: dict[int, bool] = {}
    for use in uses(analysis, *SOFT, "nll", "cross_entropy"):
        for side, other in ((use.input, use.target), (use.target, use.input)):
            if side.axis == 0 and use.reduction != "sum":
                batched = (other.axis or 0) >= 1 or use.kind == "cross_entropy"
                wanted[id(side.origin)] = wanted.get(id(side.origin), False) or batched
    for softmax in analysis.softmaxes:
        argument = softmax.argument
        batch = argument.space is Space.OUTPUT or (argument.rank or 0) >= 2
        batch |= wanted.get(id(softmax.node), False)
        if (
            softmax.dim == 0
            and batch
            and id(softmax.node) in wanted
            and argument.payload != "transposed"
            and not is_one_sample(analysis, softmax.argument_node, softmax.scope)
        ):
            fix = None
            if isinstance(softmax.dim_node, ast.Constant):
                message = Text("normalise over the classes", "在类别维归一化")
                fix = Fix((replace(softmax.dim_node, "-1"),), "unsafe", message)
            yield Found(softmax.node, _MESSAGE, fix)


_MESSAGE = Text(
    "softmax over dim 0 normalises over the batch: a sample's probabilities do not sum to one. "
    "The class dimension is dim=-1",
    "dim=0 的 softmax 在批维度上归一化：一个样本的概率之和不是 1。类别维应为 dim=-1",
)
