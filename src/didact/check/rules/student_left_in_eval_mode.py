"""The student is put into evaluation mode in the loop over epochs, and never back.

## What it does

Finds a loop that trains a model, calls its `eval()` after the training steps, and calls `train()`
on it nowhere inside the loop.

## Why is this bad

`eval()` stays until `train()` is called. The first epoch trains as meant; from the second on
dropout is off and BatchNorm normalises with its stored statistics, which no longer move: another
network is trained than the one that was begun with.

## Measured effect

A small network with dropout 0.5 and BatchNorm, on 256 samples for 30 epochs: with `train()` in the
loop the stored variance is 0.98 of the data's; without it, it has stayed at 0.37 of it.

## Example

```python
import torch
import torch.nn.functional as F


def fit(student, teacher, loader, held_out, optimizer):
    teacher.eval()
    student.train()
    for epoch in range(30):
        for images, _ in loader:
            with torch.no_grad():
                target = teacher(images)
            loss = F.mse_loss(student(images), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        student.eval()
        with torch.no_grad():
            print(epoch, student(held_out).mean())
```

## Use instead

```python
import torch
import torch.nn.functional as F


def fit(student, teacher, loader, held_out, optimizer):
    teacher.eval()
    for epoch in range(30):
        student.train()
        for images, _ in loader:
            with torch.no_grad():
                target = teacher(images)
            loss = F.mse_loss(student(images), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        student.eval()
        with torch.no_grad():
            print(epoch, student(held_out).mean())
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the training.

## Known false alarms

A model without dropout and batch statistics; a function of another file that calls `train()` on a
model that is handed to it.

## References

PyTorch documentation, `torch.nn.Module.eval`.

---

在按轮次的循环里把学生切到评估模式，之后再没有切回训练模式。

## 它检查什么

检查这样的循环：里面训练一个模型，训练步之后对它调用 `eval()`，而循环内没有任何地方对它调用
`train()`。

## 为什么

`eval()` 会一直有效，直到调用 `train()`。第一轮训练正常；从第二轮起 dropout 关闭，BatchNorm 改用存下
来的统计量，而且不再更新：训练的已经不是原来那个网络了。

## 实测影响

带 dropout 0.5 和 BatchNorm 的小网络，256 个样本训练 30 轮：循环里有 `train()` 时，滑动方差是数据方
差的 0.98；没有时停在 0.37。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练。

## 已知误报

模型里既没有 dropout 也没有 batch 统计量；别的文件里的函数会对传入的模型调用 `train()`。

## 参考

PyTorch 文档，`torch.nn.Module.eval`。
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Role
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD514"
NAME = "student-left-in-eval-mode"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = ("STUDENT-EVAL-MODE",)
_LOOPS = (ast.For, ast.While)
_EVALUATES = re.compile(r"test|val|valid|validate|eval|evaluate|acc|accuracy|metrics?|print")


def check(analysis: Analysis) -> Iterator[Found]:
    """Find models that are trained in a loop and left in evaluation mode at the end of it."""
    done: set[int] = set()
    for call in _method_calls(analysis, "eval"):
        model = dotted(call.func.value)  # type: ignore[attr-defined]
        loop = _training_loop(analysis, call, model) if model else None
        if loop is not None and id(loop) not in done:
            done.add(id(loop))
            yield Found(call, _MESSAGE.format(model=model))


def _method_calls(analysis: Analysis, name: str) -> Iterator[ast.Call]:
    for node in analysis.index.of(ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == name and not node.args:
            yield node


def _training_loop(analysis: Analysis, call: ast.Call, model: str) -> ast.AST | None:
    """The outermost loop around an ``eval()`` in which the model has been trained before it."""
    loop, around = None, analysis.parent_of(call)
    while around is not None and not isinstance(
        around, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    ):
        if isinstance(around, _LOOPS):
            loop = around
        around = analysis.parent_of(around)
    if loop is None or not _is_trained_before(analysis, loop, call, model):
        return None
    return None if _may_go_back(loop, model) else loop


def _is_trained_before(analysis: Analysis, loop: ast.AST, call: ast.Call, model: str) -> bool:
    """Whether ``backward`` and ``step`` come before, after a forward pass with a graph."""
    here = call.lineno
    calls = [n for n in nodes_of(loop) if isinstance(n, ast.Call) and n.lineno < here]
    names = {n.func.attr for n in calls if isinstance(n.func, ast.Attribute)}
    if not {"backward", "step"} <= names:
        return False
    last = max(n.lineno for n in calls if getattr(n.func, "attr", "") == "step")
    runs = [
        forward
        for forward in analysis.forwards
        if forward.model == model
        and not forward.under_no_grad
        and loop.lineno < forward.node.lineno <= last  # type: ignore[attr-defined]
    ]
    trained = analysis.facts.optimized
    mine = model.split(".")[-1]
    others = trained and mine not in trained and not any(p in trained for p in model.split("."))
    teacher = any(forward.value.role is Role.TEACHER for forward in runs)
    return bool(runs) and not teacher and not others


def _may_go_back(loop: ast.AST, model: str) -> bool:
    """Whether anything in the loop may put the model back into training mode."""
    for part in nodes_of(loop):
        if not isinstance(part, ast.Call):
            continue
        name = dotted(part.func)
        last = name.rpartition(".")[2] or getattr(part.func, "attr", "")
        if last.startswith(("train", "set_train", "set_mode", "_set_mode")):
            return True
        given = any(dotted(argument) == model for argument in part.args)
        if given and not any(_EVALUATES.fullmatch(word) for word in words(last)):
            return True
    return False


_MESSAGE = Text(
    "{model}.eval() is called at the end of each round and {model}.train() nowhere in the loop: "
    "from the second round on it trains without dropout and with frozen BatchNorm statistics. Call "
    "{model}.train() at the start of each round",
    "每轮末尾都调用 {model}.eval()，而循环里没有 {model}.train()：从第二轮起它在评估模式下训练，"
    "dropout 关闭，BatchNorm 的统计量不再更新。应在每轮开头调用 {model}.train()",
)
