"""A softmax is computed and never used; the raw tensor goes into the loss.

## What it does

Finds a variable assigned from softmax or log_softmax that is never read, while its raw argument
is passed to a loss that needs it normalised.

## Why is this bad

The line that would have made the loss right has no effect.

## Measured effect

As raw input to `kl_div`: the loss is −77 and falls without end.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_out, teacher_out):
    student_log = F.log_softmax(student_out, dim=1)
    teacher = F.softmax(teacher_out, dim=1)
    return F.kl_div(student_out, teacher, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_out, teacher_out):
    student_log = F.log_softmax(student_out, dim=1)
    teacher = F.softmax(teacher_out, dim=1)
    return F.kl_div(student_log, teacher, reduction="batchmean")
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

None known.

## References

PyTorch, `torch.nn.KLDivLoss`.

---

算出了 softmax 却没有使用，进入损失的是原始张量。

## 它检查什么

检查由 softmax 或 log_softmax 赋值、之后从未读取的变量，而它的原始参数却被传入了需要归一化的
损失。

## 为什么

本应让损失正确的那一行没有起作用。

## 实测影响

相当于把原始分数传给 `kl_div`：损失 −77 且无限下降。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

暂无。

## 参考

PyTorch 文档 `torch.nn.KLDivLoss`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Softmax
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._common import uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD119"
NAME = "normalised-but-unused"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("DEAD-NORM",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a softmax whose result nobody reads, beside a loss on its raw argument."""
    for softmax in analysis.softmaxes:
        statement = analysis.parent_of(softmax.node)
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        raw = softmax.argument_node
        if not isinstance(raw, ast.Name) or raw.id == name or softmax.scope.name == "":
            continue
        if not _is_read(name, softmax.scope.node) and _feeds_loss(analysis, softmax, raw.id):
            yield Found(softmax.node, _MESSAGE.format(name=name, raw=raw.id))


def _is_read(name: str, scope: ast.AST) -> bool:
    return name in _loaded(scope)


@lru_cache(maxsize=64)
def _loaded(scope: ast.AST) -> frozenset[str]:
    names = (n for n in nodes_of(scope) if isinstance(n, ast.Name))
    return frozenset(n.id for n in names if isinstance(n.ctx, ast.Load))


def _feeds_loss(analysis: Analysis, softmax: Softmax, raw: str) -> bool:
    return any(
        isinstance(side, ast.Name) and side.id == raw and use.node.lineno > softmax.node.lineno
        for use in uses(analysis, "kl_div")
        if use.scope.node is softmax.scope.node
        for side in (use.input_node, use.target_node)
    )


_MESSAGE = Text(
    "'{name}' is computed and never used, while the raw '{raw}' goes into kl_div; '{name}' was "
    "probably meant",
    "算出的 '{name}' 从未使用，传入 kl_div 的却是原始的 '{raw}'；多半本想用 '{name}'",
)
