"""Both sides of the distillation loss are the same tensor.

## What it does

Finds KL or soft cross-entropy whose two arguments are made from one and the same output, and
terms of a sum that rest on the frozen teacher alone.

## Why is this bad

D(p‖p) = 0: the loss and its gradient vanish, and the student learns from the labels alone.

## Measured effect

Loss 0, gradient 0; the toy student at 52.7 %.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(teacher_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Entropy written as p log p is not reported.

## References

Hinton et al. 2015.

---

蒸馏损失的两侧是同一个张量。

## 它检查什么

检查两个参数由同一个输出得到的 KL，以及总损失中只取决于冻结教师的项。

## 为什么

D(p‖p) = 0：损失与梯度都为零，学生只从标签学习。

## 实测影响

损失 0，梯度 0；小实验精度 52.7 %。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

写成 p log p 的熵不报告。

## 参考

Hinton 等 2015。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Operation, Softmax, Term
from didact.check.engine.names import role_of, source
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Evidence, Grad, Role
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._common import uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import is_told_elsewhere, path, place_in_file

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD509"
NAME = "student-unused"
SEVERITY = Severity.ERROR
TOPIC = "teacher"
CATALOGUE = ("STUDENT-UNUSED",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find losses between a tensor and itself."""
    by_node = {id(softmax.node): softmax for softmax in analysis.softmaxes}
    for use in uses(analysis, "kl_div", "kl_by_hand"):
        first, second = by_node.get(id(use.input.origin)), by_node.get(id(use.target.origin))
        if first is None or second is None or first.node is second.node:
            continue
        one, other = first.argument_node, second.argument_node
        if one is None or other is None or ast.unparse(one) != ast.unparse(other):
            continue
        if (
            first.argument == second.argument
            and first.scope.node is second.scope.node
            and not _between(first, second, one)
        ):
            yield Found(use.node, _MESSAGE.format(name=source(one)))
    yield from _same_tensor(analysis)
    yield from _of_the_teacher_alone(analysis)


def _of_the_teacher_alone(analysis: Analysis) -> Iterator[Found]:
    """A term that rests on the teacher alone, added to one that is trained."""
    done: set[int] = set()
    for total in analysis.totals:
        if total.value.joined or total.how == "assign" or len(total.value.terms) < 2:
            continue
        trained = any(_learns(term) for term in total.value.terms)
        for term in total.value.terms if trained else ():
            use = term.use
            if is_told_elsewhere(analysis, use, total):
                continue
            if id(use.node) not in done and not term.cut and _rests_on_the_teacher(use):
                done.add(id(use.node))
                node = place_in_file(analysis, use)
                yield Found(node, _TEACHER.format(name=source(use.node)), severity=Severity.WARNING)
    for operation in analysis.operations_of("backward"):
        for summand in _summands(analysis, operation):
            value = analysis.value_of(summand)
            if value is None or value.terms or id(summand) in done:
                continue
            if _is_of_teachers(analysis, value):
                done.add(id(summand))
                yield Found(
                    summand, _TEACHER.format(name=source(summand)), severity=Severity.WARNING
                )


def _learns(term: Term) -> bool:
    use = term.use
    return not term.cut and not use.under_no_grad and Grad.YES in (use.input.grad, use.target.grad)


def _rests_on_the_teacher(use: LossUse) -> bool:
    """Whether a loss on labels is one of the teacher's output, which has no graph."""
    return (
        use.kind in ("cross_entropy", "nll", "bce", "bce_logits")
        and use.input.role is Role.TEACHER
        and use.input.role_from is Evidence.MODEL
        and use.input.grad is Grad.NO
        and use.target.grad is not Grad.YES
        and use.target.role is not Role.STUDENT
    )


def _summands(analysis: Analysis, operation: Operation) -> list[ast.expr]:
    """The parts of the sum that ``loss.backward()`` starts from."""
    call = operation.node
    method = call.func if isinstance(call, ast.Call) else None
    base = method.value if isinstance(method, ast.Attribute) else None
    first = call.args[0] if isinstance(call, ast.Call) and call.args else None
    given = analysis.value_of(first) if first is not None else None
    if given is not None and given == operation.base:
        base = first  # accelerator.backward(loss)
    for step in path(analysis, base, operation.scope):
        node = step.node
        if isinstance(node, ast.BinOp):
            parts = _parts_of(node)
            return parts if len(parts) > 1 else []
        if not isinstance(node, ast.Name):
            return []
    return []


def _parts_of(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_parts_of(node.left), *_parts_of(node.right)]
    return [node]


def _is_of_teachers(analysis: Analysis, value: Value) -> bool:
    """Whether every model behind a value is a teacher that is frozen, run on nothing learnt."""
    models = [forward for forward in analysis.forwards if forward.key in value.sources]
    return bool(models) and all(
        role_of(forward.model) is Role.TEACHER
        and analysis.facts.is_frozen(forward.model)
        and not forward.inputs
        and not forward.takes_student
        for forward in models
    )


def _same_tensor(analysis: Analysis) -> Iterator[Found]:
    """A distance between a variable and itself."""
    for use in uses(analysis, "mse", "l1", "kl_div", "bce"):
        one, other = use.input_node, use.target_node
        if (
            isinstance(one, ast.Name | ast.Attribute)
            and other is not None
            and ast.unparse(one) == ast.unparse(other)
            and not use.input.terms
        ):
            yield Found(use.node, _MESSAGE.format(name=source(one)))


def _between(first: Softmax, second: Softmax, node: ast.expr) -> bool:
    """The variable is assigned anew between the two."""
    names = {n.id for n in nodes_of(node) if isinstance(n, ast.Name)}
    low, high = sorted((first.node.lineno, second.node.lineno))
    return any(
        isinstance(n, ast.Name)
        and n.id in names
        and isinstance(n.ctx, ast.Store)
        and low <= n.lineno <= high
        for n in nodes_of(first.scope.node)
    )


_TEACHER = Text(
    "'{name}' rests on the teacher alone, which is not trained: in the sum it is a constant, and "
    "no gradient comes from it; the student's output was probably meant",
    "'{name}' 只取决于不参与训练的教师：在总损失里它是常数，不会带来梯度；多半本应使用学生的输出",
)
_MESSAGE = Text(
    "both sides of the loss are made from '{name}': it is 0, and so is its gradient; the other "
    "model's output was probably meant",
    "损失两侧都由 '{name}' 得到：损失为 0，梯度也为 0；多半其中一侧本应是另一个模型的输出",
)
