"""`(T * T * 2 + alpha)` where `(T * T * 2 * alpha)` is meant.

## What it does

Finds a factor that adds a weight to a square of the temperature.

## Why is this bad

T² and the weight are factors of one product. Added, the weight hardly matters, and it no longer
turns the term off at 0.

## Measured effect

At T = 10, alpha = 0.1: 200.1 instead of 20.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels, T, alpha):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
    )
    return soft * (T * T * 2.0 + alpha)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels, T, alpha):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
    )
    return soft * (T * T * 2.0 * alpha)
```

## Fix safety

Unsafe: `+` becomes `*`.

## Known false alarms

None known.

## References

szagoruyko/attention-transfer and its copies.

---

本应写 `(T * T * 2 * alpha)`，却写成了 `(T * T * 2 + alpha)`。

## 它检查什么

检查把权重加到温度平方上的因子。

## 为什么

T² 与权重都是乘积的因子。相加之后权重几乎不起作用，取 0 时也关不掉这一项。

## 实测影响

T = 10、alpha = 0.1 时为 200.1，应为 20。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：把 `+` 改为 `*`。

## 已知误报

暂无。

## 参考

szagoruyko/attention-transfer 及其副本。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import is_temperature, is_weight
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._rule import Found, replace

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD602"
NAME = "plus-for-times"
SEVERITY = Severity.WARNING
TOPIC = "weights"
CATALOGUE = ("WEIGHT-TYPO",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find T**2 + weight as a factor."""
    for operation in analysis.operations_of("add"):
        node = operation.node
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
            continue
        squared = any(e == 2 and is_temperature(s) for s, e in operation.base.scale.atoms)
        weight = operation.other.scale.symbols
        if (
            squared
            and operation.base.space is Space.SCALAR
            and len(weight) == 1
            and is_weight(weight[0])
        ):
            parent = analysis.parent_of(node)
            if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult):
                text = f"{ast.unparse(node.left)} * {ast.unparse(node.right)}"
                fix = Fix((replace(node, text),), "unsafe", Text("multiply", "改为相乘"))
                message = _MESSAGE.format(
                    text=ast.unparse(node), right=text, size=_size(operation.base.scale)
                )
                yield Found(node, message, fix)


def _size(scale: Scale) -> Text:
    """What the factor is and what it should be at T = 10 and a weight of 0.1, if that is all."""
    if len(scale.atoms) != 1:
        return Text("", "")
    square = scale.const * 100
    return _SIZE.format(wrong=f"{square + 0.1:g}", right=f"{square * 0.1:g}")


_SIZE = Text(
    " ({wrong} instead of {right} at T = 10, weight 0.1)",
    "（T = 10、权重 0.1 时为 {wrong}，应为 {right}）",
)
_MESSAGE = Text(
    "the factor is ({text}): the weight is added to T**2 instead of multiplied, so it hardly "
    "matters{size}. Probably {right}",
    "因子是 ({text})：权重被加到 T² 上而不是相乘，几乎不起作用{size}。多半应为 {right}",
)
