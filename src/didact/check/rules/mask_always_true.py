"""A mask that is true everywhere.

## What it does

Finds `(0 < y) < V`, which compares a truth value with V, and comparisons of probabilities with
numbers outside [0, 1].

## Why is this bad

`(0 < y)` is 0 or 1, less than any V > 1, so the mask is all true; a softmax is never 250, so
`probs != 250` is all true. What should be ignored is trained on.

## Measured effect

All true in both cases.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def valid(labels, vocab_size):
    return (0 < labels) < vocab_size
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def valid(labels, vocab_size):
    return (0 < labels) & (labels < vocab_size)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

None known.

## References

gaussalgo/adaptor; microsoft/ProDA.

---

恒为真的掩码。

## 它检查什么

检查 `(0 < y) < V`（拿布尔值与 V 比较），以及概率与 [0, 1] 之外的数比较。

## 为什么

`(0 < y)` 的值是 0 或 1，总小于大于 1 的 V，所以掩码全为真；softmax 的值不可能是 250，所以
`probs != 250` 也全为真。本应忽略的位置都参与了训练。

## 实测影响

两种情况都全为真。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

暂无。

## 参考

gaussalgo/adaptor；microsoft/ProDA。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD307"
NAME = "mask-always-true"
SEVERITY = Severity.ERROR
TOPIC = "reduction"
CATALOGUE = ("DEAD-MASK",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find comparisons whose outcome is known."""
    for operation in analysis.operations_of("compare"):
        node = operation.node
        if not isinstance(node, ast.Compare) or len(node.ops) != 1:
            continue
        number = operation.other.number
        if isinstance(node.left, ast.Compare) and isinstance(node.ops[0], ast.Lt | ast.LtE):
            if number is None or number > 1:
                yield Found(node, _CHAINED)
        elif (
            operation.base.space in (Space.PROBS, Space.SIGMOID_PROBS)
            and number is not None
            and not 0 <= number <= 1
            and not _is_a_test(analysis, node)
        ):
            yield Found(node, _PROBS.format(number=f"{number:g}"))


def _is_a_test(analysis: Analysis, node: ast.Compare) -> bool:
    """A choice between two ways, not a mask."""
    parent = analysis.parent_of(node)
    return isinstance(parent, ast.If | ast.IfExp | ast.While) and parent.test is node


_CHAINED = Text(
    "this compares a truth value with a number and is always true; write (a < y) & (y < b)",
    "这里拿布尔值与数比较，结果恒为真；应写 (a < y) & (y < b)",
)
_PROBS = Text(
    "probabilities are compared with {number}, outside [0, 1]: the outcome is the same "
    "everywhere. The mask should be made from the labels",
    "概率与 [0, 1] 之外的 {number} 比较，结果处处相同。掩码应由标签生成",
)
