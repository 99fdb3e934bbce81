"""The two sides of a soft loss are normalised over different classes: top-k on one side only.

## What it does

Finds soft losses in which one side is the softmax of `topk` logits, while the other side is
normalised over all classes and gathered afterwards, or takes a `topk` of its own.

## Why is this bad

A softmax over the k best logits gives them all of the probability, a softmax over all classes only
their share. A student that equals its teacher then still has a loss and a gradient: it is pushed to
put everything on the k classes. Where each side takes its own top k, the columns are not even the
same classes.

## Measured effect

Student equal to teacher, 1000 normal logits of standard deviation 2, k = 20: the loss is
0.79 instead of 0; for a student whose classes are shuffled and that takes a top k of its own it is
0, the smallest value.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def topk_loss(student_logits, teacher_logits, k):
    top, indices = torch.topk(teacher_logits, k, dim=1)
    target = F.softmax(top, dim=1)
    log_probs = F.log_softmax(student_logits, dim=1).gather(1, indices)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def topk_loss(student_logits, teacher_logits, k):
    top, indices = torch.topk(teacher_logits, k, dim=1)
    target = F.softmax(top, dim=1)
    log_probs = F.log_softmax(student_logits.gather(1, indices), dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Fix safety

No automatic fix: both sides can be normalised over the k classes, or both over all of them with the
rest as one more class.

## Known false alarms

Renormalising the teacher alone also takes probability from the classes outside the top k, which
may be wanted; it is an *info*. A top k of its own on each side is a *warning*. Silent where the
student alone is renormalised: its optimum is the right one.

## References

Anshumann et al. 2025, "Sparse Logit Sampling".

---

软损失的两侧在不同的类别上归一化：只有一侧取了 top-k。

## 它检查什么

检查这样的软损失：一侧是 `topk` logits 的 softmax，另一侧却先在全部类别上归一化、之后再 gather，
或者另取了自己的 `topk`。

## 为什么

对最大的 k 个 logits 做 softmax，概率全归这 k 类；对全部类别做 softmax，它们只占其中一部分。于是
即使学生与教师完全相同，仍有损失和梯度，会推着学生把概率全压到这 k 类上。若两侧各取各的 top-k，
各列甚至不是同一个类别。

## 实测影响

学生等于教师、1000 个标准差为 2 的正态 logits、k = 20：损失是 0.79 而不是 0；若把学生的类别打乱、
再取自己的 top-k，损失却是最小值 0。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：可以两侧都在这 k 类上归一化，也可以都在全部类别上归一化，并把其余类别合为一类。

## 已知误报

只对教师重新归一化，也会压低 top-k 以外类别的概率，这可能正是所要的，因此只是*提示*；两侧各取各的
top-k 才是*警告*。只有学生重新归一化时，最优解仍然正确，不报告。

## 参考

Anshumann 等 2025，"Sparse Logit Sampling"。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD409"
NAME = "topk-on-one-side"
SEVERITY = Severity.WARNING
TOPIC = "dimension"
CATALOGUE = ("TOPK-ONE-SIDE",)


@dataclass(frozen=True, slots=True)
class _Side:
    """How one side got its classes.

    Attributes:
        normalised: It passed a softmax.
        inside: The ``topk`` or ``gather`` before that softmax.
        outside: The one after it.
    """

    normalised: bool
    inside: ast.expr | None
    outside: ast.expr | None


def check(analysis: Analysis) -> Iterator[Found]:
    """Compare how both sides of every soft loss got their classes."""
    for use in uses(analysis, *SOFT, "mse"):
        sides = [_side(analysis, node, use) for node in (use.input_node, use.target_node)]
        if not all(side.normalised for side in sides):
            continue
        for side, other in (sides, sides[::-1]):
            if side.inside is None or not callee(analysis, side.inside).endswith("topk"):
                continue
            if side is sides[1] and other.inside is None and other.outside is not None:
                yield Found(use.node, _ONE_SIDE, severity=Severity.INFO)
                break
            own = other.inside is not None and callee(analysis, other.inside).endswith("topk")
            if own and other.inside is not side.inside:
                yield Found(use.node, _OWN)
                break


def _side(analysis: Analysis, node: ast.expr | None, use: LossUse) -> _Side:
    softmaxes = {id(softmax.node) for softmax in analysis.softmaxes}
    normalised = False
    inside = outside = None
    for step in path(analysis, node, use.scope):
        name = callee(analysis, step.node)
        if id(step.node) in softmaxes:
            normalised = True
        elif name.endswith(("topk", "gather")):
            if step.index not in (None, 0):
                break
            if normalised:
                inside = inside or step.node
            else:
                outside = outside or step.node
    return _Side(normalised, inside, outside)


_ONE_SIDE = Text(
    "one side is the softmax of the top-k logits, the other is normalised over all classes: equal "
    "models still have a loss; gather the same classes before both softmaxes",
    "一侧是 top-k logits 的 softmax，另一侧在全部类别上归一化：两个模型相同时损失也不为 0；"
    "请在两个 softmax 之前取出同样的类别",
)
_OWN = Text(
    "each side takes a top-k of its own: the columns that are compared are not the same classes",
    "两侧各取各的 top-k：被比较的各列不是同一个类别",
)
