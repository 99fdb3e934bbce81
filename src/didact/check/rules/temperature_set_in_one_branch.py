"""The temperature is set in one branch of the constructor and read in all.

## What it does

Finds `self.T` (by name a temperature) that the class assigns only inside an `if` without an
`else`, and that a method computes with where nothing asks which branch was taken.

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

检查类里只在没有 `else` 的 `if` 中赋值、而方法中不问走过哪个分支就参与运算的 `self.T`（按名字判
断为温度）。

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
from didact.check.engine.nodes import nodes_of
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
                    yield from _reads(analysis, info, name, _told_by(branches))


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
        for node in nodes_of(branch)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return (tests | assigned) - {"self"}


def _asks(test: ast.expr, telling: set[str]) -> bool:
    """Whether a test asks which branch was taken, or whether the attribute is there."""
    return bool(set(identifiers(test)) & (telling | {"hasattr", "getattr"}))


def _is_guarded(analysis: Analysis, node: ast.AST, method: Function, telling: set[str]) -> bool:
    """Whether a test stands around a read, or leaves the method before it."""
    child: ast.AST = node
    parent = analysis.parent_of(child)
    while parent is not None and child is not method:
        if isinstance(parent, ast.If | ast.IfExp | ast.While) and child is not parent.test:
            if _asks(parent.test, telling):
                return True
        elif isinstance(parent, ast.BoolOp):
            before = parent.values[: parent.values.index(child)] if child in parent.values else []
            if any(_asks(value, telling) for value in before):
                return True
        if isinstance(child, ast.stmt) and any(
            _leaves(earlier, telling) for earlier in _before(parent, child)
        ):
            return True
        child, parent = parent, analysis.parent_of(parent)
    return False


def _before(parent: ast.AST, statement: ast.stmt) -> list[ast.stmt]:
    """The statements of the same block that come first."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and statement in block:
            return block[: block.index(statement)]
    return []


def _leaves(statement: ast.stmt, telling: set[str]) -> bool:
    """Whether a statement goes on in one case only, or sets the attribute itself."""
    if isinstance(statement, ast.Assert):
        return _asks(statement.test, telling)
    if not isinstance(statement, ast.If) or not _asks(statement.test, telling):
        return False
    last = (statement.body[-1], *statement.orelse[-1:])
    return any(isinstance(end, ast.Return | ast.Raise | ast.Continue | ast.Break) for end in last)


def _reads(analysis: Analysis, info: ClassInfo, name: str, telling: set[str]) -> Iterator[Found]:
    for method in info.methods.values():
        for node in nodes_of(method) if method.name != "__init__" else ():
            operation = analysis.parent_of(node)
            if (
                isinstance(node, ast.Attribute)
                and node.attr == name
                and isinstance(node.ctx, ast.Load)
                and ast.unparse(node.value) == "self"
                and isinstance(operation, ast.BinOp)
                and isinstance(operation.op, ast.Div | ast.Mult | ast.Pow)
                and not _is_guarded(analysis, node, method, telling)
            ):
                yield Found(node, _MESSAGE.format(name=name))
                return


_MESSAGE = Text(
    "self.{name} is set in one branch of __init__ only; taken the other way this is an "
    "AttributeError",
    "self.{name} 只在 __init__ 的一个分支中设置；走另一分支时这里会抛出 AttributeError",
)
