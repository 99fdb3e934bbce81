"""The teacher runs with a graph: memory and time for a gradient nobody uses.

## What it does

Finds a teacher's forward pass outside `no_grad`, not detached, whose output reaches a loss.

## Why is this bad

The graph of the teacher is kept until `backward()`, which then computes gradients for all its
parameters. If an optimiser holds them, the teacher even moves towards the student.

## Measured effect

The teacher's gradient norm is 0.71 after one step; the student's numbers do not change.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(student, teacher, images):
    teacher_logits = teacher(images)
    loss = F.mse_loss(student(images), teacher_logits)
    loss.backward()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(student, teacher, images):
    with torch.no_grad():
        teacher_logits = teacher(images)
    loss = F.mse_loss(student(images), teacher_logits)
    loss.backward()
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Silent where `requires_grad` is turned off in the file, or where the graph is needed (a backward
through the teacher). A teacher frozen in another file is reported all the same.

## References

PyTorch, `torch.no_grad`.

---

教师的前向带着计算图：为没人用的梯度付出显存和时间。

## 它检查什么

检查不在 `no_grad` 中、未 detach、而输出进入损失的教师前向计算。

## 为什么

教师的计算图会一直保留到 `backward()`，并对它的全部参数求梯度。如果优化器里有这些参数，教师
还会向学生靠拢。

## 实测影响

一步之后教师梯度范数为 0.71；学生的数值不变。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

本文件中关闭了 `requires_grad`，或确实需要计算图（对教师反向传播）时不报告。在其他文件里冻结
的教师仍会报告。

## 参考

PyTorch 文档 `torch.no_grad`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Forward
from didact.check.engine.names import dotted, role_of, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Role
from didact.check.engine.teacher_state import names_of
from didact.check.findings.finding import Severity
from didact.check.rules._common import is_without_grad
from didact.check.rules._rule import Found
from didact.check.rules._trace import computed_from

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD502"
NAME = "teacher-with-gradient"
SEVERITY = Severity.INFO
TOPIC = "teacher"
CATALOGUE = ("TEACHER-GRAD",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find teachers' graphs that reach a loss."""
    reached = {
        key for use in analysis.uses for side in (use.input, use.target) for key in side.sources
    }
    spared = {forward.key for forward in analysis.forwards if forward.under_no_grad}
    for forward in analysis.forwards:
        if (
            forward.key in spared
            or _is_on_the_way(forward)
            or role_of(forward.model) is not Role.TEACHER
            or not (forward.key in reached or _may_reach(analysis, forward))
        ):
            continue
        if analysis.facts.is_frozen(forward.model) or _is_wanted(analysis, forward):
            continue
        if not _is_trained(analysis, forward):
            yield Found(forward.node, _MESSAGE.format(model=forward.model))
    if analysis.uses:
        yield from _of_lists(analysis)


def _of_lists(analysis: Analysis) -> Iterator[Found]:
    """``t(x)`` for each ``t`` of ``teachers``."""
    rounds: list[tuple[ast.AST, ast.expr, ast.expr]] = [
        (n, n.target, n.iter) for n in analysis.index.of(ast.For)
    ]
    for made in (*analysis.index.of(ast.ListComp), *analysis.index.of(ast.GeneratorExp)):
        assert isinstance(made, ast.ListComp | ast.GeneratorExp)
        rounds.append((made, made.generators[0].target, made.generators[0].iter))
    for place, target, walked in rounds:
        teachers = dotted(walked)
        if isinstance(target, ast.Name) and role_of(target.id) is Role.TEACHER:
            continue  # its forward is found as any teacher's
        several = bool({"teachers", "experts"} & set(words(teachers.rpartition(".")[2])))
        if not several or not isinstance(target, ast.Name):
            continue
        name = target.id
        if analysis.facts.is_frozen(teachers) or analysis.facts.is_frozen(name):
            continue
        for call in nodes_of(place):
            runs = isinstance(call, ast.Call) and dotted(call.func) == name and call.args
            if runs and not is_without_grad(analysis, call) and not _is_cut(analysis, call):
                yield Found(call, _MESSAGE.format(model=f"{name} ∈ {teachers}"))
                return


def _is_cut(analysis: Analysis, call: ast.AST) -> bool:
    """Whether an output is detached where it is computed, or its function records no graph."""
    around = analysis.parent_of(call)
    while around is not None:
        if isinstance(around, ast.Attribute) and around.attr in ("detach", "data"):
            return True
        if isinstance(around, ast.FunctionDef):
            return any("no_grad" in ast.unparse(d) for d in around.decorator_list)
        around = analysis.parent_of(around)
    return False


def _may_reach(analysis: Analysis, forward: Forward) -> bool:
    """Whether one of several branches brings its output into the target of a loss."""
    function = forward.scope.node
    return any(
        id(forward.node) in computed_from(function, use.target_node)
        for use in analysis.uses
        if use.scope.node is function and use.kind != "other"
    )


def _is_wanted(analysis: Analysis, forward: Forward) -> bool:
    parent = analysis.parent_of(forward.node)
    name = dotted(parent.targets[0]) if isinstance(parent, ast.Assign) else ""
    return bool(name) and bool(names_of(name) & analysis.facts.gradients_wanted)


def _is_trained(analysis: Analysis, forward: Forward) -> bool:
    """A teacher with a hard loss of its own, or an optimiser, is being trained."""
    if any(name in analysis.facts.optimized for name in names_of(forward.model)):
        return True
    return any(
        use.is_hard and forward.key in use.input.sources and use.target.role is not Role.TEACHER
        for use in analysis.uses
    )


def _is_on_the_way(forward: Forward) -> bool:
    """The gradient has to flow through the teacher: into a generator, a projector, the student."""
    return bool(forward.inputs) or forward.takes_student


_MESSAGE = Text(
    "{model} runs with a graph: its activations are kept and gradients computed for all its "
    "parameters, and nobody uses them. Run it under torch.no_grad()",
    "{model} 的前向带着计算图：会保留激活、为它的全部参数求梯度，却没有人用。应放在 torch.no_grad"
    "() 下运行",
)
