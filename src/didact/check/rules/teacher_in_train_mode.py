"""The teacher is never put into evaluation mode.

## What it does

Finds a teacher that is a submodule of the student's module, or is built in the function that
runs it, and on which nothing ever calls `eval()`; a model that its class has put into training
mode and that then serves as the teacher; and, as a hint, a Lightning module's teacher that is
evaluated in `__init__` alone.

## Why is this bad

In training mode dropout makes the target random and BatchNorm uses the batch's statistics,
which also overwrite the running ones: the teacher drifts. `no_grad` stops neither, nor does
`requires_grad = False`. A teacher registered as a submodule is switched back by every
`student.train()`.

## Measured effect

The same input twice: the logits differ by up to 1.6. After shifted batches the teacher agrees
with its former self on 30 % of samples.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


class Distiller(nn.Module):
    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher

    def forward(self, images):
        with torch.no_grad():
            teacher_logits = self.teacher(images)
        return F.mse_loss(self.student(images), teacher_logits)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


class Distiller(nn.Module):
    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher

    def train(self, mode=True):
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, images):
        with torch.no_grad():
            teacher_logits = self.teacher(images)
        return F.mse_loss(self.student(images), teacher_logits)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

A teacher that is put into evaluation mode in another file. Silent where a class overrides
`train`, and where teacher.train() is called on purpose.

## References

PyTorch, `Module.eval`; vrvlive/knowlege-distillation, issue 2.

---

教师从未切换到评估模式。

## 它检查什么

检查作为学生模块的子模块、或在运行它的函数里构建，却从未调用 `eval()` 的教师；被所在类切到训练模
式后又充当教师的模型；以及（仅作提示）只在 `__init__` 里调用过 `eval()` 的 Lightning 模块的教师。

## 为什么

训练模式下，dropout 使目标带随机性，BatchNorm 使用当前批的统计量，还会改写滑动统计量，教师因
此漂移。`no_grad` 和 `requires_grad = False` 都阻止不了这两件事。教师若注册为子模块，每次
`student.train()` 都会把它切回训练模式。

## 实测影响

同一输入运行两次，logits 最大相差 1.6。经过分布偏移的批次后，教师与原来的自己只有 30 % 的样
本一致。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

教师在别的文件里切换了评估模式。类重写了 `train`、或有意调用 teacher.train() 时不报告。

## 参考

PyTorch 文档 `Module.eval`；vrvlive/knowlege-distillation，issue 2。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Forward
from didact.check.engine.index import lineage
from didact.check.engine.names import dotted, is_model, role_of, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Evidence, Grad, Role
from didact.check.engine.teacher_state import names_of
from didact.check.findings.finding import Severity
from didact.check.rules._built import built_here, is_module
from didact.check.rules._common import soft_uses
from didact.check.rules._modes import has_no_mode
from didact.check.rules._rule import Found
from didact.check.rules._trace import computed_from

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD501"
NAME = "teacher-in-train-mode"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = (
    "TEACHER-TRAIN-MODE",
    "BN-DRIFT",
)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find teachers that run in whatever mode they happen to be in."""
    done: set[str] = set()
    for forward in analysis.forwards:
        model = forward.model
        if not _is_teacher(model) or model in done:
            continue
        if _is_undone(analysis, forward):
            done.add(model)
            yield Found(forward.node, _UNDONE.format(model=model), severity=Severity.INFO)
            continue
        if _is_settled(analysis, forward):
            continue
        place = _made(analysis, forward)
        if place is not None:
            done.add(model)
            given = isinstance(getattr(place, "value", None), ast.Name)  # it comes from outside
            run = forward.node if given and analysis.owns(forward.node) else place
            yield Found(run, _MESSAGE.format(model=model))
            continue
        built = built_here(analysis, forward)
        if built is not None:
            done.add(model)
            yield Found(built, _BUILT.format(model=model))
    yield from _turned_teacher(analysis, done)


def _is_undone(analysis: Analysis, forward: Forward) -> bool:
    """Whether a submodule is evaluated where it is registered and nowhere else.

    Lightning's trainer (before 2.2) calls ``train()`` on the whole when it begins.
    """
    owner = forward.scope.owner
    if owner is None or not analysis.owns(forward.node) or _is_updated(analysis, forward.model):
        return False
    info = analysis.index.classes.get(owner.name)
    trained = info is not None and any("Lightning" in b for one in lineage(info) for b in one.bases)
    if not trained or _made(analysis, forward) is None:
        return False
    start = next((m for m in owner.body if getattr(m, "name", "") == "__init__"), None)
    inside = {id(part) for part in nodes_of(start)} if start is not None else set()
    names = names_of(forward.model)
    places = [
        id(call) in inside
        for index in analysis.files()
        for call in index.of(ast.Call)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "eval"
        and names & names_of(dotted(call.func.value) or "-")
    ]
    return bool(places) and all(places)


def _turned_teacher(analysis: Analysis, done: set[str]) -> Iterator[Found]:
    """A model that is trained elsewhere in the class and is now the teacher, in that mode."""
    for use in soft_uses(analysis):
        target = use.target
        named = target.role is Role.TEACHER and target.role_from is Evidence.NAME
        if not named or use.input.grad is Grad.NO or use.scope.owner is None:
            continue
        for forward in analysis.forwards:
            model = forward.model
            settled = model in done or _is_evaluated_in(use.scope.owner, model)
            if settled or not forward.under_no_grad or forward.scope.node is not use.scope.node:
                continue
            called = {dotted(call.func) for call in _calls_in(use.scope.owner)}
            if f"{model}.train" in called and id(forward.node) in computed_from(
                use.scope.node, use.target_node
            ):
                done.add(model)
                yield Found(forward.node, _TURNED.format(model=model))


def _is_evaluated_in(owner: ast.ClassDef, model: str) -> bool:
    """Whether a class calls ``eval()`` on it, other than to evaluate it."""
    methods = [item for item in owner.body if isinstance(item, ast.FunctionDef)]
    return any(
        isinstance(part, ast.Call) and dotted(part.func) == f"{model}.eval"
        for method in methods
        if not set(words(method.name)) & {"eval", "evaluate", "test", "validate", "predict"}
        for part in nodes_of(method)
    )


def _calls_in(owner: ast.ClassDef) -> Iterator[ast.Call]:
    return (part for part in nodes_of(owner) if isinstance(part, ast.Call))


def _is_teacher(model: str) -> bool:
    """A teacher or an old model as a whole, by its own name."""
    parts = [part for part in model.split(".") if part not in ("self", "forward")]
    found = set(words(parts[0])) if parts else set()
    whole = bool(found & {"model", "net", "network", "teacher"}) and is_model(model)
    return whole and role_of(parts[0]) is Role.TEACHER


def _is_settled(analysis: Analysis, forward: Forward) -> bool:
    facts, model = analysis.facts, forward.model
    trained = any(name in facts.trained for name in names_of(model))
    return facts.is_evaluated(model) or trained or _is_updated(analysis, model)


def _is_updated(analysis: Analysis, model: str) -> bool:
    """A teacher that is itself trained or averaged is another story."""
    names = names_of(model)
    facts = analysis.facts
    updated = any(name in facts.optimized or name in facts.averaged for name in names)
    return updated or bool({"ema", "momentum"} & set(words(model)))


def _made(analysis: Analysis, forward: Forward) -> ast.AST | None:
    """Where the teacher becomes a part of a module, or is built."""
    owner = forward.scope.owner
    parts = forward.model.split(".")
    if parts[0] == "self" and owner is not None and len(parts) >= 2:
        info = analysis.index.classes.get(owner.name)
        if info is None or owner.name in analysis.facts.overrides_train:
            return None
        values = info.assigned.get(parts[1], [])
        registered = [
            v for v in values if not _is_harmless(v) and not has_no_mode(analysis.index, v)
        ]
        module = any(is_module(base) for one in lineage(info) for base in one.bases)
        return analysis.statement_of(registered[0]) if module and registered else None
    return None


def _is_harmless(value: ast.expr) -> bool:
    """A plain list does not register, and a linear layer has no mode."""
    linear = isinstance(value, ast.Call) and dotted(value.func).endswith("Linear")
    return linear or isinstance(value, ast.List | ast.Tuple | ast.Constant)


_BUILT = Text(
    "{model} is built here, in training mode as every module, and nothing calls eval() on it: "
    "dropout and BatchNorm make its targets depend on the batch, and BatchNorm's running "
    "statistics drift; no_grad stops neither",
    "{model} 在这里构建，与任何模块一样处于训练模式，且没有任何地方对它调用 eval()：dropout 与 "
    "BatchNorm 使目标依赖于当前批，BatchNorm 的滑动统计量也会漂移；no_grad 阻止不了",
)
_UNDONE = Text(
    "{model} is registered as a submodule, and eval() is called on it in __init__ alone: the next "
    "train() of the module around it, which Lightning before 2.2 calls by itself, undoes that. "
    "Call eval() in on_train_epoch_start",
    "{model} 被注册为子模块，而只在 __init__ 中对它调用了 eval()：外层模块下一次 train()（2.2 之前"
    "的 Lightning 会自动调用）会把它改回训练模式。应在 on_train_epoch_start 中调用 eval()",
)
_TURNED = Text(
    "{model} is put into training mode in this class and never back, and is the teacher here: "
    "dropout and BatchNorm make its targets depend on the batch, and its running statistics "
    "drift. Call eval() on it before",
    "{model} 在这个类里被切到训练模式，从未切回，而它在这里充当教师：dropout 与 BatchNorm 使目标"
    "依赖于当前批，滑动统计量也会漂移。应先对它调用 eval()",
)
_MESSAGE = Text(
    "{model} is registered as a submodule and nothing calls eval() on it: train() of the module "
    "around it puts it into training mode, so dropout and BatchNorm make its targets depend on "
    "the batch, and BatchNorm's running statistics drift; no_grad and requires_grad=False stop "
    "neither",
    "{model} 被注册为子模块，且没有任何地方对它调用 eval()：外层模块的 train() 会把它切到训练模式，"
    "dropout 与 BatchNorm 使目标依赖于当前批，BatchNorm 的滑动统计量也会漂移；no_grad 与 "
    "requires_grad=False 都阻止不了",
)
