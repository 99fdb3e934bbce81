"""The softmax runs over one dimension, the sum over classes over another.

## What it does

Finds, on tensors of three or more dimensions, losses whose softmax axis is not the axis they
are summed over, whose two sides are normalised over different axes, or whose axis is that of the
positions of a language model's logits; and softmaxes over dim 1 of what was made or reshaped with
three sizes, of which the last is the number of classes.

## Why is this bad

On [B, S, V] `dim=1` normalises over the positions: the numbers of one position do not sum to
one, and the loss compares nothing that is a distribution over the vocabulary.

## Measured effect

Sums over the vocabulary of 2.6, 2.5, 5.4 instead of 1.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_loss(scores, soft_labels):
    scores = scores[:, :-1, :]
    return -torch.sum(F.log_softmax(scores, dim=1) * soft_labels, dim=-1).mean()
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_loss(scores, soft_labels):
    scores = scores[:, :-1, :]
    return -torch.sum(F.log_softmax(scores, dim=-1) * soft_labels, dim=-1).mean()
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

On [B, C, H, W] dim=1 is right; only a contradiction within the code is reported.

## References

uta-smile/TCL, issue 12.

---

softmax 在一个维度上归一化，对类别求和却在另一个维度。

## 它检查什么

在三维及以上的张量上，检查 softmax 的维度与求和维度不同、两侧归一化维度不同、或落在语言模型
logits 的位置维上的损失；以及张量按三个大小创建或变形、最后一个是类别数，却在第 1 维做的 softmax。

## 为什么

对 [B, S, V]，`dim=1` 是在位置上归一化：同一位置各词之和不是 1，损失比较的根本不是词表上的分
布。

## 实测影响

对词表求和得到 2.6、2.5、5.4，应为 1。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

对 [B, C, H, W]，dim=1 是正确的；只有代码自相矛盾时才报告。

## 参考

uta-smile/TCL，issue 12。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Softmax
from didact.check.engine.names import is_class_count, source
from didact.check.engine.shapes import sizes_of
from didact.check.engine.spaces import Evidence
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, rank_of, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD401"
NAME = "softmax-over-positions"
SEVERITY = Severity.ERROR
TOPIC = "dimension"
CATALOGUE = ("DIM-SEQ",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find axes that contradict each other."""
    yield from _contradicted_by_sizes(analysis)
    for use in uses(analysis, *SOFT):
        rank, why = rank_of(use)
        axis, other = use.input.axis, use.target.axis
        if rank < 3 or why is Evidence.NAME or axis is None:
            continue
        if other is not None and _differ(axis, other, rank):
            yield Found(use.node, _SIDES.format(a=axis, b=other))
            continue
        if axis == 1 and rank == 3 and _is_of_language_model(analysis, use):
            yield Found(use.node, _POSITIONS.format(a=axis))
            continue
        for term in analysis.terms_of(use):
            first = term.reductions[0] if term.reductions else None
            if (
                first is not None
                and first.kind == "sum"
                and first.dim not in (None, -99)
                and first.dim is not None
                and _differ(axis, first.dim, rank)
                and first.dim != 0
            ):
                yield Found(use.node, _SUM.format(a=axis, b=first.dim))
                break


def _contradicted_by_sizes(analysis: Analysis) -> Iterator[Found]:
    """Softmaxes over the second of three sizes, of which the last is the number of classes."""
    for softmax in analysis.softmaxes:
        sizes = _sizes(analysis, softmax) if softmax.dim == 1 else []
        if len(sizes) != 3:
            continue
        middle, last = (source(size) for size in sizes[1:])
        if is_class_count(last) and not is_class_count(middle):
            yield Found(softmax.node, _SIZES.format(middle=middle, last=last))


def _sizes(analysis: Analysis, softmax: Softmax) -> list[ast.expr]:
    """The sizes that the argument was given where it was made or last reshaped."""
    nodes = [step.node for step in path(analysis, softmax.argument_node, softmax.scope)]
    for node in (*nodes, softmax.argument.origin):
        name = callee(analysis, node).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        if name in ("transpose", "permute"):
            return []
        if name in _SIZED and isinstance(node, ast.Call):
            return sizes_of(node)
    return []


def _is_of_language_model(analysis: Analysis, use: LossUse) -> bool:
    """Whether the scores are the ``logits`` that a model of ``transformers`` gives: [B, S, V]."""
    if analysis.index.logits_rank != 3:
        return False
    return any(
        isinstance(step.node, ast.Attribute) and step.node.attr == "logits"
        for step in path(analysis, use.input_node, use.scope)
    )


def _differ(one: int, other: int, rank: int) -> bool:
    return one % rank != other % rank


_SIZED = ("zeros", "ones", "empty", "full", "rand", "randn", "view", "reshape")
_SIZES = Text(
    "the softmax normalises over dim 1, which has size {middle}; the classes are the last "
    "dimension, of size {last}: dim=-1",
    "softmax 在第 1 维（大小 {middle}）归一化，而类别在最后一维（大小 {last}）：应为 dim=-1",
)
_POSITIONS = Text(
    "the softmax normalises over dim {a}, which are the positions of the language model's logits "
    "[B, S, V]: the vocabulary is the last dimension, dim=-1",
    "softmax 在第 {a} 维归一化，而语言模型的 logits 为 [B, S, V]，这一维是位置；词表是最后一维 "
    "dim=-1",
)
_SUM = Text(
    "the softmax normalises over dim {a}, but the loss is summed over dim {b} of a tensor with 3 "
    "or more dimensions: the entries summed are no distribution. Both must be the class dimension",
    "softmax 在第 {a} 维归一化，损失却在第 {b} 维求和（张量至少三维）：被求和的数不是一个分布。两"
    "者都应是类别维",
)
_SIDES = Text(
    "one side is normalised over dim {a}, the other over dim {b}",
    "一侧在第 {a} 维归一化，另一侧在第 {b} 维归一化",
)
