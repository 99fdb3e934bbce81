"""`teacher = student` makes a second name, not a copy.

## What it does

Finds a teacher or old model that is assigned the model that is being trained, without a copy.

## Why is this bad

Both names are the same object: with every step the teacher becomes the student, the two agree
exactly, and the distillation loss is zero.

## Measured effect

Loss −2e-8, gradient 1e-7.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train(student, images):
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    teacher = student
    with torch.no_grad():
        teacher_logits = teacher(images)
    loss = F.mse_loss(student(images), teacher_logits)
    loss.backward()
    optimizer.step()
```

## Use instead

```python
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F


def train(student, images):
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    teacher = copy.deepcopy(student)
    with torch.no_grad():
        teacher_logits = teacher(images)
    loss = F.mse_loss(student(images), teacher_logits)
    loss.backward()
    optimizer.step()
```

## Fix safety

Unsafe: `copy.deepcopy(...)` around it.

## Known false alarms

Setters (the model is a parameter), assignments inside a branch (self-distillation by choice)
and models that are replaced afterwards are not reported.

## References

Python, `copy.deepcopy`.

---

`teacher = student` 只是多了一个名字，并没有复制。

## 它检查什么

检查把正在训练的模型直接赋给教师或旧模型、而没有复制的写法。

## 为什么

两个名字指向同一个对象：每走一步，教师就变成学生，两者完全一致，蒸馏损失恒为零。

## 实测影响

损失 −2e-8，梯度 1e-7。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：改为 `copy.deepcopy(...)`。

## 已知误报

赋值函数（模型是参数）、分支里的赋值（有意自蒸馏）、之后又替换了模型时不报告。

## 参考

Python 文档 `copy.deepcopy`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, is_model, role_of, word_set, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Grad, Role
from didact.check.engine.teacher_state import names_of
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._rule import Found, replace

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD507"
NAME = "teacher-is-student"
SEVERITY = Severity.ERROR
TOPIC = "teacher"
CATALOGUE = ("ALIAS-TEACHER",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a teacher that is the model that the optimiser trains."""
    for node, target, source in analysis.facts.aliases:
        if role_of(source) is Role.TEACHER and role_of(target) is Role.STUDENT:
            back = _goes_back_through(analysis, target) or _goes_back_through(analysis, source)
            run = _is_run(analysis, target) and _is_run(analysis, source)
            if back and run and not _is_chosen(analysis, node, source):
                yield Found(
                    node, _FOLLOWS_ITSELF.format(teacher=source, student=target), _fix(node)
                )
            continue
        if not _is_old(target) or role_of(source) is Role.TEACHER or not is_model(source):
            continue
        trained = any(name in analysis.facts.optimized for name in names_of(source))
        if not trained and not _goes_back_through(analysis, source):
            continue
        if _is_run(analysis, target) and not _is_chosen(analysis, node, source):
            yield Found(node, _MESSAGE.format(teacher=target, student=source), _fix(node))


def _is_old(target: str) -> bool:
    """Whether a name is that of a teacher or of a model of an earlier time."""
    frozen = bool(set(words(target)) & {"frozen", "fixed", "reference", "ref"})
    return frozen or role_of(target) is Role.TEACHER


def _is_run(analysis: Analysis, model: str) -> bool:
    """Whether the file runs a model for an input."""
    return any(f.model == model for f in analysis.forwards) or any(
        dotted(call.func) == model and call.args for call in analysis.index.of(ast.Call)
    )


def _goes_back_through(analysis: Analysis, model: str) -> bool:
    """Whether the file backpropagates or returns a loss, and the model runs with a graph."""
    back = any(total.how == "backward" for total in analysis.totals) or any(
        dotted(call.func).endswith(".backward") for call in analysis.index.of(ast.Call)
    )
    back |= model.startswith("self.") and any(u.input.grad is Grad.YES for u in analysis.uses)
    ran = any(f.model == model and not f.under_no_grad for f in analysis.forwards)
    return back and ran


def _is_chosen(analysis: Analysis, node: ast.Assign, source: str) -> bool:
    """Inside a branch, or the trained model is another object afterwards or in each round.

    An old model is kept in a branch as well: ``if task > 0: old_model = model``.
    """
    old = bool(set(words(dotted(node.targets[0]))) & _OLD)
    loops: list[ast.AST] = []
    parent = analysis.parent_of(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef | ast.Module):
        if isinstance(parent, ast.If) and not old:
            return True
        loops += [parent] if isinstance(parent, ast.For | ast.While) else []
        parent = analysis.parent_of(parent)
    around = {id(part) for loop in loops for part in nodes_of(loop)}
    return any(
        dotted(target) == source and (other.lineno > node.lineno or id(other) in around)
        for other in analysis.index.of(ast.Assign)
        for target in other.targets
    )


_OLD = word_set("old prev previous last past")


def _fix(node: ast.Assign) -> Fix:
    text = f"copy.deepcopy({ast.unparse(node.value)})"
    return Fix((replace(node.value, text),), "unsafe", Text("copy the model", "复制模型"))


_FOLLOWS_ITSELF = Text(
    "{student} is {teacher} itself, not a copy: every step changes the teacher as well, and the "
    "student follows its own output. Use copy.deepcopy",
    "{student} 就是 {teacher} 本身，不是副本：每一步也在改动教师，学生只是在追随自己的输出。应使用 "
    "copy.deepcopy",
)
_MESSAGE = Text(
    "{teacher} is {student} itself, not a copy: both change together, and the loss between them "
    "stays 0. Use copy.deepcopy",
    "{teacher} 就是 {student} 本身，不是副本：两者一起变化，它们之间的损失恒为 0。应使用 "
    "copy.deepcopy",
)
