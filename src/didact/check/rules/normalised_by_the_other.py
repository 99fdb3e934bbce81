"""One distribution is divided by the sum of the other.

## What it does

Finds two sums of the same tensor under two names, the second named after another tensor; and `a
/ b.sum(...)` of two models' distributions.

## Why is this bad

A copied line was half changed: the teacher's rows are divided by the student's sums and do not
sum to one.

## Measured effect

Row sums 0.88, 0.52, 1.03.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soften(preds, labels):
    preds = F.softmax(preds, dim=1)
    labels = F.softmax(labels, dim=1)
    sum_preds = torch.sum(preds, dim=1, keepdim=True)
    sum_labels = torch.sum(preds, dim=1, keepdim=True)
    return preds / sum_preds, labels / sum_labels
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soften(preds, labels):
    preds = F.softmax(preds, dim=1)
    labels = F.softmax(labels, dim=1)
    sum_preds = torch.sum(preds, dim=1, keepdim=True)
    sum_labels = torch.sum(labels, dim=1, keepdim=True)
    return preds / sum_preds, labels / sum_labels
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

None known.

## References

wannabeOG/ExpertNet-Pytorch.

---

一个分布除以了另一个分布的和。

## 它检查什么

检查对同一张量求了两次和、第二个却以另一张量命名的写法，以及两个模型的分布相除的
`a / b.sum(...)`。

## 为什么

复制的行只改了一半：教师的各行除以学生的和，结果之和不是 1。

## 实测影响

各行之和 0.88、0.52、1.03。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

暂无。

## 参考

wannabeOG/ExpertNet-Pytorch。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, words
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD606"
NAME = "normalised-by-the-other"
SEVERITY = Severity.ERROR
TOPIC = "weights"
CATALOGUE = ("COPYPASTE-NORM",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a second sum that kept the first one's tensor."""
    sums = [node for node in analysis.index.of(ast.Assign) if _summed(node.value) is not None]
    for function in analysis.index.of(ast.FunctionDef) if len(sums) > 1 else ():
        if id(function) in analysis.index.relevant_functions:
            yield from _pairs(function)


def _pairs(function: ast.FunctionDef) -> Iterator[Found]:
    names = {
        n.id for n in nodes_of(function) if isinstance(n, ast.Name | ast.arg) for n in [_as_name(n)]
    }
    previous: tuple[str, str] | None = None
    for node in nodes_of(function):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        summed = _summed(node.value)
        if summed is None:
            continue
        target, text = node.targets[0].id, ast.unparse(node.value)
        meant = [
            n for n in names if n != summed and set(words(n)) <= set(words(target)) and n != target
        ]
        own = set(words(summed)) <= set(words(target))
        if (
            previous is not None
            and previous[1] == text
            and previous[0] != target
            and meant
            and not own
        ):
            message = _MESSAGE.format(target=target, summed=summed, meant=meant[0])
            sure = _divides(function, target, meant, summed)
            yield Found(node, message, severity=None if sure else Severity.WARNING)
        previous = (target, text)


def _divides(function: ast.FunctionDef, target: str, meant: list[str], summed: str) -> bool:
    """Whether another tensor than the summed one is divided by the sum: that settles it."""
    for node in nodes_of(function):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            left = node.left if isinstance(node, ast.BinOp) else node.target
            right = node.right if isinstance(node, ast.BinOp) else node.value
            above = {n.id for n in nodes_of(left) if isinstance(n, ast.Name)}
            below = {n.id for n in nodes_of(right) if isinstance(n, ast.Name)}
            if target in below and above & set(meant) and summed not in above:
                return True
    return False


def _as_name(node: ast.Name | ast.arg) -> ast.Name:
    return node if isinstance(node, ast.Name) else ast.Name(node.arg)


def _summed(node: ast.expr) -> str | None:
    if (
        not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Attribute)
        or node.func.attr != "sum"
    ):
        return None
    base = (
        node.args[0]
        if dotted(node.func.value) in ("torch", "np") and node.args
        else node.func.value
    )
    return base.id if isinstance(base, ast.Name) else None


_MESSAGE = Text(
    "'{target}' is the sum of '{summed}', like the line before; '{meant}' was probably meant, "
    "whose rows then sum to one",
    "'{target}' 与上一行一样是 '{summed}' 的和；多半应为 '{meant}'，其各行之和才是 1",
)
