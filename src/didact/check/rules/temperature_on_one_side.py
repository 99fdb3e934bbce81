"""One side is softened by a temperature, the other is not.

## What it does

Finds KL, soft cross-entropy and BCE between a softened and an unsoftened distribution.

## Why is this bad

The loss is least where softmax(s / T₁) = softmax(t / T₂), that is s = t · T₁ / T₂: the student
is taught scaled logits, another confidence than the teacher's.

## Measured effect

Teacher only at T = 4: the student ends at 0.25 times the teacher's logits; student only: at 4
times. In the toy with noisy labels the first even helps (76.0 % against 72.3 %), the second
hurts (65.1 %).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits, T=4.0):
    log_probs = F.log_softmax(student_logits, dim=1)
    target = F.softmax(teacher_logits / T, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits, T=4.0):
    log_probs = F.log_softmax(student_logits / T, dim=1)
    target = F.softmax(teacher_logits / T, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean") * T**2
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Sharpening a pseudo-label (UDA, FixMatch, DINO) does this on purpose; silent where the code says
sharpen, uda or pseudo.

## References

Hinton et al. 2015; huawei-noah/Pretrained-Language-Model, issue 11.

---

只有一侧除以了温度。

## 它检查什么

检查一侧软化、另一侧未软化的 KL、软交叉熵与 BCE。

## 为什么

损失在 softmax(s / T₁) = softmax(t / T₂) 处最小，即 s = t · T₁ / T₂：学生学到的是缩放过的
logits，置信度与教师不同。

## 实测影响

只有教师用 T = 4：学生收敛到教师 logits 的 0.25 倍；只有学生用：4 倍。带噪标签的小实验中前者
反而有益（76.0 % 对 72.3 %），后者有害（65.1 %）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

伪标签锐化（UDA、FixMatch、DINO）有意如此；代码中写有 sharpen、uda、pseudo 时不报告。

## 参考

Hinton 等 2015；huawei-noah/Pretrained-Language-Model，issue 11。
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.names import is_temperature, source, words
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import NORMALISED, Role, Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, arguments, is_declared, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD203"
NAME = "temperature-on-one-side"
SEVERITY = Severity.WARNING
TOPIC = "temperature"
CATALOGUE = ("T-ONE-SIDE",)


_MEANT = re.compile(r"sharp\w*|uda|pseudo\w*|dino|swav|cent(er|re)\w*|sinkhorn|.*锐化.*")
"""What an author calls it who makes the target sharper than the prediction."""


def check(analysis: Analysis) -> Iterator[Found]:
    """Find one temperature that is one and one that is not."""
    for use in uses(analysis, *SOFT, "cross_entropy", "bce"):
        first, second = _sides(use)
        if use.kind == "kl_div" and _is_ready_made(use) and not _is_softened(analysis, use):
            t = use.input.temperature
            message = _READY_MADE.format(t=t.text if t else "T", name=source(use.target_node))  # type: ignore[arg-type]
            yield Found(use.node, message, severity=Severity.INFO)
            continue
        if (
            first is None
            or second is None
            or first == second
            or not (first.is_one or second.is_one)
        ):
            continue
        softened = second if first.is_one else first
        if softened.atoms and not all(is_temperature(symbol) for symbol in softened.symbols):
            continue
        if not softened.atoms and softened.const < 1:
            continue  # sharpened on purpose; nobody distils below T = 1
        same = use.input.role is use.target.role and use.input.role is not Role.UNKNOWN
        known = _is_at_one(analysis, use, first)
        if known and not same and not is_declared(analysis, use, _MEANT):
            yield Found(use.node, _MESSAGE.format(t=softened.text, both=arguments(use)))


def _is_ready_made(use: LossUse) -> bool:
    """Whether the student is at a temperature and the target comes as it is, by its name."""
    temperature, node = use.input.temperature, use.target_node
    if temperature is None or temperature.is_one or use.input.space is not Space.LOG_PROBS:
        return False
    if not temperature.atoms or not all(map(is_temperature, temperature.symbols)):
        return False
    plain = use.target.space is Space.UNKNOWN and not use.target.sources
    return plain and isinstance(node, ast.Name) and bool({"prob", "probs"} & set(words(node.id)))


def _is_softened(analysis: Analysis, use: LossUse) -> bool:
    """Whether the target is seen to be made with a softmax, however many are added up."""
    return any(
        isinstance(inner, ast.Call) and "softmax" in source(inner.func)
        for step in path(analysis, use.target_node, use.scope)
        for inner in ast.walk(step.node)
    )


def _is_at_one(analysis: Analysis, use: LossUse, first: Scale | None) -> bool:
    """Whether the side without temperature is seen to have none.

    What a helper gives that nobody could look into may have been divided there.
    """
    plain = first is not None and first.is_one
    node = use.input_node if plain else use.target_node
    steps = list(path(analysis, node, use.scope))
    last = steps[-1].node if steps else None
    models = {id(forward.node) for forward in analysis.forwards}
    return not isinstance(last, ast.Call) or id(last) in models or _is_tensor_call(analysis, last)


def _is_tensor_call(analysis: Analysis, node: ast.Call) -> bool:
    """Whether it computes with what it is called on, or is a function of PyTorch."""
    value = analysis.value_of(node)
    return value is not None and bool(value.space in (*NORMALISED, Space.FEATURES) or value.sources)


def _sides(use: LossUse) -> tuple[Scale | None, Scale | None]:
    """The two temperatures; cross_entropy takes its softmax of the scaled logits itself."""
    target = use.target.temperature
    if use.kind == "cross_entropy":
        plain = use.input.space in (Space.LOGITS, Space.OUTPUT) and use.target.space is Space.PROBS
        return (use.input.scale.power(-1) if plain else None), target
    return use.input.temperature, target


_READY_MADE = Text(
    "the student is at temperature {t} and {name} comes ready-made: the two agree only if it was "
    "made at the same temperature",
    "学生一侧的温度是 {t}，而 {name} 是现成的：只有用同一温度算出，两侧才会一致",
)
_MESSAGE = Text(
    "the temperature {t} is on one side only: the loss is least where the student's logits are "
    "the teacher's times a constant, not where they agree {both}",
    "只有一侧用了温度 {t}：损失最小时学生的 logits 是教师的常数倍，而不是与之一致 {both}",
)
