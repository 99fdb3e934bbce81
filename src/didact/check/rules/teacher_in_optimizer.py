"""The optimiser holds the teacher's parameters: it learns to agree with the student.

## What it does

Finds an optimiser that is given a teacher's parameters, where that teacher only serves as a
target; also one that is given these alone, while a student is run and trained by nothing.

## Why is this bad

The distillation loss is least when both agree, and it is easier for the teacher to forget than
for the student to learn: both end at the uniform distribution.

## Measured effect

After 300 steps the teacher agrees with its former self on 66 % of samples; the entropy is 2.296
of 2.303, a collapse.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train(student, teacher, images):
    teacher.eval()
    optimizer = torch.optim.SGD(list(student.parameters()) + list(teacher.parameters()), lr=0.1)
    with torch.no_grad():
        teacher_logits = teacher(images)
    F.mse_loss(student(images), teacher_logits).backward()
    optimizer.step()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train(student, teacher, images):
    teacher.eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    with torch.no_grad():
        teacher_logits = teacher(images)
    F.mse_loss(student(images), teacher_logits).backward()
    optimizer.step()
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Mutual learning and mean teachers: a teacher with a loss on true labels of its own, or frozen,
is not reported.

## References

Hinton et al. 2015.

---

优化器里有教师的参数：教师会学着迎合学生。

## 它检查什么

检查把只充当目标的教师的参数交给优化器的写法；也检查只把教师的参数交给优化器、学生却没有任何优化器
来训练的写法。

## 为什么

两者一致时蒸馏损失最小，而教师遗忘比学生学会更容易：最后双双塌缩到均匀分布。

## 实测影响

300 步之后，教师与原来的自己只有 66 % 的样本一致；熵为 2.296（上限 2.303），即塌缩。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

互学习与 mean teacher：教师有自己的真实标签损失或已冻结时不报告；教师始终在 `no_grad` 下运行时
只作提示。

## 参考

Hinton 等 2015。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Forward
from didact.check.engine.names import role_of
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Role
from didact.check.engine.teacher_state import names_of
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD508"
NAME = "teacher-in-optimizer"
SEVERITY = Severity.ERROR
TOPIC = "teacher"
CATALOGUE = ("OPT-HAS-TEACHER",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find optimisers that hold a teacher beside a student."""
    for name, call in analysis.facts.optimized.items():
        if role_of(name) is not Role.TEACHER or analysis.facts.is_frozen(name):
            continue
        others = [
            other
            for other, its in analysis.facts.optimized.items()
            if its is call and other != name
        ]
        runs = [f for f in analysis.forwards if name in names_of(f.model)]
        if not runs or any(_is_trained(analysis, forward) for forward in runs):
            continue
        if others and all(forward.under_no_grad for forward in runs):
            yield Found(call, _IDLE.format(model=name), severity=Severity.INFO)
        elif others:
            yield Found(call, _MESSAGE.format(model=name))
        elif (student := _student_left_out(analysis, name)) is not None:
            yield Found(call, _ALONE.format(model=name, student=student), severity=Severity.WARNING)


def _student_left_out(analysis: Analysis, teacher: str) -> str | None:
    """A student that runs with a graph, where the teacher alone is in an optimiser."""
    if set(analysis.facts.optimized) - {teacher}:
        return None
    wanted = sum(
        isinstance(part, ast.Attribute) and part.attr in ("parameters", "named_parameters")
        for call in analysis.index.of(ast.Call)
        if any(k.arg == "lr" for k in call.keywords)
        for part in nodes_of(call)
    )
    if wanted != 1:
        return None
    for forward in analysis.forwards:
        if role_of(forward.model) is Role.STUDENT and not forward.under_no_grad:
            return forward.model
    return None


def _is_trained(analysis: Analysis, forward: Forward) -> bool:
    return any(use.is_hard and forward.key in use.input.sources for use in analysis.uses)


_IDLE = Text(
    "the optimiser also holds the parameters of '{model}', which runs under no_grad alone: they "
    "get no gradient and stay as they are, but one pass with a graph would train the target. Pass "
    "the student's parameters alone",
    "优化器里还有 '{model}' 的参数，而它只在 no_grad 下运行：这些参数没有梯度，不会变化，"
    "但只要有一次带计算图的前向，目标就会被训练。只应传入学生的参数",
)
_MESSAGE = Text(
    "the optimiser also holds the parameters of '{model}', which is only a target here: it "
    "learns to agree with the student, and both collapse. Pass the student's parameters alone",
    "优化器里还有 '{model}' 的参数，而它在这里只是目标：它会学着迎合学生，最终双双塌缩。只应传入"
    "学生的参数",
)
_ALONE = Text(
    "the optimiser is given the parameters of '{model}', not those of '{student}': nothing trains "
    "the student. Pass {student}.parameters()",
    "交给优化器的是 '{model}' 的参数，而不是 '{student}' 的：学生根本没有被训练。应传入 "
    "{student}.parameters()",
)
