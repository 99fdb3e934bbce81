"""One term has the weight 1 − λ, the other not λ.

## What it does

Finds sums in which one loss has a factor `1 - a` and the distillation term has no `a`, or
another number beside it.

## Why is this bad

λ·soft + (1 − λ)·hard keeps the size of the whole when λ moves, and only if both terms are on
the same scale. With soft + (1 − λ)·hard the total weight moves with λ, and with it the learning
rate that suits.

## Measured effect

The weights sum to 1.3 at λ = 0.7.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels, alpha):
    soft = F.kl_div(
        F.log_softmax(student_logits, dim=1),
        F.softmax(teacher_logits, dim=1),
        reduction="batchmean",
    )
    return soft + (1 - alpha) * F.cross_entropy(student_logits, labels)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels, alpha):
    soft = F.kl_div(
        F.log_softmax(student_logits, dim=1),
        F.softmax(teacher_logits, dim=1),
        reduction="batchmean",
    )
    return alpha * soft + (1 - alpha) * F.cross_entropy(student_logits, labels)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Some papers define the weights so; this says what the sum is, nothing more. Two terms on the labels
with the weights a and 1 - a (mixup) are convex between them and are left alone.

## References

Wu et al. 2019 (BiC), arXiv:1905.13260.

---

一项的权重是 1 − λ，另一项却不是 λ。

## 它检查什么

检查一项带因子 `1 - a`，而蒸馏项没有 `a`、或还多乘了别的常数的和式。

## 为什么

λ·soft + (1 − λ)·hard 在 λ 变化时保持总量不变，前提是两项同尺度。写成 soft + (1 − λ)·hard，
总权重随 λ 变化，合适的学习率也跟着变。

## 实测影响

λ = 0.7 时权重之和为 1.3。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

有的论文就是这样定义的；这里只说明总和是多少。两个标签项的权重分别为 a 和 1 − a（mixup）时，
它们之间已是凸组合，不报告。

## 参考

Wu 等 2019（BiC），arXiv:1905.13260。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Term
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD601"
NAME = "weights-not-convex"
SEVERITY = Severity.INFO
TOPIC = "weights"
CATALOGUE = ("NON-CONVEX",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a lone 1 - a."""
    seen: set[int] = set()
    for total in analysis.totals:
        terms = total.value.terms
        if total.value.joined or not 2 <= len(terms) <= 4:
            continue
        for weighted in terms:
            symbol = _complement(weighted)
            others = [term for term in terms if term.use.node is not weighted.use.node]
            soft = [term for term in others if term.use.kind in _DISTILLING]
            if (
                symbol is None
                or not weighted.use.is_hard
                or not soft
                or any(_complement(term) for term in others)
                or any(term.use.is_hard and term.scale.exponent(symbol) for term in others)
            ):
                continue
            for term in soft:
                message = None if id(term.use.node) in seen else _judge(term, symbol)
                if message is not None:
                    seen.add(id(term.use.node))
                    yield Found(
                        term.use.node if term.scale.exponent(symbol) else total.node, message
                    )


_DISTILLING = (*SOFT, "mse")


def _complement(term: Term) -> str | None:
    for symbol, exponent in term.scale.atoms:
        if exponent == 1 and symbol.startswith("1 - "):
            return symbol.removeprefix("1 - ")
    return None


def _judge(term: Term, symbol: str) -> Text | None:
    if not term.scale.exponent(symbol):
        return _MISSING.format(a=symbol, b=term.scale.text)
    number = abs(term.scale.const)
    if number != 1 and term.use.reduction != "none":
        return _CONSTANT.format(a=symbol, number=f"{number:g}")
    return None


_MISSING = Text(
    "one term has the weight 1 - {a}, the distillation term has {b}: the weights are not convex, "
    "their sum moves with {a}. Usual is {a} * soft + (1 - {a}) * hard, with both on one scale",
    "一项的权重是 1 − {a}，蒸馏项的权重是 {b}：两者不是凸组合，总和随 {a} 变化。通常写作 {a}·soft"
    " + (1 − {a})·hard，且两项同尺度",
)
_CONSTANT = Text(
    "the weights {a} and 1 - {a} would be convex, but the distillation term has a further factor "
    "{number}",
    "权重 {a} 与 1 − {a} 本是凸组合，但蒸馏项还多乘了 {number}",
)
