"""The losses to several teachers are summed, not averaged.

## What it does

Finds a loop over teachers that adds a distillation loss each time, without a weight and without
dividing by their number.

## Why is this bad

With N teachers the soft part is N times heavier beside the hard loss, and its weight must
change with every teacher added.

## Measured effect

4.76 instead of 0.95 for five teachers.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teachers_logits):
    total = 0
    for teacher_logits in teachers_logits:
        log_probs = F.log_softmax(student_logits, dim=1)
        total += F.kl_div(log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    return total
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teachers_logits):
    total = 0
    for teacher_logits in teachers_logits:
        log_probs = F.log_softmax(student_logits, dim=1)
        total += F.kl_div(log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    return total / len(teachers_logits)
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Silent where the sum is divided, or a term has a weight.

## References

You et al. 2017 (multi-teacher networks).

---

对多个教师的损失求和，而没有取平均。

## 它检查什么

检查遍历教师、每次累加蒸馏损失，却既无权重、也不除以教师数的循环。

## 为什么

有 N 个教师时，软损失相对硬损失重了 N 倍；每加一个教师，权重就得重调。

## 实测影响

五个教师：4.76，应为 0.95。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

之后做了除法、或每一项带权重时不报告。

## 参考

You 等 2017（多教师网络）。
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Term
from didact.check.engine.names import dotted, word_set, words
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, around, identifiers, mentions, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD603"
NAME = "sum-over-teachers"
SEVERITY = Severity.INFO
TOPIC = "weights"
CATALOGUE = ("MULTI-TEACHER-SUM",)


_COUNT = re.compile(r"len|n?teachers?|teach")
_MANY = word_set("models nets networks list outputs logits")


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a loop over teachers whose sum stays a sum."""
    for use in uses(analysis, *SOFT):
        loop = _loop_over_teachers(analysis, use.node)
        if loop is None:
            continue
        statement = analysis.statement_of(use.node)
        adds = _adds(statement)
        if (
            adds
            and not any(_is_averaged(term) for term in analysis.terms_of(use))
            and not _divides_by_count(around(analysis, use))
        ):
            yield Found(statement, _MESSAGE)


def _adds(statement: ast.AST) -> bool:
    """``total += loss`` and ``total = total + loss``."""
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, ast.Add)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.BinOp):
        return False
    operands = {ast.unparse(statement.value.left), ast.unparse(statement.value.right)}
    return isinstance(statement.value.op, ast.Add) and ast.unparse(statement.targets[0]) in operands


def _loop_over_teachers(analysis: Analysis, node: ast.AST) -> ast.For | None:
    parent = analysis.parent_of(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef):
        if isinstance(parent, ast.For) and any(map(_names_teachers, identifiers(parent.iter))):
            return parent
        parent = analysis.parent_of(parent)
    return None


def _names_teachers(name: str) -> bool:
    """``teachers``, ``self.teacher_models``, ``teacher_logits``."""
    found = words(name)
    after = {later for word, later in pairwise(found) if word == "teacher"}
    return "teachers" in found or not after.isdisjoint(_MANY)


def _divides_by_count(function: ast.AST) -> bool:
    """``/ len(teachers)``, ``/= self.num_teachers``, ``/ n``."""
    divisors = [
        node.right if isinstance(node, ast.BinOp) else node.value
        for node in nodes_of(function)
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
    ]
    return any(
        mentions(divisor, _COUNT)
        or (isinstance(divisor, ast.Name | ast.Attribute) and dotted(divisor) in ("n", "self.n"))
        for divisor in divisors
    )


def _is_averaged(term: Term) -> bool:
    return any(
        exponent < 0 or "[" in symbol or "weight" in symbol or symbol == "w"
        for symbol, exponent in term.scale.atoms
    )


_MESSAGE = Text(
    "the losses to all teachers are summed: with N teachers the distillation part is N times "
    "heavier. Divide by their number, or give them weights",
    "对所有教师的损失直接求和：有 N 个教师时蒸馏部分重了 N 倍。应除以教师数，或为每个教师设权重",
)
