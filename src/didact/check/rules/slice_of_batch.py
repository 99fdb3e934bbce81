"""A number of classes slices the batch dimension.

## What it does

Finds `logits[num_classes:]` and `logits[:num_classes]`, without `:, `, on a model's output in a
loss.

## Why is this bad

The first dimension is the batch: `x[k:]` drops the first k samples, not the first k classes.

## Measured effect

[8, 12][10:] has the shape (0, 12).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(model, images, labels, num_old_classes):
    logits = model(images)
    return F.cross_entropy(logits[num_old_classes:], labels - num_old_classes)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(model, images, labels, num_old_classes):
    logits = model(images)
    return F.cross_entropy(logits[:, num_old_classes:], labels - num_old_classes)
```

## Fix safety

Unsafe: `[k:]` becomes `[:, k:]`.

## Known false alarms

Silent where the bound is not named like a number of classes.

## References

wannabeOG/ExpertNet-Pytorch.

---

用类别数去切了批维度。

## 它检查什么

检查损失中对模型输出使用 `logits[num_classes:]`、`logits[:num_classes]`（缺少 `:, `）。

## 为什么

第一维是批：`x[k:]` 丢掉的是前 k 个样本，而不是前 k 个类别。

## 实测影响

[8, 12][10:] 的形状是 (0, 12)。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：把 `[k:]` 改为 `[:, k:]`。

## 已知误报

边界的名字不像类别数时不报告。

## 参考

wannabeOG/ExpertNet-Pytorch。
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import RAW, Space
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._common import mentions, sure
from didact.check.rules._rule import Found, replace
from didact.check.rules._trace import is_one_sample

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD405"
NAME = "slice-of-batch"
SEVERITY = Severity.ERROR
TOPIC = "dimension"
CATALOGUE = ("SLICE-DIM0",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find class counts in the place of sample counts."""
    for operation in analysis.operations_of("slice"):
        node = operation.node
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
            continue
        bounds = [b for b in (node.slice.lower, node.slice.upper) if b is not None]
        classes = any(mentions(bound, _CLASSES) for bound in bounds)
        raw = operation.base.space in RAW
        softened = operation.base.space is Space.UNKNOWN and _is_softened(analysis, node)
        logits = (raw or softened) and (operation.base.rank or 2) >= 2
        one = is_one_sample(analysis, node.value, operation.scope)
        if classes and logits and not one and _is_used_as_logits(analysis, node):
            text = f"{ast.unparse(node.value)}[:, {ast.unparse(node.slice)}]"
            fix = Fix((replace(node, text),), "unsafe", Text("slice the classes", "切类别维"))
            message = _MESSAGE.format(text=ast.unparse(node), right=text)
            severity = sure(operation.base) if raw else Severity.WARNING
            yield Found(node, message, fix, severity=severity)


def _is_softened(analysis: Analysis, node: ast.AST) -> bool:
    """Whether a softmax over the second dimension is taken of it."""
    return any(
        softmax.dim in (1, -1)
        and softmax.argument_node is not None
        and any(part is node for part in nodes_of(softmax.argument_node))
        for softmax in analysis.softmaxes
    )


def _is_used_as_logits(analysis: Analysis, node: ast.AST) -> bool:
    """Whether it is given to a call or to a name, as it is or divided by a temperature."""
    parent = analysis.parent_of(node)
    while isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div | ast.Mult):
        node, parent = parent, analysis.parent_of(parent)
    return isinstance(parent, ast.Assign) or (isinstance(parent, ast.Call) and node in parent.args)


_CLASSES = re.compile(r"\w*class(es)?|known|cls|cl")
_MESSAGE = Text(
    "{text} slices the batch, the first dimension, by a number of classes; the classes are {right}",
    "{text} 用类别数切了第一维（批）；切类别应写 {right}",
)
