"""`reduce=` is a legacy bool; a string there is just true, and means `mean`.

## What it does

Finds `reduce="none"`, `reduce="batchmean"`, `size_average="..."` in any loss of PyTorch.

## Why is this bad

The argument for the kind of reduction is `reduction`. The legacy `reduce` is a bool, and any
non-empty string is true: the loss is averaged over everything, whatever the string says.

## Measured effect

`reduce='batchmean'` gives the mean: 1/C of what is wanted. `reduce='none'` gives a scalar, so a
mask after it does nothing (masked mean 1.719 instead of 1.318).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels):
    return F.cross_entropy(logits, labels, reduce="none")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels):
    return F.cross_entropy(logits, labels, reduction="none")
```

## Fix safety

Unsafe: `reduce` becomes `reduction`; the numbers change to what the string says.

## Known false alarms

None known.

## References

PyTorch, `torch.nn.KLDivLoss`, arguments `reduce` and `reduction`.

---

`reduce=` 是旧式布尔参数；传字符串等于传 True，即 `mean`。

## 它检查什么

检查 PyTorch 损失中的 `reduce="none"`、`reduce="batchmean"`、`size_average="..."`。

## 为什么

指定归约方式的参数是 `reduction`。旧参数 `reduce` 是布尔值，任何非空字符串都为真：不管字符串
写了什么，损失都会对所有元素取平均。

## 实测影响

`reduce='batchmean'` 得到 mean，只有期望值的 1/C；`reduce='none'` 得到标量，之后的掩码不起作
用（掩码均值 1.719，应为 1.318）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：把 `reduce` 改为 `reduction`，数值会变为字符串所说的那种。

## 已知误报

暂无。

## 参考

PyTorch 文档 `torch.nn.KLDivLoss` 的 `reduce` 与 `reduction` 参数。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.losses import CLASSES, FUNCTIONS
from didact.check.engine.names import dotted
from didact.check.findings.finding import Edit, Fix, Severity, Span
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD302"
NAME = "reduce-given-a-string"
SEVERITY = Severity.ERROR
TOPIC = "reduction"
CATALOGUE = ("REDUCE-KWARG",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find strings given to the legacy flags."""
    for node in analysis.index.of(ast.Call):
        name = dotted(node.func).rsplit(".", 1)[-1]
        if name not in FUNCTIONS and name not in CLASSES:
            continue
        for keyword in node.keywords:
            text = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg in ("reduce", "size_average") and isinstance(text, str):
                message = _MESSAGE.format(flag=keyword.arg, text=text)
                yield Found(keyword, message, _fix(keyword, node))


def _fix(keyword: ast.keyword, call: ast.Call) -> Fix | None:
    if keyword.arg is None or any(other.arg == "reduction" for other in call.keywords):
        return None
    line, column = keyword.lineno, keyword.col_offset
    span = Span(line, column, line, column + len(keyword.arg))
    return Fix((Edit(span, "reduction"),), "unsafe", Text("use reduction=", "改用 reduction="))


_MESSAGE = Text(
    "{flag}='{text}' is a legacy bool, and any string is true: the loss is the mean over all "
    "elements, not '{text}'. Write reduction='{text}'",
    "{flag}='{text}' 是旧式布尔参数，任何字符串都为真：损失是所有元素的平均，而不是 '{text}'。应"
    "写 reduction='{text}'",
)
