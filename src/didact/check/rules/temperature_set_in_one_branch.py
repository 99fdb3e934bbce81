"""The temperature is set in one branch of the constructor and read in all.

## What it does

Finds `self.T` (by name a temperature) that the class assigns only inside an `if` without an
`else`, and that a method divides by.

## Why is this bad

Taken the other way, the first loss ends in an AttributeError.

## Measured effect

AttributeError.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


class Distiller(nn.Module):
    def __init__(self, soft):
        super().__init__()
        if soft:
            self.temperature = 4.0

    def forward(self, logits):
        return F.softmax(logits / self.temperature, dim=1)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


class Distiller(nn.Module):
    def __init__(self, soft):
        super().__init__()
        self.temperature = 4.0 if soft else 1.0

    def forward(self, logits):
        return F.softmax(logits / self.temperature, dim=1)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Silent where the class has a base class outside the file other than Module or object.

## References

Python language reference, attribute references.

---

温度只在构造函数的一个分支里设置，却在各处读取。

## 它检查什么

检查类里只在没有 `else` 的 `if` 中赋值、而方法中又作为除数的 `self.T`（按名字判断为温度）。

## 为什么

走另一分支时，第一次计算损失就会抛出 AttributeError。

## 实测影响

AttributeError。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

若类继承自本文件之外的基类（Module 与 object 除外），不报告。

## 参考

Python 语言参考：属性引用。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.index import ClassInfo, Function
from didact.check.engine.names import is_temperature
from didact.check.findings.finding import Severity
from didact.check.rules._common import identifiers
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD207"
NAME = "temperature-set-in-one-branch"
SEVERITY = Severity.ERROR
TOPIC = "temperature"
CATALOGUE = ("UNDEFINED-T",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a temperature attribute that may not exist."""
    for info in analysis.index.classes.values():
        if any(base not in ("Module", "object") for base in info.bases):
            continue
        for name, values in info.assigned.items():
            if len(values) == 1 and is_temperature(name):
                branches = _branches(analysis, values[0])
                if branches:
                    yield from _reads(info, name, _told_by(branches))


def _branches(analysis: Analysis, value: ast.expr) -> list[ast.If]:
    """The branches of the constructor in which a value is assigned, nothing elsewhere."""
    node: ast.AST | None = analysis.parent_of(value)
    found: list[ast.If] = []
    function = ""
    while node is not None and not isinstance(node, ast.ClassDef):
        if isinstance(node, ast.If):
            found.append(node)
        if isinstance(node, ast.FunctionDef):
            function = node.name
        node = analysis.parent_of(node)
    return found if function == "__init__" else []


def _told_by(branches: list[ast.If]) -> set[str]:
    """The names that tell which branch was taken: those of its test, what it assigns."""
    tests = {name for branch in branches for name in identifiers(branch.test)}
    assigned = {
        node.attr
        for branch in branches
        for node in ast.walk(branch)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return (tests | assigned) - {"self"}


def _is_guarded(method: Function, telling: set[str]) -> bool:
    """Whether the method asks which branch was taken, or whether the attribute is there."""
    asked = {
        name
        for node in ast.walk(method)
        if isinstance(node, ast.If | ast.IfExp | ast.Assert)
        for name in identifiers(node.test)
    }
    return bool(asked & (telling | {"hasattr", "getattr"}))


def _reads(info: ClassInfo, name: str, telling: set[str]) -> Iterator[Found]:
    for method in info.methods.values():
        guarded = method.name == "__init__" or _is_guarded(method, telling)
        for node in ast.walk(method) if not guarded else ():
            if (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Div)
                and ast.unparse(node.right) == f"self.{name}"
            ):
                yield Found(node.right, _MESSAGE.format(name=name))
                return


_MESSAGE = Text(
    "self.{name} is set in one branch of __init__ only; taken the other way this is an "
    "AttributeError",
    "self.{name} 只在 __init__ 的一个分支中设置；走另一分支时这里会抛出 AttributeError",
)
