"""Several teachers are averaged as logits: that is a geometric mean.

## What it does

Finds the mean over a stack of the teachers' logits before the softmax.

## Why is this bad

softmax of the mean of logits is the normalised geometric mean of the teachers' distributions;
the mixture of the teachers is the mean of their probabilities. A single teacher that rules a
class out removes it from the first, not from the second.

## Measured effect

Two teachers: [0.87, 0.12, 0.02] against [0.51, 0.48, 0.01].

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def target(teacher_a_logits, teacher_b_logits):
    mean = torch.stack([teacher_a_logits, teacher_b_logits]).mean(0)
    return F.softmax(mean, dim=1)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def target(teacher_a_logits, teacher_b_logits):
    probs = [F.softmax(teacher_a_logits, dim=1), F.softmax(teacher_b_logits, dim=1)]
    return torch.stack(probs).mean(0)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Both are used on purpose; this only says which one it is.

## References

mosaicml/composer, pull request 1819.

---

对多个教师的 logits 取平均：得到的是几何平均。

## 它检查什么

检查在 softmax 之前对多个教师的 logits 求平均的写法。

## 为什么

logits 平均后再 softmax，等于各教师分布的几何平均再归一化；而教师的混合分布是概率的算术平均。
只要有一个教师排除了某类，前者中该类就消失，后者则不会。

## 实测影响

两个教师：[0.87, 0.12, 0.02] 对 [0.51, 0.48, 0.01]。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

两种做法都有人有意使用；这里只说明是哪一种。

## 参考

mosaicml/composer，pull request 1819。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import RAW, Role
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD121"
NAME = "mean-of-teacher-logits"
SEVERITY = Severity.INFO
TOPIC = "space"
CATALOGUE = ("AVG-LOGITS-vs-PROBS",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a mean over stacked teachers' logits, or a sum of them."""
    for operation in analysis.operations_of("reduce"):
        base = operation.base
        stacked = (
            base.payload == "stacked" and operation.name == "mean" and operation.other.number == 0
        )
        if stacked and _is_teachers(base):
            yield Found(operation.node, _MESSAGE)
    for call in analysis.index.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "sum" and call.args:
            terms = call.args[0]
            if isinstance(terms, ast.GeneratorExp | ast.ListComp):
                value = analysis.value_of(terms.elt)
                if value is not None and _is_teachers(value):
                    yield Found(call, _MESSAGE)
    for loop in analysis.index.of(ast.For):
        yield from _added_up(analysis, loop)


def _added_up(analysis: Analysis, loop: ast.For) -> Iterator[Found]:
    """``total += teacher(x)`` in a loop over teachers."""
    variables = {node.id for node in nodes_of(loop.target) if isinstance(node, ast.Name)}
    for node in loop.body:
        if not isinstance(node, ast.AugAssign) or not isinstance(node.op, ast.Add):
            continue
        used = {part.id for part in nodes_of(node.value) if isinstance(part, ast.Name)}
        value = analysis.value_of(node.value)
        if value is not None and variables & used and _is_teachers(value):
            yield Found(node, _MESSAGE)


def _is_teachers(value: Value) -> bool:
    return value.space in RAW and value.role is Role.TEACHER


_MESSAGE = Text(
    "the mean of several teachers' logits is, after softmax, the geometric mean of their "
    "distributions; the mixture of the teachers is the mean of their probabilities. Choose on "
    "purpose",
    "对多个教师的 logits 取平均，softmax 之后是各分布的几何平均；教师的混合分布是概率的算术平均。"
    "请有意识地选择",
)
