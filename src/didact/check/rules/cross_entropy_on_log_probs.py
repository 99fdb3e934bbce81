"""log_softmax before `cross_entropy` does nothing.

## What it does

Finds `cross_entropy` whose input comes from log_softmax at temperature one.

## Why is this bad

log_softmax is idempotent: log_softmax(log_softmax(x)) = log_softmax(x), since the
log-probabilities already have logsumexp 0. The result is right; the pass over the classes is
wasted, and a reader wonders whether `nll_loss` was meant.

## Measured effect

Equal to 1e-6.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels):
    return F.cross_entropy(F.log_softmax(logits, dim=1), labels)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, labels):
    return F.cross_entropy(logits, labels)
```

## Fix safety

Safe: the inner `log_softmax(x, dim=1)` is replaced by `x`.

## Known false alarms

None; it is not a mistake.

## References

PyTorch, `torch.nn.CrossEntropyLoss`.

---

在 `cross_entropy` 之前做 log_softmax 没有作用。

## 它检查什么

检查输入来自温度为 1 的 log_softmax 的 `cross_entropy`。

## 为什么

log_softmax 是幂等的：log_softmax(log_softmax(x)) = log_softmax(x)，因为对数概率的 logsumexp
已经是 0。结果正确，只是多算了一遍，读者还会疑惑是否本想写 `nll_loss`。

## 实测影响

误差在 1e-6 以内。

## 错误示例

## 正确写法

## 修复安全性

安全修复：把内层的 `log_softmax(x, dim=1)` 换成 `x`。

## 已知误报

无；这不是错误。

## 参考

PyTorch 文档 `torch.nn.CrossEntropyLoss`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.scale import ONE
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._common import uses
from didact.check.rules._rule import Found, replace

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD109"
NAME = "cross-entropy-on-log-probs"
SEVERITY = Severity.INFO
TOPIC = "space"
CATALOGUE = ("CE-ON-LOGP",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a log_softmax that cross_entropy repeats."""
    for use in uses(analysis, "cross_entropy"):
        softened = use.is_hard and use.input.temperature != ONE  # KD206 speaks of that
        if use.input.space is Space.LOG_PROBS and not softened:
            yield Found(use.node, _MESSAGE, _fix(use))


def _fix(use: LossUse) -> Fix | None:
    node = use.input_node
    plain = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name) and node.args
    )
    if (
        not plain
        or not isinstance(node, ast.Call)
        or not ast.unparse(node.func).endswith("F.log_softmax")
    ):
        return None
    dim = {k.arg: k.value for k in node.keywords}.get(
        "dim", node.args[1] if len(node.args) > 1 else None
    )
    safe = isinstance(dim, ast.Constant) and dim.value == 1
    text = ast.unparse(node.args[0])
    message = Text("pass the logits themselves", "直接传 logits")
    return Fix((replace(node, text),), "safe" if safe else "unsafe", message)


_MESSAGE = Text(
    "cross_entropy applies log_softmax itself; applying it before changes nothing, log_softmax "
    "is idempotent",
    "cross_entropy 内部会做 log_softmax；事先再做一次没有作用，log_softmax 是幂等的",
)
