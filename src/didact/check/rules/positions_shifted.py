"""The student's and the teacher's positions are shifted against each other.

## What it does

Finds soft losses on sequences in which one side was cut with `[:, 1:]` and the other was not, or
with another beginning.

## Why is this bad

A language model's logits at position i are its prediction of token i + 1. Labels are shifted by one
against them; the teacher's logits are not labels. With `student[:, :-1]` and `teacher[:, 1:]` the
student learns to say at each position what the teacher says one position later, when it has seen
the very token that the student is to predict.

## Measured effect

Student equal to teacher, 64 independent positions of normal logits of standard deviation 2 over
1000 classes: the loss is 3.9 per position instead of 0, as for two unrelated models.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_loss(student_logits, teacher_logits):
    student_logits = student_logits[:, :-1, :]
    teacher_logits = teacher_logits[:, 1:, :]
    log_probs = F.log_softmax(student_logits, dim=-1).flatten(0, 1)
    target = F.softmax(teacher_logits, dim=-1).flatten(0, 1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_loss(student_logits, teacher_logits):
    student_logits = student_logits[:, :-1, :]
    teacher_logits = teacher_logits[:, :-1, :]
    log_probs = F.log_softmax(student_logits, dim=-1).flatten(0, 1)
    target = F.softmax(teacher_logits, dim=-1).flatten(0, 1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Fix safety

No automatic fix: a teacher with another prompt may need an offset, and which is not known.

## Known false alarms

Only constant beginnings are compared, and only where three dimensions are certain. A teacher whose
input has one more token in front (another tokenizer) is shifted on purpose.

## References

None.

---

学生与教师的位置互相错开。

## 它检查什么

检查序列上的软损失：一侧用 `[:, 1:]` 截过，另一侧没有截，或起点不同。

## 为什么

语言模型在位置 i 的 logits 是对第 i + 1 个 token 的预测。需要错开一位的是标签，而教师的 logits
不是标签。写成 `student[:, :-1]` 与 `teacher[:, 1:]` 时，学生在每个位置学的是教师下一个
位置的输出，而那时教师已经看到了学生要预测的那个 token。

## 实测影响

学生等于教师，64 个相互独立的位置，1000 类，logits 服从标准差为 2 的正态分布：每个位置的损失是 3.9
而不是 0，与两个毫不相干的模型一样。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：提示词不同的教师可能需要偏移，偏移多少无法得知。

## 已知误报

只比较常数起点，且只在确定有三个维度时比较。若教师的输入前面多一个 token（不同的分词器），错开是
有意的。

## 参考

无。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.spaces import Role
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD410"
NAME = "positions-shifted"
SEVERITY = Severity.ERROR
TOPIC = "dimension"
CATALOGUE = ("POSITIONS-SHIFTED",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Compare where both sides of every soft loss begin."""
    for use in uses(analysis, *SOFT, "mse"):
        if {use.input.role, use.target.role} != {Role.STUDENT, Role.TEACHER}:
            continue
        one, other = (_start(analysis, node, use) for node in (use.input_node, use.target_node))
        if one is not None and other is not None and one != other:
            yield Found(use.node, _MESSAGE.format(a=one, b=other))


def _start(analysis: Analysis, node: ast.expr | None, use: LossUse) -> int | None:
    """The first position that is left of one side; nothing if it is not known."""
    total, cut = 0, False
    for step in path(analysis, node, use.scope):
        if not isinstance(step.node, ast.Subscript):
            continue
        value = analysis.value_of(step.node.value)
        part = _positions(step.node.slice, value.rank if value is not None else None)
        if part is None:
            continue
        if not isinstance(part, ast.Slice) or part.step is not None:
            return None
        lower = _integer(part.lower)
        if lower is None or lower < 0:
            return None
        total, cut = total + lower, True
    return total if cut else None


def _positions(key: ast.expr, rank: int | None) -> ast.expr | None:
    """The part of a subscript that stands for the positions of [batch, positions, classes]."""
    if not isinstance(key, ast.Tuple):
        return None
    parts = key.elts
    if len(parts) == 3 and not any(_is_special(part) for part in parts[1:]):
        return parts[1]
    if len(parts) == 2 and (rank or 0) >= 3 and not any(map(_is_special, parts)):
        return parts[1]
    return None


def _is_special(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and part.value in (None, ...)


def _integer(node: ast.expr | None) -> int | None:
    if node is None:
        return 0
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None


_MESSAGE = Text(
    "one side begins at position {a}, the other at {b}: logits are compared that predict different "
    "tokens; shift the labels, not the teacher",
    "一侧从位置 {a} 开始，另一侧从位置 {b} 开始：被比较的 logits 预测的不是同一个 token；"
    "该错开的是标签，不是教师",
)
