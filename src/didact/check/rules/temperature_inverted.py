"""The logits are multiplied by the temperature: that sharpens instead of softening.

## What it does

Finds `softmax(x * T)` and `softmax(x) ** T` where the same code divides by T elsewhere, or
where x is a teacher's or a student's.

## Why is this bad

softmax(x / T) flattens as T grows, softmax(x · T) hardens: p^T renormalised is softmax(xT), and
p^(1/T) is softmax(x/T). The two coincide at T = 1 alone, which is why it is often not noticed.

## Measured effect

The gradient is 284 times too large with a cosine of 0.41. For contrastive code at T = 0.07 the
largest target is 0.13 instead of 0.99999. Toy: 66.3 % (right: 72.3 %).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def target(teacher_logits, T=4.0):
    return F.softmax(teacher_logits * T, dim=1)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def target(teacher_logits, T=4.0):
    return F.softmax(teacher_logits / T, dim=1)
```

## Fix safety

Unsafe: `*` becomes `/`, where the product is written out.

## Known false alarms

A learned inverse temperature (`logit_scale`, `temperature.exp()`) is not reported.

## References

Hinton et al. 2015; moein-shariatnia/OpenAI-CLIP, issue 24.

---

logits 乘了温度：结果变尖锐，而不是变平缓。

## 它检查什么

检查 `softmax(x * T)` 与 `softmax(x) ** T`：同一段代码在别处除以 T，或 x 属于教师、学生时报
告。

## 为什么

softmax(x / T) 随 T 增大变平，softmax(x · T) 则变尖：p^T 归一化后是 softmax(xT)，p^(1/T) 才
是 softmax(x/T)。两者只在 T = 1 时相同，所以常常没被发现。

## 实测影响

梯度大 284 倍，余弦 0.41。对比学习 T = 0.07 时目标最大值为 0.13，应为 0.99999。小实验 66.3 %
（正确写法 72.3 %）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：乘法直接写出时，把 `*` 改为 `/`。

## 已知误报

可学习的逆温度（`logit_scale`、`temperature.exp()`）不报告。

## 参考

Hinton 等 2015；moein-shariatnia/OpenAI-CLIP，issue 24。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import is_temperature
from didact.check.engine.spaces import Role, Space
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._rule import Found, replace

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD205"
NAME = "temperature-inverted"
SEVERITY = Severity.ERROR
TOPIC = "temperature"
CATALOGUE = ("T-INVERTED",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find softmaxes at 1/T."""
    divided = {
        symbol
        for operation in analysis.operations_of("divide")
        for symbol in operation.other.scale.symbols
    }
    for softmax in analysis.softmaxes:
        for symbol, exponent in (softmax.argument.scale).atoms:
            if (
                softmax.argument.space is Space.SCALAR
                or softmax.argument.scale.const < 0
                or exponent <= 0
                or not is_temperature(symbol)
                or "exp" in symbol
                or "sigmoid" in softmax.kind
            ):
                continue
            if symbol in divided or softmax.argument.role is not Role.UNKNOWN:
                fix = _fix(softmax.argument_node, symbol)
                named = None if symbol in divided else Severity.WARNING
                yield Found(softmax.node, _MESSAGE.format(t=symbol), fix, severity=named)
    for operation in analysis.operations_of("power"):
        symbols = [s for s, e in operation.other.scale.atoms if is_temperature(s) and e > 0]
        if operation.base.space is Space.PROBS and symbols:
            yield Found(operation.node, _MESSAGE.format(t=symbols[0]))


def _fix(node: ast.expr | None, symbol: str) -> Fix | None:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return None
    if ast.unparse(node.right) != symbol:
        return None
    text = f"{ast.unparse(node.left)} / {symbol}"
    if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Add | ast.Sub):
        text = f"({ast.unparse(node.left)}) / {symbol}"
    return Fix((replace(node, text),), "unsafe", Text("divide by the temperature", "改为除以温度"))


_MESSAGE = Text(
    "multiplying by the temperature {t} sharpens the distribution; the formula divides, "
    "softmax(x / {t}), which softens it (the two agree at {t} = 1 only)",
    "乘以温度 {t} 会使分布变尖锐；公式是除以温度 softmax(x / {t})，使分布变平缓（只有 {t} = 1 时"
    "两者相同）",
)
