"""The gradients are cleared between `backward()` and `step()`.

## What it does

Finds `optimizer.zero_grad()` after `backward()` and before `step()` of the same optimizer, with no
other `backward()` in between.

## Why is this bad

The step finds no gradient. `zero_grad()` sets it to `None`, so the optimizer skips every parameter:
nothing is ever learned, while the printed loss varies from batch to batch as it always does.

## Measured effect

After 200 steps of SGD or Adam the largest change of a parameter is 0.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(student, optimizer, images, teacher_probs):
    log_probs = F.log_softmax(student(images), dim=1)
    loss = F.kl_div(log_probs, teacher_probs, reduction="batchmean")
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(student, optimizer, images, teacher_probs):
    log_probs = F.log_softmax(student(images), dim=1)
    loss = F.kl_div(log_probs, teacher_probs, reduction="batchmean")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
```

## Fix safety

No automatic fix: moving a line is left to the author.

## Known false alarms

Silent where the cleared optimizer and the stepping one differ, as in adversarial training, and
where a second `backward()` follows.

## References

PyTorch documentation, `torch.optim.Optimizer.zero_grad`.

---

在 `backward()` 与 `step()` 之间清零了梯度。

## 它检查什么

检查同一个优化器的 `zero_grad()` 位于 `backward()` 之后、`step()` 之前，且其间没有再次
`backward()` 的情况。

## 为什么

更新时已没有梯度。`zero_grad()` 把梯度设为 `None`，优化器会跳过所有参数：什么也没有学到，而打印的
损失照样随批次波动，看不出异样。

## 实测影响

用 SGD 或 Adam 走 200 步后，参数的最大变化为 0。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：移动哪一行由作者决定。

## 已知误报

清零的与更新的不是同一个优化器（如对抗训练），或其后还有一次 `backward()` 时，不报告。

## 参考

PyTorch 文档，`torch.optim.Optimizer.zero_grad`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD511"
NAME = "zero-grad-after-backward"
SEVERITY = Severity.ERROR
TOPIC = "teacher"
CATALOGUE = ("ZERO-GRAD-LATE",)
_Event = tuple[str, str, ast.Call]


def check(analysis: Analysis) -> Iterator[Found]:
    """Follow the calls of every block in which gradients are cleared, in their order."""
    owners: dict[int, ast.AST] = {}
    for call in analysis.index.of(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "zero_grad":
            owner = analysis.parent_of(analysis.statement_of(call))
            while isinstance(owner, ast.With):
                owner = analysis.parent_of(owner)
            if owner is not None:
                owners[id(owner)] = owner
    for owner in owners.values():
        for field in ("body", "orelse"):
            block = getattr(owner, field, None)
            yield from _in_block(block if isinstance(block, list) else [])


def _in_block(block: list[ast.stmt]) -> Iterator[Found]:
    pending = False
    cleared: dict[str, ast.Call] = {}
    for kind, name, call in (event for statement in block for event in _events(statement)):
        if kind == "backward":
            pending, cleared = True, {}
        elif kind == "unclear":
            pending, cleared = False, {}
        elif kind == "zero_grad" and pending and name:
            cleared[name] = call
        elif kind == "step":
            if name in cleared:
                yield Found(cleared[name], _MESSAGE.format(optimizer=name))
            pending, cleared = False, {}


def _events(statement: ast.stmt) -> Iterator[_Event]:
    """The calls in question of one statement; what stands in a branch or loop is not followed."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    plain = isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign)
    if isinstance(statement, ast.With):
        for inner in statement.body:
            yield from _events(inner)
        return
    for part in nodes_of(statement):
        if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute):
            continue
        name = part.func.attr
        if name not in ("backward", "zero_grad", "step", "first_step", "unscale_"):
            continue
        if not plain:
            yield "unclear", "", part
            return
        receiver = dotted(part.func.value)
        if name == "step" and part.args:  # scaler.step(optimizer)
            receiver = dotted(part.args[0])
        yield name, receiver, part


_MESSAGE = Text(
    "{optimizer}.zero_grad() stands between backward() and step(): the step finds no gradients and "
    "changes nothing",
    "{optimizer}.zero_grad() 位于 backward() 与 step() 之间：更新时已没有梯度，参数不会改变",
)
