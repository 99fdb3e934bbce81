"""`kl_div(probabilities, log-probabilities)`: the arguments stand in the wrong order.

## What it does

Finds `kl_div` whose input is probabilities and whose target is log-probabilities, and
`cross_entropy` whose input is the teacher's and whose target the student's distribution.

## Why is this bad

`kl_div(input, target)` wants log-probabilities first and probabilities second; the order of the
mathematical D(P‖Q) is the other way round. Here both spaces are wrong at once: the logarithm of
negative numbers is taken.

## Measured effect

The loss is NaN.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    teacher_probs = F.softmax(teacher_logits, dim=1)
    student_log_probs = F.log_softmax(student_logits, dim=1)
    return F.kl_div(teacher_probs, student_log_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    teacher_probs = F.softmax(teacher_logits, dim=1)
    student_log_probs = F.log_softmax(student_logits, dim=1)
    return F.kl_div(student_log_probs, teacher_probs, reduction="batchmean")
```

## Fix safety

Unsafe: the two arguments are exchanged, which changes the numbers (to the right ones).

## Known false alarms

None known.

## References

PyTorch, `torch.nn.functional.kl_div`.

---

`kl_div(概率, 对数概率)`：两个参数的顺序反了。

## 它检查什么

检查 input 为概率、target 为对数概率的 `kl_div`，以及 input 为教师、target 为学生分布的
`cross_entropy`。

## 为什么

`kl_div(input, target)` 要求先对数概率、后概率，与数学记号 D(P‖Q) 的顺序相反。这里两个空间同
时错了，会对负数取对数。

## 实测影响

损失为 NaN。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：交换两个参数，数值会改变（变为正确值）。

## 已知误报

暂无。

## 参考

PyTorch 文档 `torch.nn.functional.kl_div`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.spaces import NORMALISED, Role, Space
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._common import arguments, uses
from didact.check.rules._rule import Found, replace

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD107"
NAME = "kl-div-arguments-reversed"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("ARGS-REVERSED",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find the two arguments exchanged."""
    for use in uses(analysis, "kl_div"):
        if (
            use.input.space is Space.PROBS
            and use.target.space is Space.LOG_PROBS
            and use.log_target is False
        ):
            yield Found(use.node, _MESSAGE.format(both=arguments(use)), _fix(use))
    for use in uses(analysis, "cross_entropy"):
        teacher_first = use.input.role is Role.TEACHER and use.target.role is not Role.TEACHER
        learns = use.target.role is Role.STUDENT or bool(use.target.sources)
        if teacher_first and learns and use.target.space in NORMALISED:
            yield Found(use.node, _CROSS_ENTROPY.format(both=arguments(use)))


def _fix(use: LossUse) -> Fix | None:
    first, second = use.input_node, use.target_node
    if first is None or second is None or use.node.lineno != use.node.end_lineno:
        return None
    edits = (replace(first, ast.unparse(second)), replace(second, ast.unparse(first)))
    return Fix(edits, "unsafe", Text("exchange the arguments", "交换两个参数"))


_CROSS_ENTROPY = Text(
    "cross_entropy takes the prediction first and the target second: here the teacher is the "
    "prediction and the student the target, so the loss is linear in the student's probabilities "
    "{both}",
    "cross_entropy 先传预测、再传目标：这里教师成了预测、学生成了目标，损失对学生的概率是线性的 "
    "{both}",
)
_MESSAGE = Text(
    "the arguments of kl_div are exchanged: it takes log-probabilities first and probabilities "
    "second; as written the loss is NaN {both}",
    "kl_div 的两个参数放反了：应先传对数概率、再传概率；现在的写法结果为 NaN {both}",
)
