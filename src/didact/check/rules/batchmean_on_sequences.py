"""`batchmean` on more than two dimensions divides by the first alone.

## What it does

Finds `kl_div(..., reduction="batchmean")` on tensors of three or more dimensions.

## Why is this bad

`batchmean` divides the sum by `input.size(0)`. On [B, S, V] that leaves a sum over the S
positions: the term is S times larger and grows with the length of the text.

## Measured effect

× 16 for 16 tokens, × 64 for an 8 × 8 map.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=2)
    return F.kl_div(log_probs, F.softmax(teacher_logits, dim=2), reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=2)
    probs = F.softmax(teacher_logits, dim=2)
    return F.kl_div(log_probs.flatten(0, 1), probs.flatten(0, 1), reduction="batchmean")
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Silent where the rank is not known, and where the result is divided by a count afterwards.

## References

neuralmagic/sparseml, pull request 592.

---

在二维以上的张量上，`batchmean` 只除以第一维。

## 它检查什么

检查在三维及以上张量上使用 `kl_div(..., reduction="batchmean")`。

## 为什么

`batchmean` 把总和除以 `input.size(0)`。对 [B, S, V]，S 个位置仍是求和：这一项大 S 倍，并随
文本长度增长。

## 实测影响

16 个 token 时大 16 倍，8 × 8 特征图大 64 倍。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

维数未知，或之后又除以某个计数时不报告。

## 参考

neuralmagic/sparseml，pull request 592。
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.index import Index
from didact.check.engine.names import dotted, is_batch_count
from didact.check.engine.rank_evidence import unpack_evidence
from didact.check.engine.spaces import Evidence
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, rank_of, trained_terms, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD303"
NAME = "batchmean-on-sequences"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("BATCHMEAN-3D",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find batchmean on sequences and maps."""
    forms: dict[int, list[LossUse]] = {}
    for use in uses(analysis, "kl_div"):
        if use.reduction == "batchmean":
            forms.setdefault(id(use.node), []).append(use)
    for same in forms.values():
        ranks = [(use, *rank_of(use)) for use in same]
        sure = [(use, rank) for use, rank, why in ranks if rank >= 3 and why is not Evidence.NAME]
        flat = any(use.input.exact and (use.input.rank or 0) < 3 for use in same)
        told = [(use, rank) for use, rank, _ in ranks if rank >= 3 and not flat]
        for use, rank in (sure or told)[:1]:
            if not _is_divided(analysis, use):
                message = (_MESSAGE if sure else _TOLD).format(rank=rank, both=arguments(use))
                yield Found(use.node, message, severity=None if sure else Severity.INFO)


def _is_divided(analysis: Analysis, use: LossUse) -> bool:
    index = analysis.index
    sides = index.once("sides of shapes", frozenset[str](), partial(_sides, index))
    rounds = index.once("rounds counted", frozenset[str](), partial(_rounds, index))
    for term in trained_terms(analysis, use):
        for symbol, exponent in term.scale.atoms:
            parts = set(re.findall(r"\w+", symbol))
            if exponent >= 0 or not parts.isdisjoint(rounds):
                continue
            counted = is_batch_count(symbol) or not parts.isdisjoint(sides)
            if counted or any(word in symbol for word in ("len", "size", "shape")):
                return True
    return False


def _rounds(index: Index) -> frozenset[str]:
    """The names that count rounds of a loop: ``count += 1``."""
    return frozenset(
        dotted(step.target)
        for step in index.of(ast.AugAssign)
        if isinstance(step.op, ast.Add) and getattr(step.value, "value", None) == 1
    )


def _sides(index: Index) -> frozenset[str]:
    """The names for sizes of positions: ``h`` and ``w`` of ``b, c, h, w = x.shape``."""
    found: set[str] = set()
    for assignment in index.of(ast.Assign):
        for target in assignment.targets:
            if unpack_evidence(target, assignment.value) and isinstance(target, ast.Tuple):
                whole = not isinstance(assignment.value, ast.Subscript)
                found |= {dotted(element) for element in target.elts[whole:]}
    return frozenset(found - {"_", ""})


_TOLD = Text(
    "batchmean divides by the first dimension only, and names or comments say that the input has "
    "{rank}: if so, the loss is a sum over all positions. Flatten to [N, C] first {both}",
    "batchmean 只除以第一维，而名称或注释表明输入有 {rank} 维：若属实，损失是所有位置之和。"
    "应先展平为 [N, C] {both}",
)
_MESSAGE = Text(
    "batchmean divides by the first dimension only, and the input has at least {rank}: the loss "
    "is a sum over all positions and grows with their number. Flatten to [N, C] first {both}",
    "batchmean 只除以第一维，而输入至少有 {rank} 维：损失是所有位置之和，随位置数增长。应先展平为"
    " [N, C] {both}",
)
