"""A softmax of probabilities flattens them to almost uniform.

## What it does

Finds softmax or log_softmax applied to the output of a softmax, or to a target vector of
probabilities that was filled in by hand.

## Why is this bad

The inner softmax lies in [0, 1], so the outer one cannot exceed e / (e + C − 1): whatever the
teacher says, the target is almost uniform.

## Measured effect

The largest probability is 0.23 at 10 classes and 0.027 at 100.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    teacher_probs = F.softmax(F.softmax(teacher_logits, dim=1), dim=1)
    return F.kl_div(F.log_softmax(student_logits, dim=1), teacher_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(F.log_softmax(student_logits, dim=1), teacher_probs, reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Attention weights that are normalised a second time over another axis are not reported when the
axis differs.

## References

Hinton et al. 2015.

---

对概率再做 softmax 会把它压成近似均匀分布。

## 它检查什么

检查对 softmax 的输出、或对手工填写的概率向量再做 softmax 或 log_softmax。

## 为什么

内层 softmax 的取值在 [0, 1] 之间，所以外层最大只能到 e / (e + C − 1)：无论教师说什么，目标
都几乎是均匀的。

## 实测影响

最大概率：10 类 0.23，100 类 0.027。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

在另一个维度上第二次归一化的注意力权重不报告。

## 参考

Hinton 等 2015。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Space
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._common import uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import computed_from

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD112"
NAME = "softmax-of-softmax"
SEVERITY = Severity.ERROR
TOPIC = "space"
CATALOGUE = ("SOFTMAX-OF-SOFTMAX",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find a softmax of what is a distribution already."""
    for softmax in analysis.softmaxes:
        value = softmax.argument
        if "sigmoid" in softmax.kind or value.by_name or not _is_distribution(value):
            continue
        same_axis = value.axis is None or softmax.dim is None or value.axis == softmax.dim
        if same_axis or {value.axis, softmax.dim} == {1, -1}:
            yield Found(softmax.node, _MESSAGE.format(space=_named(value)))
    yield from _of_attentions(analysis)


def _named(value: Value) -> Text:
    """What is softened; rows that were filled in may hold smoothed labels as well."""
    return _LABELS if value.space is Space.ONE_HOT else value.space.text


def _of_attentions(analysis: Analysis) -> Iterator[Found]:
    """A softmax of a model's attentions, which are probabilities already."""
    by_node = {id(softmax.node): softmax for softmax in analysis.softmaxes}
    for use in uses(analysis, "kl_div"):
        for side in (use.input, use.target):
            softmax = by_node.get(id(side.origin))
            if softmax is None or softmax.argument_node is None or softmax.argument.is_tensor:
                continue
            name = _attentions(softmax.scope.node, softmax.argument_node)
            if name:
                message = _ATTENTIONS.format(name=name)
                yield Found(softmax.node, message, severity=Severity.WARNING)


def _attentions(function: ast.AST, node: ast.expr) -> str:
    """The name of attentions from which a value is computed; empty without one."""
    named = _named_attentions(function)
    reached = computed_from(function, node) if named else set()
    return next((name for part, name in named if id(part) in reached), "")


@lru_cache(maxsize=256)
def _named_attentions(function: ast.AST) -> list[tuple[ast.AST, str]]:
    """Every place of a function where attentions are read by name."""
    found = []
    for part in nodes_of(function):
        name = part.id if isinstance(part, ast.Name) else getattr(part, "attr", "")
        if isinstance(name, str) and "attentions" in words(name):
            found.append((part, name))
    return found


def _is_distribution(value: Value) -> bool:
    return value.space is Space.PROBS or (
        value.space is Space.ONE_HOT and value.payload == "filled"
    )


_LABELS = Text("labels as rows, one-hot or smoothed", "（one-hot 或平滑后的）标签")
_ATTENTIONS = Text(
    "{name}, if they are a model's attentions, are probabilities already: this softmax of them is "
    "almost uniform",
    "{name} 若是模型输出的注意力，就已经是概率：再做一次 softmax，结果近似均匀",
)
_MESSAGE = Text(
    "softmax is applied to {space}: the result is almost uniform, its largest entry is at most e "
    "/ (e + C - 1) (0.23 at 10 classes, 0.027 at 100)",
    "对{space}又做了一次 softmax：结果近似均匀，最大值不超过 e / (e + C − 1)（10 类 0.23，100 类 "
    "0.027）",
)
