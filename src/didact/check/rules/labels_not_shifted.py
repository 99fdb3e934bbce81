"""The head is cut to the new classes, the labels still count from the first.

## What it does

Finds cross_entropy on `logits[:, k:]` with labels from which k is not subtracted.

## Why is this bad

Column 0 of the slice is class k. Label k + 3 must become 3; left as it is, it points past the
end or at another class.

## Measured effect

IndexError, or silently 4.15 instead of 3.41.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(model, images, labels, known):
    logits = model(images)
    loss = F.cross_entropy(logits[:, known:], labels)
    loss.backward()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(model, images, labels, known):
    logits = model(images)
    loss = F.cross_entropy(logits[:, known:], labels - known)
    loss.backward()
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Labels that are remapped before they reach the function (then it is a warning, an error only
where the same labels serve the whole head, too); silent where they are computed in any way.

## References

LAMDA-CL/PyCIL, issue 24.

---

输出只取了新类，标签却仍从第一个类别数起。

## 它检查什么

检查 `logits[:, k:]` 上的 cross_entropy，而标签没有减去 k。

## 为什么

切片的第 0 列是类别 k。标签 k + 3 应变为 3；不减的话，它会越界，或指向另一个类别。

## 实测影响

IndexError，或不声不响地得到 4.15（应为 3.41）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

标签在传入函数前已重新编号的情况；标签经过任何计算时不报告。

## 参考

LAMDA-CL/PyCIL，issue 24。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.names import dotted, is_label, word_set
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import around, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD406"
NAME = "labels-not-shifted"
SEVERITY = Severity.ERROR
TOPIC = "dimension"
CATALOGUE = ("LABEL-OFFSET",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a cut head with labels that were not moved."""
    for use in uses(analysis, "cross_entropy"):
        cut = use.input.class_slice
        if cut is None or cut.startswith((":", "0:", "-")) or ":" not in cut:
            continue
        start = cut.split(":")[0].strip()
        if (
            not isinstance(use.target_node, ast.Name)
            or use.target.shifted
            or use.target.space is Space.ONE_HOT
        ):
            continue
        name = use.target_node.id
        function = around(analysis, use)
        moved = _is_moved(function, name)
        labels = is_label(name) or any(map(is_label, _other_names(function, name)))
        if labels and not moved and not start.isdigit():
            sure = None if _counts_from_zero(analysis, use, name) else Severity.WARNING
            message = _MESSAGE.format(name=name, start=start, cut=cut)
            yield Found(use.node, message, severity=sure)


def _is_moved(function: ast.AST, name: str, seen: tuple[str, ...] = ()) -> bool:
    """Whether the labels may be counted anew: something else is assigned, something subtracted.

    Moving them to a device, to another type, or giving them another name leaves them as they are.
    """
    for node in nodes_of(function):
        if isinstance(node, ast.AugAssign) and _names(node.target, name):
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _names(node.left, name):
            return True
        if not isinstance(node, ast.Assign) or not any(_names(t, name) for t in node.targets):
            continue
        source = _unmoved(node.value)
        if isinstance(source, ast.Name) and source.id != name:
            if source.id not in seen and _is_moved(function, source.id, (*seen, name)):
                return True
        elif dotted(source).rsplit(".", 1)[-1] != name and not _is_unpacked(node):
            return True
    return False


def _other_names(function: ast.AST, name: str) -> set[str]:
    """The names under which the same labels stand before: ``goal = labels.long()``."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        for node in nodes_of(function):
            if isinstance(node, ast.Assign) and any(_names(t, current) for t in node.targets):
                source = _unmoved(node.value)
                if isinstance(source, ast.Name) and source.id not in found | {name}:
                    found.add(source.id)
                    waiting.append(source.id)
    return found


def _unmoved(node: ast.expr) -> ast.expr:
    """What is left of ``labels.to(device).long()`` without what keeps the numbers."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in _SAME_NUMBERS:
            break
        node = node.func.value
    return node


_SAME_NUMBERS = word_set("to cuda cpu long int clone contiguous detach view reshape squeeze")


def _is_unpacked(node: ast.Assign) -> bool:
    """``images, labels = batch``: as they come from the data."""
    target = node.targets[0]
    names = isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript)
    return isinstance(target, ast.Tuple | ast.List) and names


def _names(node: ast.expr, name: str) -> bool:
    """Whether it is the variable, or rows of it, perhaps among others."""
    if isinstance(node, ast.Tuple | ast.List):
        return any(_names(part, name) for part in node.elts)
    node = node.value if isinstance(node, ast.Subscript) else node
    return isinstance(node, ast.Name) and node.id == name


def _counts_from_zero(analysis: Analysis, use: LossUse, name: str) -> bool:
    """The same labels serve the whole head elsewhere in the function."""
    return any(
        other.scope.node is use.scope.node
        and isinstance(other.target_node, ast.Name)
        and other.target_node.id == name
        and (other.input.class_slice is None or other.input.class_slice.startswith(":"))
        for other in uses(analysis, "cross_entropy")
        if other.node is not use.node and other.input.space in (Space.LOGITS, Space.OUTPUT)
    )


_MESSAGE = Text(
    "the logits are cut to [:, {cut}], so column 0 is class {start}, but '{name}' still counts "
    "from class 0: use {name} - {start}",
    "logits 只取了 [:, {cut}]，第 0 列是类别 {start}，而 '{name}' 仍从类别 0 数起：应使用 {name} "
    "- {start}",
)
