"""The mean squared error of two softmaxes stands in for a divergence.

## What it does

Finds `mse_loss` with its default mean between two softmaxes. A *warning* where the term has a
temperature and is scaled by T² or added to a loss on true labels, as if it were a divergence;
otherwise an *info*: as a consistency loss it may well be meant.

## Why is this bad

The gradient for logit j is 2 / (C T) · qⱼ · ((q − p)ⱼ − Σᵢ qᵢ (q − p)ᵢ). The mean divides by the
number of classes C, which a distribution does not do: its entries are one number each of a whole.
And the factor qⱼ takes the gradient away where the student is sure and wrong. T² mends neither.
The squared error of the *logits* has no such factor.

## Measured effect

Normal logits of standard deviation 2 at T = 4: the gradient is 1/40 of the divergence's at C = 10,
1/3200 at C = 100 and 1/305000 at C = 1000.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_loss(student_logits, teacher_logits, T=4.0):
    student_probs = F.softmax(student_logits / T, dim=-1)
    teacher_probs = F.softmax(teacher_logits / T, dim=-1)
    return F.mse_loss(student_probs, teacher_probs) * T**2
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_loss(student_logits, teacher_logits, T=4.0):
    student_log_probs = F.log_softmax(student_logits / T, dim=-1)
    teacher_probs = F.softmax(teacher_logits / T, dim=-1)
    return F.kl_div(student_log_probs, teacher_probs, reduction="batchmean") * T**2
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Consistency losses of semi-supervised learning (Mean Teacher, MixMatch) are such an error on
purpose, with a large weight that is ramped up; they have no temperature and get an *info*. Silent
with `reduction="sum"` or `"none"`, and where the number of classes is multiplied back.

## References

Hinton et al. 2015, section 2.1 (the squared error of logits); Tarvainen and Valpola 2017.

---

用两个 softmax 的均方误差代替散度。

## 它检查什么

检查对两个 softmax 取默认平均的 `mse_loss`。若该项带温度，又乘了 T² 或与真实标签损失相加（即被当作
散度使用），报*警告*；否则只是*提示*：作为一致性损失，可能本就有意为之。

## 为什么

它对第 j 个 logit 的梯度是 2 / (C T) · qⱼ · ((q − p)ⱼ − Σᵢ qᵢ (q − p)ᵢ)。取平均会再除以类别数 C，
而一个分布的各分量本是一个整体，不该这样除；因子 qⱼ 又使学生自信且错误时的梯度消失。乘 T² 两者都
补不回来。对 *logits* 求均方误差则没有这个因子。

## 实测影响

logits 服从标准差为 2 的正态分布，T = 4：C = 10 时梯度只有散度的 1/40，C = 100 时为 1/3200，
C = 1000 时为 1/305000。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

半监督学习的一致性损失（Mean Teacher、MixMatch）有意如此，权重大且逐步升高；它们没有温度，只得到
*提示*。`reduction="sum"` 或 `"none"`，以及乘回类别数时不报告。

## 参考

Hinton 等 2015，第 2.1 节（logits 的均方误差）；Tarvainen 与 Valpola 2017。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import (
    arguments,
    beside_hard_term,
    has_factor,
    power_of,
    temperature_of,
    temperature_symbol,
    uses,
)
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD122"
NAME = "mse-of-probabilities"
SEVERITY = Severity.INFO
TOPIC = "space"
CATALOGUE = ("MSE-OF-PROBS",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find averaged squared errors of two distributions over the classes."""
    for use in uses(analysis, "mse"):
        if use.reduction != "mean" or has_factor(analysis, use):
            continue
        if use.input.space is not Space.PROBS or use.target.space is not Space.PROBS:
            continue
        severity = Severity.WARNING if _is_divergence(analysis, use) else None
        yield Found(use.node, _MESSAGE.format(both=arguments(use)), severity=severity)


def _is_divergence(analysis: Analysis, use: LossUse) -> bool:
    """Whether the term is scaled or added up as a soft loss at a temperature is."""
    temperature = temperature_of(use)
    if temperature is None:
        return False
    symbol = temperature_symbol(temperature)
    terms = analysis.terms_of(use)
    if symbol is None:
        scaled = any(term.scale.const >= 0.9 * temperature.const**2 for term in terms)
    else:
        scaled = any(power_of(term, symbol) >= 2 for term in terms)
    return scaled or beside_hard_term(analysis, use)


_MESSAGE = Text(
    "the mean squared error of two softmaxes: the mean divides by the number of classes, and the "
    "gradient has the factor q, which vanishes where the student is sure and wrong {both}",
    "对两个 softmax 求均方误差：取平均会再除以类别数，而且梯度带有因子 q，"
    "学生自信且错误时会消失{both}",
)
