"""A loss is divided by another loss that is still in the graph.

## What it does

Finds quotients in which a loss, or a sum of losses, is the denominator of another one and has not
been detached.

## Why is this bad

The quotient is meant as a weight that keeps two terms on one scale. But a weight must be a
constant: with the denominator in the graph the derivative of a / b is a'/b − a b'/b², so training
*raises* the loss in the denominator. And `a / b * b` is just a: the term that was to be balanced
has no gradient at all.

## Measured effect

With CE = 1.77 and a soft term of 1.97, `hard + soft / hard` has CE's gradient with the factor 0.37
instead of 1. The factor is 1 − soft / CE²: once CE is below 1.4 here, training raises it.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def balanced(student_logits, teacher_logits, labels):
    log_probs = F.log_softmax(student_logits, dim=1)
    soft = F.kl_div(log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    hard = F.cross_entropy(student_logits, labels)
    return hard + soft / hard
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def balanced(student_logits, teacher_logits, labels):
    log_probs = F.log_softmax(student_logits, dim=1)
    soft = F.kl_div(log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    hard = F.cross_entropy(student_logits, labels)
    return hard + soft / hard.detach()
```

## Fix safety

Unsafe: `.detach()` keeps the value and changes the gradient.

## Known false alarms

Silent where the denominator is detached, taken by `.item()` or under `no_grad`, where numerator and
denominator hold the same losses (a normalised list of losses), and where the quotient is only
printed or stored. An objective that really is a ratio would be reported.

## References

None.

---

一个损失除以另一个仍在计算图中的损失。

## 它检查什么

检查这样的商：分母是另一个损失（或损失之和），而且没有 detach。

## 为什么

这个商本意是当作权重，使两项处于同一尺度。但权重必须是常数：分母留在图中时，a / b 的导数是
a'/b − a b'/b²，训练会*增大*分母上的损失。而 `a / b * b` 就等于 a：想要平衡的那一项完全没有梯度。

## 实测影响

CE = 1.77、软损失为 1.97 时，`hard + soft / hard` 中 CE 的梯度只有 0.37 倍。该系数为
1 − soft / CE²：此例中 CE 一旦低于 1.4，训练就会增大它。

## 错误示例

## 正确写法

## 修复安全性

不安全：`.detach()` 不改变数值，但改变梯度。

## 已知误报

分母已 detach、经 `.item()` 取出或在 `no_grad` 之下，分子与分母由同样的损失组成（对一组损失
归一化），以及商只用于打印或保存时，不报告。如果目标本来就是一个比值，则会误报。

## 参考

无。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Operation, Term
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Grad, Space
from didact.check.engine.values import Value
from didact.check.findings.finding import Edit, Fix, Severity, Span
from didact.check.rules._rule import Found, span_of

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD607"
NAME = "loss-over-loss"
SEVERITY = Severity.WARNING
TOPIC = "weights"
CATALOGUE = ("LOSS-AS-DENOMINATOR",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find quotients of two losses that both carry a gradient."""
    for operation in analysis.operations_of("divide"):
        trained = _is_ratio(operation) and _is_trained(analysis, operation)
        if trained and not _is_detached_later(analysis, operation):
            yield Found(operation.node, _MESSAGE, _fix(operation.node))


def _is_ratio(operation: Operation) -> bool:
    upper, lower = _in_graph(operation.base), _in_graph(operation.other)
    same = {id(term.use.node) for term in upper} == {id(term.use.node) for term in lower}
    return bool(upper) and bool(lower) and not same


def _in_graph(value: Value) -> list[Term]:
    if value.space is not Space.LOSS or value.grad is Grad.NO:
        return []
    return [
        term
        for term in value.terms
        if not term.cut and not term.use.under_no_grad and term.use.kind != "other"
    ]


def _is_trained(analysis: Analysis, operation: Operation) -> bool:
    """Whether the numerator becomes part of what is returned or backpropagated."""
    own = {id(term.use.node) for term in operation.base.terms}
    totals = [total for total in analysis.totals if total.how != "assign"]
    return any(id(term.use.node) in own for total in totals for term in total.value.terms)


def _is_detached_later(analysis: Analysis, operation: Operation) -> bool:
    """Whether the quotient is given a name of which ``detach()`` is called."""
    statement = analysis.statement_of(operation.node)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    names = {ast.unparse(target) for target in targets}
    return bool(names) and any(
        isinstance(part, ast.Attribute)
        and part.attr in ("detach", "item", "data")
        and ast.unparse(part.value) in names
        for part in nodes_of(operation.scope.node)
    )


def _fix(node: ast.AST) -> Fix | None:
    """The denominator detached, where it is a plain name."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.right, ast.Name | ast.Attribute):
        return None
    end = span_of(node.right)
    place = Span(end.end_line, end.end_column, end.end_line, end.end_column)
    what = Text("detach the denominator", "对分母 detach")
    return Fix((Edit(place, ".detach()"),), "unsafe", what)


_MESSAGE = Text(
    "a loss is divided by a loss that is still in the graph: training raises the denominator; "
    "detach it if it is meant as a weight",
    "损失除以另一个仍在计算图中的损失：训练会增大分母；若想把它当作权重，请先 detach",
)
