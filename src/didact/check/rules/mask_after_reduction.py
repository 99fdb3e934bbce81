"""A mask multiplies a loss that has been reduced to a number already.

## What it does

Finds a mask tensor times a loss whose reduction is not `none`, and `torch.where` between two such
losses.

## Why is this bad

The mean has been taken over all positions, masked ones included; the number times the mask,
then averaged over the mask, gives the number back.

## Measured effect

The mask has no effect: 1.719 instead of 1.318.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels, loss_mask):
    loss = F.cross_entropy(logits, labels)
    return (loss * loss_mask).sum() / loss_mask.sum()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels, loss_mask):
    loss = F.cross_entropy(logits, labels, reduction="none")
    return (loss * loss_mask).sum() / loss_mask.sum()
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Silent where the loss's reduction is not known.

## References

jingyaogong/minimind, issue 51; allenai/OLMo, pull request 523.

---

损失已经归约成一个数，再乘掩码。

## 它检查什么

检查用掩码张量去乘 reduction 不是 `none` 的损失，以及在两个这样的损失之间的 `torch.where`。

## 为什么

平均时已经包含了被掩掉的位置；再用这个数乘掩码、对掩码取平均，得到的还是这个数。

## 实测影响

掩码不起作用：1.719，应为 1.318。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

损失的 reduction 未知时不报告。

## 参考

jingyaogong/minimind，issue 51；allenai/OLMo，pull request 523。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, words
from didact.check.engine.spaces import Space
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD305"
NAME = "mask-after-reduction"
SEVERITY = Severity.ERROR
TOPIC = "reduction"
CATALOGUE = ("REDUCED-THEN-MASKED",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find masks on scalars."""
    for operation in analysis.operations_of("multiply"):
        node = operation.node
        if not isinstance(node, ast.BinOp):
            continue
        sides = (
            (operation.base, operation.other, node.right),
            (operation.other, operation.base, node.left),
        )
        for loss, mask, mask_node in sides:
            if _is_scalar_loss(loss) and _is_mask(mask, mask_node):
                named = Severity.WARNING if mask.space is not Space.MASK else None
                message = _MESSAGE.format(mask=ast.unparse(mask_node))
                yield Found(node, message, severity=named)
    yield from _chosen(analysis)


def _chosen(analysis: Analysis) -> Iterator[Found]:
    """``where(mask, loss, other)`` of numbers: every entry is one of the two."""
    for operation in analysis.operations_of("where"):
        if _is_scalar_loss(operation.base) and operation.other.space is Space.MASK:
            mask = getattr(operation.node, "args", [operation.node])[:1]
            text = ast.unparse(mask[0]) if mask else ""
            yield Found(operation.node, _WHERE.format(mask=text), severity=Severity.WARNING)


def _is_scalar_loss(value: Value) -> bool:
    return bool(value.terms) and all(
        term.use.reduction in ("mean", "sum", "batchmean") and not term.use.by_hand
        for term in value.terms
    )


def _is_mask(value: Value, node: ast.expr) -> bool:
    name = dotted(node)
    named = (
        bool(name)
        and words(name)[-1:] in (("mask",), ("masks",))
        and value.space is not Space.SCALAR
    )
    return named or (value.space is Space.MASK and isinstance(node, ast.Compare))


_WHERE = Text(
    "the losses that '{mask}' chooses between are single numbers already: each entry becomes one "
    "mean of the whole batch or the other. Compute them with reduction='none'",
    "'{mask}' 所选择的两个损失已经各是一个数：每一项得到的都是整批的某个平均值。应以 "
    "reduction='none' 计算",
)
_MESSAGE = Text(
    "the loss is a single number already, so the mask '{mask}' has no effect: compute it with "
    "reduction='none', multiply by the mask, divide by mask.sum()",
    "损失已经是一个数，掩码 '{mask}' 不起作用：应以 reduction='none' 计算，乘掩码，再除以 "
    "mask.sum()",
)
