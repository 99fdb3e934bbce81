"""`x.detach()` as a statement does nothing.

## What it does

Finds a call of `detach()` whose result is thrown away.

## Why is this bad

`detach` returns a new tensor and leaves `x` as it is; `detach_` is the one that works in place.

## Measured effect

`x` still has its grad_fn.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def target(teacher_logits):
    teacher_logits.detach()
    return F.softmax(teacher_logits, dim=1)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def target(teacher_logits):
    teacher_logits = teacher_logits.detach()
    return F.softmax(teacher_logits, dim=1)
```

## Fix safety

Unsafe: the result is assigned, which changes what gets a gradient.

## Known false alarms

Objects with a `detach` method of their own: only tensors and plain names are reported.

## References

PyTorch, `Tensor.detach`.

---

单独一行 `x.detach()` 没有作用。

## 它检查什么

检查结果被丢弃的 `detach()` 调用。

## 为什么

`detach` 返回一个新张量，`x` 保持不变；原地操作是 `detach_`。

## 实测影响

`x` 仍带有 grad_fn。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：把结果赋回去，这会改变哪些量得到梯度。

## 已知误报

自带 `detach` 方法的其他对象：只报告张量和普通变量名。

## 参考

PyTorch 文档 `Tensor.detach`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._rule import Found, replace

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD506"
NAME = "detach-thrown-away"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = ("DETACH-NOOP",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find detach() as a statement."""
    for operation in analysis.operations_of("statement"):
        call = operation.node.value if isinstance(operation.node, ast.Expr) else None
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.args:
            continue
        if call.func.attr == "detach" and _is_tensor(analysis, call.func.value):
            name = ast.unparse(call.func.value)
            fix = Fix(
                (replace(call, f"{name} = {name}.detach()"),), "display", Text("assign it", "赋值")
            )
            yield Found(
                call,
                _MESSAGE.format(name=name),
                fix if isinstance(call.func.value, ast.Name) else None,
            )


def _is_tensor(analysis: Analysis, node: ast.expr) -> bool:
    value = analysis.value_of(node)
    paths = analysis.index.imports.values()
    if paths and not any(path.startswith("torch") for path in paths):
        return False
    known = value is not None and (value.is_tensor or bool(value.sources))
    while isinstance(node, ast.Subscript):
        node = node.value
    return known or isinstance(node, ast.Name)


_MESSAGE = Text(
    "the result of {name}.detach() is thrown away: {name} stays in the graph. Write {name} = "
    "{name}.detach()",
    "{name}.detach() 的结果被丢弃：{name} 仍在计算图中。应写 {name} = {name}.detach()",
)
