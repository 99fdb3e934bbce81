"""A cross-entropy written by hand is averaged over the classes.

## What it does

Finds `(-p * log_q).mean()`, `kl_div(..., reduction="none").mean()` and sums that are divided by
the number of classes.

## Why is this bad

Σ over the classes of p log q is the cross-entropy of one sample. A mean over the class
dimension gives 1/C of it.

## Measured effect

1/C of the gradient.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_cross_entropy(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=-1)
    target = F.softmax(teacher_logits, dim=-1)
    return (-target * log_probs).mean()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_cross_entropy(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=-1)
    target = F.softmax(teacher_logits, dim=-1)
    return (-target * log_probs).sum(-1).mean()
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Silent where a number of classes is multiplied back, or the mean's dimension is not known.

## References

Hinton et al. 2015.

---

手写的交叉熵对类别也取了平均。

## 它检查什么

检查 `(-p * log_q).mean()`、`kl_div(..., reduction="none").mean()`，以及求和后除以类别数的写法。

## 为什么

p log q 对类别求和才是一个样本的交叉熵。对类别维取平均只得到它的 1/C。

## 实测影响

梯度为正确值的 1/C。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

之后又乘回类别数，或不知道在哪一维取平均时不报告。

## 参考

Hinton 等 2015。
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Term
from didact.check.engine.spaces import NORMALISED
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, arguments, has_factor, trained_terms, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD304"
NAME = "mean-over-classes"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("CLASS-MEAN",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find point-wise losses whose first reduction is a mean over classes."""
    for use in uses(analysis, *SOFT):
        if use.target.space not in NORMALISED or has_factor(analysis, use):
            continue
        if _is_gathered(analysis, use):
            continue
        terms = analysis.terms_of(use) if use.reduction == "none" else []
        reduced = [term for term in terms if term.reductions]
        factors = {s for term in terms if not term.reductions for s in term.scale.symbols}
        masked = any("mask" in symbol for symbol in factors)
        mean = bool(reduced) and all(_over_classes(t, use.input.axis, masked) for t in reduced)
        if mean or _is_divided_by_classes(analysis, use):
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))


def _is_gathered(analysis: Analysis, use: LossUse) -> bool:
    """Whether the entries of one class were picked for each sample before."""
    return any(
        callee(analysis, step.node).rpartition(".")[2] in ("gather", "take_along_dim")
        for side in (use.input_node, use.target_node)
        for step in path(analysis, side, use.scope)
    )


def _is_divided_by_classes(analysis: Analysis, use: LossUse) -> bool:
    """``loss.sum() / (mask.sum() * logits.shape[1])``: the same mean, written out."""
    rank = use.input.rank if use.input.exact else None
    place = use.input.axis
    for term in trained_terms(analysis, use):
        if not term.reductions or any(step.kind == "mean" for step in term.reductions):
            continue
        for symbol, exponent in term.scale.atoms:
            size = re.search(r"(?:shape\[(-?1)\]|size\((-?1)\))", symbol)
            named = re.search(r"\bnum_?class(es)?\b|\bn_?class(es)?\b|vocab_size", symbol)
            told = size is not None and (size[1] or size[2] or "") == str(place)
            if exponent == -1 and (named or (told and (place == -1 or rank in (None, 2, 4)))):
                return True
    return False


def _over_classes(term: Term, axis: int | None, masked: bool) -> bool:
    if not term.reductions or term.reductions[0].kind != "mean":
        return False
    dim = term.reductions[0].dim
    if dim is None:  # of a masked tensor it is no mean over classes
        return not masked
    return dim == axis


_MESSAGE = Text(
    "the first reduction is a mean over the classes: the term is 1/C of the formula (1/100 at "
    "100 classes). Sum over the classes, then take the mean over the samples {both}",
    "第一步归约就对类别取了平均：这一项只有公式的 1/C（100 类时为 1/100）。应先对类别求和，再对样"
    "本取平均 {both}",
)
