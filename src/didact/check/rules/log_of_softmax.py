"""`log(softmax(x))` underflows; `log_softmax(x)` does not.

## What it does

Finds the logarithm of a softmax's output, in one expression, over several statements, or
through a helper of the same file.

## Why is this bad

softmax rounds to exactly 0 when a logit lies far below the largest; log 0 is −inf, 0 · −inf is
NaN, and the gradient is NaN with it. log_softmax computes x − logsumexp(x), which is exact.

## Measured effect

In float32 the gradient is NaN at a gap of 200 between logits, in float16 the value is −inf at a
gap of 18.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_probs = F.softmax(student_logits, dim=1)
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(torch.log(student_probs), teacher_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(F.log_softmax(student_logits, dim=1), teacher_probs, reduction="batchmean")
```

## Fix safety

Unsafe: `log_softmax` takes the place of both. Where the softmax is used elsewhere too the edit is
the author's to choose.

## Known false alarms

An info only where an epsilon or a clamp guards the logarithm; silent where masses of classes were
merged first (decoupled distillation).

## References

PyTorch, `torch.nn.functional.log_softmax`.

---

`log(softmax(x))` 会下溢；`log_softmax(x)` 不会。

## 它检查什么

检查对 softmax 结果取对数的写法，无论写在一个表达式里、跨多条语句，还是经过本文件的辅助函数。

## 为什么

某个 logit 远小于最大值时，softmax 会舍入为 0；log 0 = −inf，0 · −inf = NaN，梯度也随之成为
NaN。log_softmax 计算的是 x − logsumexp(x)，没有这个问题。

## 实测影响

float32 下 logits 相差 200 时梯度为 NaN，float16 下相差 18 就得到 −inf。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：用 `log_softmax` 代替两步。若 softmax 结果还有别的用途，如何修改由作者决定。

## 已知误报

加了 epsilon 或 clamp 时只作提示；先合并了若干类的概率（解耦蒸馏）时不报告。

## 参考

PyTorch 文档 `torch.nn.functional.log_softmax`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Log
from didact.check.engine.names import dotted
from didact.check.engine.spaces import Grad, Space
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found
from didact.check.rules._trace import path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD111"
NAME = "log-of-softmax"
SEVERITY = Severity.WARNING
TOPIC = "space"
CATALOGUE = ("LOG-OF-SOFTMAX",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a logarithm taken of a softmax."""
    made = {id(softmax.node) for softmax in analysis.softmaxes}
    for log in analysis.logs:
        value = _unclamped(analysis, log)
        if (
            value.space is Space.PROBS
            and value.scale.is_one
            and not value.by_name
            and id(value.origin) in made  # of a mixture, a mean, a clamp it is something else
        ):
            guarded = log.guarded or _is_guarded(analysis, log)
            quiet = guarded or value.grad is Grad.NO
            message = _GUARDED if guarded else _MESSAGE
            yield Found(log.node, message, severity=Severity.INFO if quiet else None)


def _unclamped(analysis: Analysis, log: Log) -> Value:
    """What the logarithm is taken of, without the clamp around it."""
    node = log.argument_node
    if log.guarded and isinstance(node, ast.Call):
        method = isinstance(node.func, ast.Attribute) and dotted(node.func.value) != "torch"
        base = node.func.value if method and isinstance(node.func, ast.Attribute) else None
        inner = base or (node.args[0] if node.args else None)
        value = analysis.value_of(inner) if inner is not None else None
        if value is not None:
            return value
    return log.argument


def _is_guarded(analysis: Analysis, log: Log) -> bool:
    """Whether something was added to the probabilities on the way."""
    return any(
        isinstance(step.node, ast.BinOp) and isinstance(step.node.op, ast.Add)
        for step in path(analysis, log.argument_node, log.scope)
    )


_GUARDED = Text(
    "log(softmax(x)) with an eps or a clamp between the two keeps small probabilities from 0 by "
    "changing them: below that bound the value is wrong and the gradient vanishes; log_softmax(x) "
    "is exact and needs neither",
    "log(softmax(x)) 中间加 eps 或做 clamp，是靠改动小概率来避免 0：低于该下限的值不准，梯度也随之"
    "消失；log_softmax(x) 是精确的，两者都不需要",
)
_MESSAGE = Text(
    "log(softmax(x)) gives -inf, and NaN in the gradient, when a probability rounds to 0 (a gap "
    "of about 104 between logits in float32, 17 in float16); log_softmax(x) computes the same "
    "without rounding",
    "概率舍入为 0 时（float32 下 logits 相差约 104，float16 下约 17），log(softmax(x)) 得到 −inf，"
    "梯度出现 NaN；log_softmax(x) 计算同一个量而不会下溢",
)
