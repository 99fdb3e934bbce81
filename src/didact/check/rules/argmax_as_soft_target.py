"""The teacher's argmax is the target: its soft knowledge is thrown away.

## What it does

Finds `cross_entropy` against the argmax of the teacher's output.

## Why is this bad

The argmax keeps log2(C) bits at most and none of the similarities between classes; where the
teacher is wrong the student is told so with full weight.

## Measured effect

Target entropy 0 instead of 4.25; toy student 66.3 % (soft: 72.3 %).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    target = teacher_logits.argmax(dim=1)
    return F.cross_entropy(student_logits, target)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    target = F.softmax(teacher_logits, dim=1)
    return F.cross_entropy(student_logits, target)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Hard distillation (DeiT) and pseudo-labels do this on purpose; silent where the code says hard
or pseudo.

## References

Touvron et al. 2021 (DeiT), arXiv:2012.12877.

---

以教师的 argmax 为目标：软标签里的知识被丢弃了。

## 它检查什么

检查以教师输出的 argmax 为目标的 `cross_entropy`。

## 为什么

argmax 最多保留 log2(C) 比特，类别之间的相似性全部丢失；教师出错时，学生会以全部权重学到这个
错误。

## 实测影响

目标熵为 0，应为 4.25；小实验精度 66.3 %（软标签 72.3 %）。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

硬蒸馏（DeiT）与伪标签有意如此；代码中写有 hard 或 pseudo 时不报告。

## 参考

Touvron 等 2021（DeiT），arXiv:2012.12877。
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import Role, Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, is_declared, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD116"
NAME = "argmax-as-soft-target"
SEVERITY = Severity.INFO
TOPIC = "space"
CATALOGUE = ("ARGMAX-SOFT-TARGET",)


_MEANT = re.compile(r"hard|pseudo\w*|.*[伪硬].*")
"""What an author calls it who wants the top class alone."""


def check(analysis: Analysis) -> Iterator[Found]:
    """Find the teacher's argmax as a target."""
    for use in uses(analysis, "cross_entropy", "nll"):
        if (
            use.target.space is Space.LABELS
            and use.target.role is Role.TEACHER
            and use.input.role is not Role.TEACHER
            and not is_declared(analysis, use, _MEANT)
        ):
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))


_MESSAGE = Text(
    "the target is the argmax of the teacher: hard distillation, which keeps the top class and "
    "nothing else of what the teacher says {both}",
    "目标是教师的 argmax：这是硬蒸馏，只保留最大类，教师给出的其余信息全部丢弃 {both}",
)
