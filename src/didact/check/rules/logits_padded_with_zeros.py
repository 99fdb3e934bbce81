"""Logits are padded with zeros before a softmax.

## What it does

Finds a softmax over logits that `F.pad` or `torch.cat` with zeros has made longer in the dimension
of the classes.

## Why is this bad

Zero is not "impossible" for a logit; it is a score like any other. Softmax gives each padded class
the weight e⁰ = 1, and where the real logits are mostly negative, as those of language models often
are, most of the probability goes to classes that do not exist. The value −∞ (or the smallest
number) is what stands for no probability; or the two sides are cut to the classes that both know.

## Measured effect

1000 normal logits with mean −4 and standard deviation 2, 24 zeros appended: the padding gets 16 %
of the probability at T = 1 and 5 % at T = 4; with mean −8 it gets 91 % at T = 1.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    extra = teacher_logits.size(-1) - student_logits.size(-1)
    student_logits = F.pad(student_logits, (0, extra))
    log_probs = F.log_softmax(student_logits, dim=1)
    return F.kl_div(log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    shared = min(student_logits.size(-1), teacher_logits.size(-1))
    log_probs = F.log_softmax(student_logits[:, :shared], dim=1)
    target = F.softmax(teacher_logits[:, :shared], dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Fix safety

No automatic fix: whether to cut or to fill with −∞ depends on what the classes are.

## Known false alarms

Silent where only another dimension (positions) is padded, where the value is given and not zero,
and where probabilities are padded.

## References

None.

---

在 softmax 之前用 0 填充 logits。

## 它检查什么

检查这样的 softmax：logits 先被 `F.pad` 或与零张量的 `torch.cat` 在类别维上加长。

## 为什么

对 logit 而言，0 不表示"不可能"，它只是一个普通的分数。softmax 给每个填充类别的权重是 e⁰ = 1；
真实 logits 多为负数时（语言模型常常如此），大部分概率会落到根本不存在的类别上。表示零概率的是 −∞
（或最小的数）；也可以把两侧都截到共有的类别。

## 实测影响

1000 个均值 −4、标准差 2 的正态 logits 后面接 24 个 0：T = 1 时填充部分分走 16 % 的概率，T = 4 时
5 %；均值为 −8 时，T = 1 就分走 91 %。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：该截断还是填 −∞，取决于类别的含义。

## 已知误报

只填充其他维（如位置）、给出的填充值不为 0、或填充的是概率时，不报告。

## 参考

无。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import NORMALISED, RAW, Role
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD408"
NAME = "logits-padded-with-zeros"
SEVERITY = Severity.WARNING
TOPIC = "dimension"
CATALOGUE = ("ZERO-PADDED-LOGITS",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Follow the argument of every softmax back to a padding."""
    for softmax in analysis.softmaxes:
        if "softmax" not in softmax.kind:
            continue
        for step in path(analysis, softmax.argument_node, softmax.scope):
            padded = _padded(analysis, step.node, softmax.dim)
            value = analysis.value_of(padded) if padded is not None else None
            if value is not None and _is_logits(value):
                yield Found(step.node, _MESSAGE)
                break


def _is_logits(value: Value) -> bool:
    known = value.space in RAW or value.role is not Role.UNKNOWN
    return known and value.space not in NORMALISED


def _padded(analysis: Analysis, node: ast.expr, dim: int | None) -> ast.expr | None:
    """What an expression pads with zeros in the last dimension; nothing if it does not."""
    name = callee(analysis, node)
    if not isinstance(node, ast.Call) or not node.args:
        return None
    if name.endswith("functional.pad"):
        return node.args[0] if _is_zero_padding(node) else None
    if name in ("torch.cat", "torch.concat") and isinstance(node.args[0], ast.List | ast.Tuple):
        parts = node.args[0].elts
        along = _argument(node, 1, "dim")
        same = _number(along) in (dim, -1, 1) and along is not None
        zeros = [part for part in parts if callee(analysis, part).endswith(_ZEROS)]
        others = [part for part in parts if part not in zeros]
        return others[0] if same and zeros and len(others) == 1 else None
    return None


_ZEROS = ("torch.zeros", "torch.zeros_like", ".new_zeros")


def _is_zero_padding(node: ast.Call) -> bool:
    amounts, mode = _argument(node, 1, "pad"), _argument(node, 2, "mode")
    value = _argument(node, 3, "value")
    if mode is not None and not (isinstance(mode, ast.Constant) and mode.value == "constant"):
        return False
    if value is not None and _number(value) != 0:
        return False
    if not isinstance(amounts, ast.Tuple | ast.List) or len(amounts.elts) < 2:
        return False
    return any(_number(amount) != 0 for amount in amounts.elts[:2])


def _argument(node: ast.Call, position: int, name: str) -> ast.expr | None:
    for keyword in node.keywords:
        if keyword.arg == name:
            return keyword.value
    return node.args[position] if position < len(node.args) else None


def _number(node: ast.expr | None) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    return None


_MESSAGE = Text(
    "logits are padded with zeros before softmax: a zero is a score like any other, so classes "
    "that do not exist get probability; use -inf, or cut both sides to the classes they share",
    "在 softmax 之前用 0 填充 logits：0 也是普通的分数，不存在的类别会分到概率；请填 −∞，"
    "或把两侧都截到共有的类别",
)
