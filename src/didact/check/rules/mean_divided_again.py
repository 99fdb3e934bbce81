"""A loss that is a mean already is divided by the batch size once more.

## What it does

Finds losses with reduction `mean` or `batchmean`, and means written by hand, that are then divided
by the number of samples of the same batch: `len(labels)`, `x.size(0)`, `batch_size`, or by the sum
of a mask after `batchmean` on rows.

## Why is this bad

The mean has divided by the batch size B already. Once more makes the term 1/B of the formula, so
its weight beside the other terms depends on the batch size, and on the last, smaller batch it is
another one.

## Measured effect

At a batch of 64 the term has 1/64 of its gradient: a weight of 0.9 acts like 0.014.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels):
    soft = F.mse_loss(student_logits, teacher_logits) / labels.size(0)
    return F.cross_entropy(student_logits, labels) + 0.9 * soft
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels):
    soft = F.mse_loss(student_logits, teacher_logits)
    return F.cross_entropy(student_logits, labels) + 0.9 * soft
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

An info only where every term of the sum is divided alike: that is a matter of the learning rate.
Silent where the loss is summed over a loop and divided after it, where the count is multiplied
back, and for what is logged. A weight that was tuned with the divisor may hold it.

## References

PyTorch, `torch.nn.functional.mse_loss`, `kl_div`.

---

已经取过平均的损失又除了一次批大小。

## 它检查什么

检查 reduction 为 `mean` 或 `batchmean`（以及手写取平均）的损失，之后又除以同一批的样本数
（`len(labels)`、`x.size(0)`、`batch_size`），或对逐行的 `batchmean` 再除以掩码之和。

## 为什么

取平均时已经除过批大小 B。再除一次，这一项只剩公式的 1/B：它相对其他项的权重随批大小而变，最后
一个较小的批又是另一个权重。

## 实测影响

批大小为 64 时，这一项的梯度只有 1/64：写作 0.9 的权重实际只相当于 0.014。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

总损失的每一项都同样被除时只作提示：那只影响学习率。在循环里累加、循环之后再除，之后又乘回样本数，或
只用于记录时不报告。带着这个除数调出的权重可能已包含它。

## 参考

PyTorch 文档 `torch.nn.functional.mse_loss`、`kl_div`。
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Operation, Term, Total
from didact.check.engine.names import source
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, totals_with, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD313"
NAME = "mean-divided-again"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("MEAN-DIVIDED-AGAIN",)
_KINDS = (*SOFT, "mse", "l1", "cosine", "cross_entropy", "nll", "bce", "bce_logits")
_SAMPLES = re.compile(
    r"\w[\w.]*\.(size\(0\)|shape\[0\])|(\w+\.)*(batch_?size|bsz?)|"
    r"len\((\w+\.)*(labels?|targets?|inputs?|images?|imgs?|x|y|batch|data)\)",
    re.IGNORECASE,
)
_MASK = re.compile(r"\(?(\w+\.)*\w*mask\w*(\.float\(\))?\.sum\(\)\)?( \+ .*)?", re.IGNORECASE)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find means that meet the number of samples in a denominator."""
    done: set[int] = set()
    divided = _divisions(analysis)
    for use in uses(analysis, *_KINDS):
        divisions = divided.get(use.identity, [])
        for total, term in totals_with(analysis, use) if divisions else ():
            count = _count(use, term) if _is_trained(total, term) else ""
            place = _division(analysis, use, count, divisions) if count else None
            if place is None or id(place) in done or not analysis.owns(place):
                continue
            done.add(id(place))
            alike = all(_count(other.use, other) == count for other in total.value.terms)
            alone = len({other.use.identity for other in total.value.terms}) == 1 or alike
            message = _ALIKE if alone else _MESSAGE
            severity = Severity.INFO if alone else None
            yield Found(place, message.format(count=count), severity=severity)


def _divisions(analysis: Analysis) -> dict[object, list[Operation]]:
    """The divisions by the losses that are in what is divided."""
    found: dict[object, list[Operation]] = defaultdict(list)
    for operation in analysis.operations_of("divide"):
        for identity in {term.use.identity for term in operation.base.terms}:
            found[identity].append(operation)
    return found


def _is_trained(total: Total, term: Term) -> bool:
    return total.how in ("backward", "return") and not term.cut and not term.use.under_no_grad


def _count(use: LossUse, term: Term) -> str:
    """The number of samples that a mean is divided by; nothing where it is not."""
    over_samples = [step.kind for step in term.reductions if step.dim in (None, 0)]
    if over_samples[:1] not in (["mean"], ["batchmean"]):  # a later mean is one over devices
        return ""
    rows = use.reduction == "mean" or (use.input.rank == 2 and use.input.axis in (-1, 1))
    masked = any(power > 0 and "mask" in symbol.lower() for symbol, power in term.scale.atoms)
    for symbol, exponent in term.scale.atoms:
        if exponent > -1:
            continue
        if _SAMPLES.fullmatch(symbol) or (rows and not masked and _MASK.fullmatch(symbol)):
            return symbol
    return ""


def _division(
    analysis: Analysis, use: LossUse, count: str, divisions: list[Operation]
) -> ast.AST | None:
    """Where the loss is divided: not where that is done once for a whole loop of losses."""
    for operation in divisions:
        node = operation.node
        told = _divisor(operation)
        if told is None or (count not in told and _short(count) not in told):
            continue
        if _loops(analysis, node) == _loops(analysis, use.node) or _is_in_helper(
            analysis, use, node
        ):
            return node
    return None


def _divisor(operation: Operation) -> str | None:
    node = operation.node
    right = node.right if isinstance(node, ast.BinOp) else None
    if isinstance(node, ast.AugAssign):
        right = node.value
    if right is None:
        return None
    written = ast.unparse(right)
    named = operation.other.scale.text if operation.other.space is Space.SCALAR else ""
    made = operation.other.origin
    return " ".join(filter(None, (written, named, source(made) if made is not None else "")))


def _short(count: str) -> str:
    return count.strip("()").partition(" + ")[0]


def _loops(analysis: Analysis, node: ast.AST) -> list[int]:
    """The loops around a node, inside its function."""
    found: list[int] = []
    around = analysis.parent_in_project(node)
    while around is not None and not isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
        if isinstance(around, ast.For | ast.While | ast.comprehension | ast.ListComp):
            found.append(id(around))
        around = analysis.parent_in_project(around)
    return found


def _is_in_helper(analysis: Analysis, use: LossUse, division: ast.AST) -> bool:
    """Whether a caller divides what a helper gives, in the loop in which it calls it."""
    if _loops(analysis, use.node):
        return False
    return any(_loops(analysis, call) == _loops(analysis, division) for call in use.scope.calls)


_ALIKE = Text(
    "this loss is a mean already, and is divided by {count} once more: the gradient is 1/batch of "
    "the formula's, and the learning rate means another thing at every batch size",
    "这个损失已经取过平均，又除了一次 {count}：梯度只有公式的 1/批大小，学习率的含义随批大小而变",
)
_MESSAGE = Text(
    "this loss is a mean already, and is divided by {count} once more: the larger the batch, the "
    "smaller this term beside the others. Leave one of the two out",
    "这个损失已经取过平均，又除了一次 {count}：批越大，这一项相对其他项就越小。应去掉其中一次",
)
