"""A softmax without `dim`: PyTorch picks one by the rank.

## What it does

Finds softmax, log_softmax and their modules called without a dimension.

## Why is this bad

Without `dim` the legacy rule applies: 0 for tensors of 0, 1 or 3 dimensions, else 1. On [B, S,
V] that is the batch. It also warns at run time.

## Measured effect

On 3-D input the sums over dim 0 are 1.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def probs(logits):
    return F.softmax(logits)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def probs(logits):
    return F.softmax(logits, dim=1)
```

## Fix safety

Safe where the rank is known for certain: the dimension that is picked today is written out. Else
unsafe: `dim=-1`, the classes in most code.

## Known false alarms

Softmaxes of other libraries are not reported.

## References

PyTorch, `torch.nn.functional.softmax`, argument `dim`.

---

softmax 没有写 `dim`：PyTorch 按维数自行选择。

## 它检查什么

检查没有指定维度的 softmax、log_softmax 及对应模块。

## 为什么

不写 `dim` 时沿用旧规则：0、1、3 维张量取 0，其余取 1。对 [B, S, V] 就成了批维度。运行时还会
给出警告。

## 实测影响

三维输入时，沿第 0 维之和为 1。

## 错误示例

## 正确写法

## 修复安全性

确知维数时为安全修复：把当前实际使用的维度写明；否则为不安全修复：写 `dim=-1`，多数代码里
它就是类别维。

## 已知误报

其他库的 softmax 不报告。

## 参考

PyTorch 文档 `torch.nn.functional.softmax` 的 `dim` 参数。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Softmax
from didact.check.findings.finding import Edit, Fix, Severity, Span
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD403"
NAME = "softmax-without-dim"
SEVERITY = Severity.WARNING
TOPIC = "dimension"
CATALOGUE = ("DIM-MISSING",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find softmaxes that leave the dimension to a legacy rule."""
    for softmax in analysis.softmaxes:
        if softmax.dim_known or softmax.kind not in ("softmax", "log_softmax"):
            continue
        rank = softmax.argument.rank if softmax.argument.exact else None
        picked = None if rank is None else (0 if rank in (0, 1, 3) else 1)
        severity = Severity.ERROR if rank == 3 else None
        yield Found(softmax.layer or softmax.node, _MESSAGE, _fix(softmax, picked), severity)


def _fix(softmax: Softmax, picked: int | None) -> Fix | None:
    call = softmax.layer or softmax.node
    if picked is None or call.end_lineno is None or call.end_col_offset is None:
        return None
    end = call.end_col_offset - 1
    text = f"dim={picked}" if not (call.args or call.keywords) else f", dim={picked}"
    message = Text("write out the dimension that is used today", "写明当前实际使用的维度")
    return Fix((Edit(Span(call.end_lineno, end, call.end_lineno, end), text),), "safe", message)


_MESSAGE = Text(
    "softmax without dim: PyTorch picks 0 for 1-D and 3-D tensors and 1 for others; write the "
    "class dimension, dim=-1",
    "softmax 没有写 dim：PyTorch 对一维和三维张量取 0，其余取 1；应写明类别维 dim=-1",
)
