"""`kl_div` with reduction `mean` divides by the classes, too.

## What it does

Finds `kl_div` and `KLDivLoss` with the default reduction `mean` on a distribution over classes.

## Why is this bad

KL is a sum over classes and a mean over samples. `mean` divides the sum over all B·C entries by
B·C, so the term is 1/C of the formula: 1/10 at 10 classes, 1/1000 at ImageNet. Beside a hard
loss the distillation weight is smaller by that factor. PyTorch itself warns that `mean` is not
the mathematical value, and `batchmean` is.

## Measured effect

The gradient is 1/C of the right one. Toy (20 classes): 67.8 %, 54.7 % together with a missing
T² (right: 72.3 %).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=1)
    return F.kl_div(log_probs, F.softmax(teacher_logits, dim=1))
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=1)
    return F.kl_div(log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
```

## Fix safety

Unsafe: `reduction="batchmean"` makes the term C times larger, and the weights must be tuned
again.

## Known false alarms

Silent where the loss is multiplied by a number of classes, a batch size, a scale or a weight of
10 or more anywhere on its way.

## References

PyTorch, `torch.nn.KLDivLoss`, note on reduction; haitongli/knowledge-distillation-pytorch,
issue 48.

---

`kl_div` 的 reduction 为 `mean` 时，连类别数也一起除了。

## 它检查什么

检查对类别分布使用默认 reduction（`mean`）的 `kl_div` 与 `KLDivLoss`。

## 为什么

KL 应对类别求和、对样本取平均。`mean` 把 B·C 个数之和除以 B·C，所以这一项只有公式的 1/C：10
类为 1/10，ImageNet 为 1/1000。与硬损失相加时，蒸馏的权重就小了这么多倍。PyTorch 自己也警告
`mean` 不是数学定义的值，`batchmean` 才是。

## 实测影响

梯度为正确值的 1/C。小实验（20 类）67.8 %，同时缺少 T² 时 54.7 %（正确写法 72.3 %）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：改为 `reduction="batchmean"` 会使该项放大 C 倍，权重需要重新调。

## 已知误报

途中乘过类别数、批大小、scale，或不小于 10 的权重时不报告。

## 参考

PyTorch 文档 `torch.nn.KLDivLoss` 关于 reduction 的说明；
haitongli/knowledge-distillation-pytorch，issue 48。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Edit, Fix, Severity, Span
from didact.check.rules._common import arguments, has_factor, uses
from didact.check.rules._rule import Found, replace

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD301"
NAME = "kl-div-mean"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("KL-MEAN",)


_KNOWN = (Space.PROBS, Space.LOG_PROBS, Space.LOGITS)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find means over classes and samples that nothing makes up for."""
    for use in uses(analysis, "kl_div"):
        known = use.input.space in _KNOWN or use.target.space in (Space.PROBS, Space.LOG_PROBS)
        known = known or bool(use.input.sources and use.target.sources)  # of two models
        legacy = isinstance(getattr(use.arguments.get("reduce"), "value", None), str)
        if use.reduction == "mean" and known and not legacy and not has_factor(analysis, use):
            yield Found(use.node, _MESSAGE.format(both=arguments(use)), _fix(analysis, use))


def _fix(analysis: Analysis, use: LossUse) -> Fix | None:
    call = use.criterion or use.node
    if (
        not analysis.owns(call)
        or not isinstance(call, ast.Call)
        or call.end_lineno is None
        or call.end_col_offset is None
    ):
        return None
    message = Text("sum over the classes, mean over the samples", "对类别求和，对样本取平均")
    given = use.arguments.get("reduction")
    if given is not None:
        return Fix((replace(given, '"batchmean"'),), "display", message)
    end = call.end_col_offset - 1
    text = (
        'reduction="batchmean"' if not (call.args or call.keywords) else ', reduction="batchmean"'
    )
    span = Span(call.end_lineno, end, call.end_lineno, end)
    return Fix((Edit(span, text),), "display", message)


_MESSAGE = Text(
    "kl_div with reduction 'mean' divides by batch and classes: the distillation term is 1/C of "
    "the formula (1/100 at 100 classes). reduction='batchmean' sums over the classes; tune the "
    "weight again after {both}",
    "kl_div 的 reduction='mean' 同时除以批大小与类别数：蒸馏项只有公式的 1/C（100 类时为 1/100）。"
    "reduction='batchmean' 对类别求和；修改后需重新调权重 {both}",
)
