"""The weights of a moving average of parameters are exchanged: the average follows at once.

## What it does

Finds updates of one model's parameters by another's, `t = (1 - m) * t + m * s` in any spelling,
where the weight of the new value is near 1 and that of the old one near 0.

## Why is this bad

A mean teacher is an average over about 1/(1 − m) steps of its student. With the weights exchanged
it forgets all but the last step or two: it is a copy of the student, as noisy as it is, and the
consistency loss compares the student with itself.

## Measured effect

A weight with independent noise of standard deviation 1 in every step, m = 0.999: the average has
a standard deviation of 0.022; with exchanged weights it is 0.999.

## Example

```python
import torch
import torch.nn.functional as F


@torch.no_grad()
def update_teacher(teacher, student, momentum=0.999):
    for average, new in zip(teacher.parameters(), student.parameters()):
        average.mul_(1 - momentum).add_(new, alpha=momentum)


def consistency(student_logits, teacher_logits):
    return F.mse_loss(student_logits, teacher_logits.detach())
```

## Use instead

```python
import torch
import torch.nn.functional as F


@torch.no_grad()
def update_teacher(teacher, student, momentum=0.999):
    for average, new in zip(teacher.parameters(), student.parameters()):
        average.mul_(momentum).add_(new, alpha=1 - momentum)


def consistency(student_logits, teacher_logits):
    return F.mse_loss(student_logits, teacher_logits.detach())
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the training.

## Known false alarms

An average that is meant to be short, with a weight of 0.9 or more for the new value.

## References

Tarvainen, Valpola 2017 (mean teacher).

---

参数滑动平均的两个权重写反了：平均值几乎就是最新值。

## 它检查什么

检查用一个模型的参数更新另一个模型参数的写法 `t = (1 - m) * t + m * s`（各种写法），其中新值的权重
接近 1、旧值的权重接近 0。

## 为什么

mean teacher 是学生最近约 1/(1 − m) 步的平均。权重写反后，它只记得最后一两步：教师就是学生的副本，
同样抖动，一致性损失等于拿学生和自己比。

## 实测影响

参数每步带有标准差为 1 的独立噪声，m = 0.999：正确的平均值标准差为 0.022，写反后为 0.999。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练。

## 已知误报

有意使用很短的平均，即新值的权重就是 0.9 以上。

## 参考

Tarvainen、Valpola 2017（mean teacher）。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import words
from didact.check.findings.finding import Severity
from didact.check.rules._averages import Update, number_of, told_number, updates
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD513"
NAME = "teacher-average-reversed"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = ("EMA-REVERSED",)
_NEAR_ONE = 0.9
_NOTHING_TOLD: Mapping[str, float] = MappingProxyType({})


def check(analysis: Analysis, told: Mapping[str, float] = _NOTHING_TOLD) -> Iterator[Found]:
    """Find averages of parameters that keep next to nothing of the old value.

    ``told`` holds the values that names have by the words around the code.
    """
    for update in updates(analysis):
        share = _share_of_new(analysis, update, told)
        if share:
            yield Found(
                update.node,
                _MESSAGE.format(old=ast.unparse(update.target), new=ast.unparse(update.source),
                                share=share),
            )  # fmt: skip


def unknown_averages(analysis: Analysis, told: Mapping[str, float]) -> Iterator[Update]:
    """The averages whose weights have no value in the code or in the words around it."""
    for update in updates(analysis):
        if _value(analysis, update, told) is None:
            yield update


def _value(analysis: Analysis, update: Update, told: Mapping[str, float]) -> float | None:
    known = number_of(analysis, update.new_weight, update.node)
    return told_number(update.new_weight, told) if known is None else known


def _share_of_new(analysis: Analysis, update: Update, told: Mapping[str, float]) -> str:
    """The weight of the new value as it is to be shown, where it is near 1; else nothing."""
    new = _value(analysis, update, told)
    if new is not None:
        return f"{new:g}" if _NEAR_ONE <= new < 1 else ""
    kept, name = update.old_weight, update.new_weight
    complement = (
        isinstance(kept, ast.BinOp)
        and isinstance(kept.op, ast.Sub)
        and isinstance(kept.left, ast.Constant)
        and kept.left.value == 1
        and ast.dump(kept.right) == ast.dump(name)
    )
    last = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
    return ast.unparse(name) if complement and "decay" in words(last) else ""


_MESSAGE = Text(
    "the two weights of this moving average are swapped: `{new}`, the model that is trained, gets "
    "{share}, and the average `{old}` keeps only the small rest of itself, so it is a copy of the "
    "trained model after a step or two. Exchange the two weights",
    "这个滑动平均的两个权重写反了：正在训练的 `{new}` 权重是 {share}，被平均的 `{old}` 每一步只保留"
    "很小一部分旧值，一两步之后就几乎等于前者。应交换两个权重",
)
