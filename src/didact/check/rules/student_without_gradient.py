"""The student runs under `no_grad`: the loss teaches it nothing.

## What it does

Finds a distillation loss whose student output was computed under `no_grad` and which is part of
what `backward()` is called on; a loss computed under `no_grad` from what has a graph, and one
whose student's side is detached or an argmax, where another loss with a graph is added to it.

## Why is this bad

Without a graph the term is a constant. Alone, `backward()` raises; beside a hard loss it adds a
number and no gradient, without a word.

## Measured effect

Alone: RuntimeError. With cross-entropy: the gradient is that of the cross-entropy alone, the
toy student at 52.7 %.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(student, teacher, images, labels):
    with torch.no_grad():
        student_logits = student(images)
        teacher_logits = teacher(images)
    loss = F.mse_loss(student_logits, teacher_logits)
    loss.backward()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(student, teacher, images, labels):
    student_logits = student(images)
    with torch.no_grad():
        teacher_logits = teacher(images)
    loss = F.mse_loss(student_logits, teacher_logits)
    loss.backward()
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

None known.

## References

PyTorch, `torch.no_grad`.

---

学生在 `no_grad` 下运行：损失教不了它任何东西。

## 它检查什么

检查学生输出在 `no_grad` 下计算、又进入 `backward()` 的蒸馏损失；以及输入带计算图、自身却在
`no_grad` 下计算的损失，或学生一侧被 detach、取过 argmax 的损失，而它又与另一个带图的损失相加。

## 为什么

没有计算图，这一项就是常数。单独使用时 `backward()` 报错；与硬损失相加时，只是多了一个数，没
有梯度，也没有任何提示。

## 实测影响

单独使用：RuntimeError。与交叉熵相加：梯度只有交叉熵的，小实验精度 52.7 %。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

暂无。

## 参考

PyTorch 文档 `torch.no_grad`。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Scope, Term
from didact.check.engine.machine import Predictor
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Evidence, Grad, Role
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, arguments, totals_with, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import is_told_elsewhere, outer, place_in_file

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD504"
NAME = "student-without-gradient"
SEVERITY = Severity.ERROR
TOPIC = "teacher"
CATALOGUE = ("STUDENT-NO-GRAD",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find losses in which nothing has a gradient and which are to be trained on."""
    for use in uses(analysis, *SOFT, "mse", "l1", "cosine", "cross_entropy"):
        student = use.input if use.input.role is Role.STUDENT else use.target
        if student.role is not Role.STUDENT or student.grad is not Grad.NO:
            continue
        other = use.target if student is use.input else use.input
        if (
            other.grad is not Grad.YES
            and _is_trained_so(analysis, use)
            and _runs_student(analysis, use)
        ):
            named = Severity.WARNING if student.role_from is Evidence.NAME else None
            message = _PREDICTS if _is_prediction(analysis, student) else _MESSAGE
            yield Found(use.node, message.format(both=arguments(use)), severity=named)
    yield from _computed_without_graph(analysis)


def _is_trained_so(analysis: Analysis, use: LossUse) -> bool:
    """Whether ``backward`` starts from the loss as it is here: a helper may evaluate as well."""
    return any(
        total.how == "backward"
        and term.use.scope.calls == use.scope.calls
        and (term.use.input.grad, term.use.target.grad) == (use.input.grad, use.target.grad)
        for total, term in totals_with(analysis, use)
    )


def _computed_without_graph(analysis: Analysis) -> Iterator[Found]:
    """A loss of a tensor with a graph, computed under ``no_grad`` and then added to another one."""
    done: set[int] = set()
    for total in analysis.totals:
        terms = [term for term in total.value.terms if not term.cut]
        trained = [term for term in terms if _has_graph(term)]
        for term in terms if trained else ():
            use = term.use
            graph = bool(use.input.sources or use.target.sources)
            wanted = (use.under_no_grad and graph) or (
                _is_cut_off(use) and any(_is_of_something_known(other) for other in trained)
            )
            alone = all(term.excludes(other) for other in trained)
            if alone or is_told_elsewhere(analysis, use, total):
                continue
            if wanted and use.kind != "other" and id(use.node) not in done:
                done.add(id(use.node))
                message = _UNDER if use.under_no_grad else _CUT
                guessed = Evidence.NAME in (use.input.role_from, use.target.role_from)
                severity = Severity.WARNING if guessed and not use.under_no_grad else None
                place = place_in_file(analysis, use)
                yield Found(place, message.format(both=arguments(use)), severity=severity)


def _is_of_something_known(term: Term) -> bool:
    """Whether more than a loss's name is known: a whole evaluation may stand under no_grad."""
    return term.use.kind not in ("named", "other") or bool(term.use.input.sources)


def _is_cut_off(use: LossUse) -> bool:
    """Whether the student's side was detached, or picked by argmax, and the other has no graph."""
    if use.kind not in (*SOFT, "mse", "l1", "cosine") or use.under_no_grad:
        return False
    sides = (use.input, use.target)
    students = [side for side in sides if side.role is Role.STUDENT and side.grad is Grad.NO]
    others = [side for side in sides if side.role is Role.TEACHER]
    return len(students) == len(others) == 1 and others[0].grad is not Grad.YES


def _has_graph(term: Term) -> bool:
    """Whether a term is trained: computed with a graph, from something that may have one."""
    use = term.use
    constant = use.input.grad is Grad.NO and use.target.grad is not Grad.YES
    return not use.under_no_grad and not constant


def _runs_student(analysis: Analysis, use: LossUse) -> bool:
    return any(
        forward.under_no_grad
        and role_of(forward.model) is Role.STUDENT
        and any(forward.scope.node is scope.node for scope in _scopes(analysis, use))
        for forward in analysis.forwards
    )


def _scopes(analysis: Analysis, use: LossUse) -> Iterator[Scope]:
    """The function that computes a loss, and those that called it to train on it."""
    scope = use.scope
    yield scope
    while scope.calls:
        scope = outer(analysis, scope)
        yield scope


def _is_prediction(analysis: Analysis, student: Value) -> bool:
    """Whether the model that was run is one that only predicts."""
    for forward in analysis.forwards:
        if role_of(forward.model) is Role.STUDENT and forward.under_no_grad:
            callee = analysis.value_of(forward.node.func)
            if callee is not None and isinstance(callee.payload, Predictor):
                return student.grad is Grad.NO
    return False


_PREDICTS = Text(
    "calling a YOLO object of ultralytics predicts: it gives a list of results without a graph, "
    "and no gradient reaches the student. Train its module, model.model, instead {both}",
    "调用 ultralytics 的 YOLO 对象是在做预测：返回的是没有计算图的结果列表，梯度到不了学生。"
    "应训练其中的模块 model.model {both}",
)
_CUT = Text(
    "the student's side of this loss has no graph (detach, .data, numpy or argmax on the way): in "
    "the sum that it is added to it is a constant, and no gradient comes from it {both}",
    "这个损失的学生一侧没有计算图（途中经过了 detach、.data、numpy 或 argmax）：在它被加入的总损失"
    "里它只是常数，不会带来梯度 {both}",
)
_UNDER = Text(
    "this loss is computed under no_grad, although what goes into it has a graph: in the sum that "
    "it is added to it is a constant, and backward() brings no gradient from it {both}",
    "这个损失在 no_grad 下计算，尽管它的输入带有计算图：在它被加入的总损失里它只是常数，backward() "
    "不会从它带来任何梯度 {both}",
)
_MESSAGE = Text(
    "the student's output was computed under no_grad: this loss is a constant, and backward() "
    "brings the student no gradient from it {both}",
    "学生的输出是在 no_grad 下计算的：这个损失是常数，backward() 不会从它给学生带来梯度 {both}",
)
