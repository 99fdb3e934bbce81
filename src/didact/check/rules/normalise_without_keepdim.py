"""`p / p.sum(dim=1)` without `keepdim` divides the columns.

## What it does

Finds a tensor of two or more dimensions divided by its own sum over dim 1 or -1 without
`keepdim=True`.

## Why is this bad

The sum has shape [B]; broadcasting aligns it with the last dimension, the classes: an error if
B ≠ C, and division of the wrong axis if B = C.

## Measured effect

RuntimeError, or row sums of 0.95, 1.06, 1.93.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def renormalise(p):
    return p / p.sum(dim=1)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def renormalise(p):
    return p / p.sum(dim=1, keepdim=True)
```

## Fix safety

Unsafe: `keepdim=True` is added.

## Known false alarms

1-D tensors are not reported: dim=-1 needs a known rank.

## References

PyTorch, broadcasting semantics.

---

`p / p.sum(dim=1)` 没有 `keepdim`，除的是列。

## 它检查什么

检查二维及以上张量除以自身在 dim 1 或 -1 上之和、且没有 `keepdim=True` 的写法。

## 为什么

求和结果的形状是 [B]，广播时与最后一维（类别）对齐：B ≠ C 时报错，B = C 时除错了维度。

## 实测影响

RuntimeError，或各行之和 0.95、1.06、1.93。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：加上 `keepdim=True`。

## 已知误报

一维张量不报告：dim=-1 需要已知维数。

## 参考

PyTorch 文档：广播语义。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, source
from didact.check.engine.reductions import number_of
from didact.check.findings.finding import Edit, Fix, Severity, Span
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD407"
NAME = "normalise-without-keepdim"
SEVERITY = Severity.ERROR
TOPIC = "dimension"
CATALOGUE = ("NO-KEEPDIM",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find divisions by a sum that lost its dimension."""
    for node in analysis.index.of(ast.BinOp):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
            continue
        call = node.right
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        method = call.func.attr in ("sum", "norm")
        summed = (
            ast.unparse(call.func.value) if method and not _is_torch(call) else _first(call, method)
        )
        if summed and summed == ast.unparse(node.left) and _drops(analysis, call, node.left):
            yield Found(node, _MESSAGE.format(text=source(call)), _fix(call))


def _is_torch(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and dotted(call.func.value) in (
        "torch",
        "np",
        "F",
        "numpy",
    )


def _first(call: ast.Call, wanted: bool) -> str:
    return ast.unparse(call.args[0]) if wanted and call.args else ""


def _drops(analysis: Analysis, call: ast.Call, tensor: ast.expr) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if given.keys() & {"keepdim", "keepdims"} or len(call.args) > (2 if _is_torch(call) else 1):
        return False
    positional = call.args[1:] if _is_torch(call) else call.args
    if isinstance(call.func, ast.Attribute) and call.func.attr == "norm":
        positional = []
    dim = number_of(
        given.get("dim", given.get("axis", positional[0] if positional else ast.Constant(None)))
    )
    value = analysis.value_of(tensor)
    return dim == 1 or (dim == -1 and value is not None and (value.rank or 0) >= 2)


def _fix(call: ast.Call) -> Fix | None:
    if call.end_lineno is None or call.end_col_offset is None:
        return None
    at = Span(call.end_lineno, call.end_col_offset - 1, call.end_lineno, call.end_col_offset - 1)
    word = "keepdim=True"
    return Fix((Edit(at, f", {word}"),), "unsafe", Text(f"add {word}", f"加上 {word}"))


_MESSAGE = Text(
    "{text} has lost its dimension, and broadcasting aligns it with the columns: add keepdim=True",
    "{text} 求和后少了一维，广播时会与列对齐：应加 keepdim=True",
)
