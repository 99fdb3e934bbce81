"""The teacher is never put into evaluation mode.

## What it does

Finds a teacher that is a submodule of the student's module, or is built in the file, is run
there, and on which nothing ever calls `eval()`.

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

检查作为学生模块的子模块、或在本文件中构建并运行，却从未调用 `eval()` 的教师。

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
from didact.check.engine.names import dotted, is_model, role_of, words
from didact.check.engine.spaces import Role
from didact.check.engine.teacher_state import names_of
from didact.check.findings.finding import Severity
from didact.check.rules._modes import has_no_mode
from didact.check.rules._rule import Found

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
        if not _is_teacher(model) or model in done or _is_settled(analysis, forward):
            continue
        place = _made(analysis, forward)
        if place is not None:
            done.add(model)
            yield Found(place, _MESSAGE.format(model=model))


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
        module = any(_is_module(base) for base in info.bases)
        return analysis.statement_of(registered[0]) if module and registered else None
    return None


def _is_harmless(value: ast.expr) -> bool:
    """A plain list does not register, and a linear layer has no mode."""
    linear = isinstance(value, ast.Call) and dotted(value.func).endswith("Linear")
    return linear or isinstance(value, ast.List | ast.Tuple | ast.Constant)


def _is_module(base: str) -> bool:
    return base == "Module" or "Lightning" in base or base.endswith(("Module", "Model"))


_MESSAGE = Text(
    "{model} is registered as a submodule and nothing calls eval() on it: train() of the module "
    "around it puts it into training mode, so dropout and BatchNorm make its targets depend on "
    "the batch, and BatchNorm's running statistics drift; no_grad and requires_grad=False stop "
    "neither",
    "{model} 被注册为子模块，且没有任何地方对它调用 eval()：外层模块的 train() 会把它切到训练模式，"
    "dropout 与 BatchNorm 使目标依赖于当前批，BatchNorm 的滑动统计量也会漂移；no_grad 与 "
    "requires_grad=False 都阻止不了",
)
