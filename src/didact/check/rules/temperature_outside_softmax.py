"""The temperature divides what goes into `kl_div`, not what goes into the softmax.

## What it does

Finds an argument of `kl_div` whose last step is a division by a temperature: log-probabilities or
probabilities over T, or a value of unknown kind over T; and, at a temperature, sigmoids in the
place of a distribution.

## Why is this bad

`log_softmax(x) / T` is no logarithm of a distribution: its exponentials do not sum to one. Raw
scores over T are none either. Where both sides are log-probabilities over T the loss is least at
q ∝ p^(1/T), a softened teacher, instead of at q = p.

## Measured effect

T = 4, both sides log-probabilities over T: the student with the least loss has the teacher's
logits divided by 4.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def distil(student_logits, teacher_logits, T):
    log_q = F.log_softmax(student_logits, dim=1)
    log_p = F.log_softmax(teacher_logits, dim=1)
    return F.kl_div(log_q / T, log_p / T, reduction="batchmean", log_target=True) * T**2
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def distil(student_logits, teacher_logits, T):
    log_q = F.log_softmax(student_logits / T, dim=1)
    log_p = F.log_softmax(teacher_logits / T, dim=1)
    return F.kl_div(log_q, log_p, reduction="batchmean", log_target=True) * T**2
```

## Fix safety

No automatic fix: the softmax stands elsewhere.

## Known false alarms

None known; a warning where it is not known what was divided.

## References

Hinton et al. 2015, arXiv:1503.02531.

---

温度除的是 `kl_div` 的输入，而不是 softmax 的输入。

## 它检查什么

检查最后一步是除以温度的 `kl_div` 参数：对数概率或概率除以 T，或种类未知的值除以 T；以及带温度、
用 sigmoid 代替分布的参数。

## 为什么

`log_softmax(x) / T` 不是任何分布的对数：取指数后总和不为 1；原始分数除以 T 也不是。两侧都是对数
概率除以T 时，损失在 q ∝ p^(1/T)（变软的教师）处最小，而不是 q = p。

## 实测影响

T = 4，两侧都是对数概率除以 T：损失最小的学生，其 logits 是教师的四分之一。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：softmax 在别处。

## 已知误报

暂无；不知道被除的是什么时只给警告。

## 参考

Hinton et al. 2015，arXiv:1503.02531。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.names import is_temperature
from didact.check.engine.spaces import NORMALISED, Space
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD211"
NAME = "temperature-outside-softmax"
SEVERITY = Severity.ERROR
TOPIC = "temperature"
CATALOGUE = ("T-OUTSIDE-SOFTMAX",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find arguments of kl_div that are divided by a temperature at last."""
    for use in uses(analysis, "kl_div"):
        sides = ((use.input, use.input_node), (use.target, use.target_node))
        divided = [
            (value, symbol)
            for value, node in sides
            if (symbol := _divisor(analysis, use, value, node)) is not None
        ]
        if divided and _through_sigmoid(analysis, use):
            yield Found(use.node, _SIGMOID.format(both=arguments(use)), severity=Severity.WARNING)
        elif divided:
            known = any(value.space in NORMALISED for value, _ in divided)
            yield Found(
                use.node,
                _MESSAGE.format(t=divided[0][1], both=arguments(use)),
                severity=None if known else Severity.WARNING,
            )


def _through_sigmoid(analysis: Analysis, use: LossUse) -> bool:
    """Whether a side is a sigmoid, each class for itself."""
    return any(
        callee(analysis, step.node).rpartition(".")[2] in ("sigmoid", "logsigmoid")
        for node in (use.input_node, use.target_node)
        for step in path(analysis, node, use.scope)
    )


def _divisor(analysis: Analysis, use: LossUse, value: Value, node: ast.expr | None) -> str | None:
    """The temperature that divides a value after its softmax, or without one."""
    if value.space in NORMALISED:
        found = [s for s, power in value.scale.atoms if power < 0 and is_temperature(s)]
        return found[0] if found and value.axis is not None else None
    if value.space is not Space.UNKNOWN or use.target.space in (Space.LOGITS, Space.OUTPUT):
        return None
    for step in path(analysis, node, use.scope):
        part = step.node
        if isinstance(part, ast.BinOp):
            divisor = ast.unparse(part.right)
            return divisor if isinstance(part.op, ast.Div) and is_temperature(divisor) else None
        if isinstance(part, ast.Call) and not isinstance(part.func, ast.Attribute):
            return None
    return None


_SIGMOID = Text(
    "the sides of kl_div are sigmoids: no distribution over the classes, and without the term of "
    "the complement, (1 - p) log((1 - p) / (1 - q)), the loss raises every class's score. Use "
    "binary_cross_entropy_with_logits(student / T, sigmoid(teacher / T)) {both}",
    "kl_div 的两侧是 sigmoid：它们不是类别上的分布，又缺少补事件一项 "
    "(1 - p) log((1 - p) / (1 - q))，损失会抬高每个类别的分数。应使用 "
    "binary_cross_entropy_with_logits(student / T, sigmoid(teacher / T)) {both}",
)
_MESSAGE = Text(
    "an argument of kl_div is divided by the temperature {t} after its softmax, or has none: it is "
    "no distribution. Divide the logits: log_softmax(x / {t}) {both}",
    "kl_div 的参数在 softmax 之后（或没有 softmax 就）除以温度 {t}：它不是一个分布。应除 logits："
    "log_softmax(x / {t}) {both}",
)
