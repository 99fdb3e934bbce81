"""A slice that ends before it begins: it is always empty.

## What it does

Finds `x[:0:k]`, and `x[:, :0]` of a model's output.

## Why is this bad

In `start:stop:step` the middle is the end. `x[:0:k]` goes from the start up to, not including,
element 0, in steps of k: nothing. The first k classes are `x[:, :k]`.

## Measured effect

The shape is (0, 12); `kl_div` on it is NaN, and for `[:, :0]` it is silently 0.0.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def old_part(logits, k):
    return F.softmax(logits[:0:k], dim=1)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def old_part(logits, k):
    return F.softmax(logits[:, :k], dim=1)
```

## Fix safety

Unsafe: `[:, :k]`, which is meant in most cases.

## Known false alarms

`x[:0]` alone, a common way to make an empty tensor, is not reported.

## References

Python language reference, slicings.

---

终点在起点之前的切片：永远为空。

## 它检查什么

检查 `x[:0:k]`，以及对模型输出的 `x[:, :0]`。

## 为什么

`start:stop:step` 中间的是终点。`x[:0:k]` 从头开始、到下标 0 之前为止、步长为 k：什么也取不
到。前 k 个类别应写 `x[:, :k]`。

## 实测影响

形状为 (0, 12)；对它求 `kl_div` 得 NaN，而 `[:, :0]` 会不声不响地得到 0.0。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：改为 `[:, :k]`，多数情况下本意如此。

## 已知误报

单独的 `x[:0]` 是构造空张量的常用写法，不报告。

## 参考

Python 语言参考：切片。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import source
from didact.check.engine.spaces import NORMALISED, RAW
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD404"
NAME = "empty-slice"
SEVERITY = Severity.ERROR
TOPIC = "dimension"
CATALOGUE = ("EMPTY-SLICE",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find slices that cannot hold anything."""
    for node in analysis.index.of(ast.Subscript):
        several = isinstance(node.slice, ast.Tuple) and bool(node.slice.elts)
        last = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) and several else node.slice
        if not isinstance(node.ctx, ast.Load) or not _ends_at_zero(last):
            continue
        step = last.step if isinstance(last, ast.Slice) else None
        if isinstance(step, ast.Name | ast.Attribute | ast.Subscript):
            yield Found(node, _MESSAGE.format(text=source(node), step=ast.unparse(step)))
        elif isinstance(analysis.parent_of(node), ast.IfExp):
            continue  # nothing, where there is nothing to take: a tensor of no columns is meant
        elif step is None and several and _is_tensor(analysis.value_of(node.value)):
            yield Found(node, _EMPTY.format(text=source(node)))


def _is_tensor(value: Value | None) -> bool:
    return value is not None and (value.space in RAW or value.space in NORMALISED)


def _ends_at_zero(part: ast.expr) -> bool:
    if not isinstance(part, ast.Slice):
        return False
    zero = isinstance(part.upper, ast.Constant) and part.upper.value == 0
    start = part.lower is None or (isinstance(part.lower, ast.Constant) and part.lower.value == 0)
    return zero and start


_MESSAGE = Text(
    "{text} is always empty: 0 is the end of the slice and {step} its step, not a number of "
    "classes. The first {step} classes of every sample are [:, :{step}]",
    "{text} 永远为空：0 是切片的终点，{step} 是步长，不是类别数。每个样本的前 {step} 个类别应写 ["
    ":, :{step}]",
)
_EMPTY = Text("{text} is always empty", "{text} 永远为空")
