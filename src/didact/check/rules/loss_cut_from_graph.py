"""The loss is taken out of the graph before `backward()`.

## What it does

Finds a loss that went through `.item()`, `.data`, `.detach()`, `Variable(...)` or
`torch.tensor(...)` and is then backpropagated, or returned in one sum with a loss that has its
graph, or made to require a gradient anew.

## Why is this bad

What is left is a number. `requires_grad=True` makes it a new leaf: `backward()` runs without an
error and no parameter sees anything of it.

## Measured effect

Gradient None, or that of the other terms alone; the toy student stays at 52.7 %, as without
distillation.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(student_logits, teacher_probs, labels):
    soft = F.kl_div(F.log_softmax(student_logits, dim=1), teacher_probs, reduction="batchmean")
    loss = F.cross_entropy(student_logits, labels) + soft.item()
    loss.backward()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(student_logits, teacher_probs, labels):
    soft = F.kl_div(F.log_softmax(student_logits, dim=1), teacher_probs, reduction="batchmean")
    loss = F.cross_entropy(student_logits, labels) + soft
    loss.backward()
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

`.item()` for logging is not reported: only what reaches `backward()` counts.

## References

ngailapdi/LWF, issue 8.

---

损失在 `backward()` 之前就脱离了计算图。

## 它检查什么

检查经过 `.item()`、`.data`、`.detach()`、`Variable(...)` 或 `torch.tensor(...)` 之后又被反
向传播、或与带图的损失相加后返回、或重新要求梯度的损失。

## 为什么

剩下的只是一个数。`requires_grad=True` 会把它变成新的叶子：`backward()` 不报错，但没有任何参
数能收到梯度。

## 实测影响

梯度为 None，或只有其他项的梯度；小实验精度停在 52.7 %，等于没有蒸馏。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

用于记录日志的 `.item()` 不报告：只看进入 `backward()` 的量。

## 参考

ngailapdi/LWF，issue 8。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Term, Total
from didact.check.engine.spaces import Grad, Space
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found
from didact.check.rules._trace import is_told_elsewhere, place_in_file

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD505"
NAME = "loss-cut-from-graph"
SEVERITY = Severity.ERROR
TOPIC = "teacher"
CATALOGUE = (
    "ITEM-IN-GRAPH",
    "GRAPH-CUT",
)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find losses that are trained on and have no graph."""
    for node in analysis.index.of(ast.Call):
        if isinstance(node, ast.Call) and _wants_gradient(node):
            value = analysis.value_of(node)
            if value is not None and value.terms and all(term.cut for term in value.terms):
                yield Found(node, _MESSAGE)
    trained = [total for total in analysis.totals if _is_trained(total)]
    whole = {
        id(term.use.node)
        for total in trained
        for term in total.value.terms
        if not term.cut and (total.how == "backward" or len(total.value.terms) > 1)
    }
    done: set[int] = set()
    for total in trained:
        for term in total.value.terms:
            lost = term.cut and id(term.use.node) not in whole and not _is_normaliser(term)
            if lost and is_told_elsewhere(analysis, term.use, total):
                continue
            if lost and id(term.use.node) not in done:
                done.add(id(term.use.node))
                yield Found(_cut_at(analysis, term.use, total), _MESSAGE)
    yield from _copied(analysis, done)


def _cut_at(analysis: Analysis, use: LossUse, total: Total) -> ast.AST:
    """Where a loss leaves its graph: where it is copied, or where its helper is called."""
    for copy in analysis.operations_of("copy"):
        if any(term.use.node is use.node for term in copy.base.terms) and analysis.owns(copy.node):
            return copy.node
    outside = use.scope.calls and total.scope.node is not use.scope.node
    if outside and analysis.owns(use.scope.calls[-1]):
        return use.scope.calls[-1]
    return place_in_file(analysis, use)


def _is_trained(total: Total) -> bool:
    """A sum that is backpropagated, or returned with a term in it that has its graph."""
    if total.how == "backward":
        return True
    whole = [t for t in total.value.terms if not t.cut and not t.use.under_no_grad]
    return total.how == "return" and bool(whole) and not total.value.joined


def _copied(analysis: Analysis, done: set[int]) -> Iterator[Found]:
    """``torch.tensor(loss)``, added to what is no number: the copy has no graph."""
    copies = analysis.operations_of("copy")
    copied_ones = {
        id(term.use.node): copy.node
        for copy in copies
        for term in copy.base.terms
        if not term.cut and not term.use.under_no_grad
    }
    for operation in analysis.operations_of("add") if copied_ones else ():
        if not isinstance(operation.node, ast.BinOp):
            continue
        for side, other in (
            (operation.base, operation.other),
            (operation.other, operation.base),
        ):
            terms = side.terms
            copied = bool(terms) and all(t.cut and id(t.use.node) in copied_ones for t in terms)
            open_ended = other.space not in (Space.SCALAR, Space.NONE) and other.grad is not Grad.NO
            if copied and open_ended and not (other.terms and all(t.cut for t in other.terms)):
                place = copied_ones[id(terms[0].use.node)]
                if id(terms[0].use.node) not in done and analysis.owns(place):
                    done.add(id(terms[0].use.node))
                    yield Found(place, _MESSAGE, severity=Severity.WARNING)


def _wants_gradient(node: ast.Call) -> bool:
    return any(
        keyword.arg == "requires_grad"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in node.keywords
    )


def _is_normaliser(term: Term) -> bool:
    """``loss / loss.detach()`` rescales on purpose."""
    return any(exponent < 0 for _, exponent in term.scale.atoms)


_MESSAGE = Text(
    "this loss leaves the graph (.item(), .data, detach, Variable or torch.tensor) before "
    "backward(): it is a number, and no parameter gets a gradient from it",
    "这个损失在 backward() 之前脱离了计算图（.item()、.data、detach、Variable 或 torch.tensor）："
    "它只是一个数，没有参数能从它得到梯度",
)
