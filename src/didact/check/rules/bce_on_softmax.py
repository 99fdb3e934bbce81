"""Binary cross-entropy on the output of a softmax.

## What it does

Finds `binary_cross_entropy` and `nn.BCELoss` whose input comes from a softmax.

## Why is this bad

BCE treats each class as a yes-or-no question of its own; a softmax makes the classes compete.
The two agree on the optimum but not on the way: the (1 − t) log(1 − p) terms of all other
classes are averaged in, and the mean divides by the number of classes. With a temperature on
one side only even the optimum differs.

## Measured effect

With C classes and a student that is not sure yet the gradient has 1/(C − 1) of the norm of the
cross-entropy's: 0.0101 at C = 100. With larger logits it has up to 2/C. The toy student reaches
54.9 % (right: 72.3 %).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, one_hot):
    return F.binary_cross_entropy(F.softmax(logits, dim=1), one_hot)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(logits, one_hot):
    return F.binary_cross_entropy_with_logits(logits, one_hot)
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

End-to-End Incremental Learning and a few others define their loss so; the message names the
gradient's size, nothing more.

## References

Castro et al. 2018 (EEIL), arXiv:1807.09536.

---

对 softmax 的输出使用二元交叉熵。

## 它检查什么

检查输入来自 softmax 的 `binary_cross_entropy` 与 `nn.BCELoss`。

## 为什么

BCE 把每个类别当作独立的是非题，而 softmax 让各类相互竞争。两者最优点相同，但路径不同：其他
类的 (1 − t) log(1 − p) 项也被平均进来，而且 mean 还除以了类别数。如果只有一侧用了温度，连最
优点都不同。

## 实测影响

C 个类别、学生尚不自信时，梯度范数只有交叉熵的 1/(C − 1)：C = 100 时为 0.0101。logits 较大时
至多 2/C。小实验学生精度 54.9 %（正确写法 72.3 %）。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

End-to-End Incremental Learning 等少数论文就是这样定义损失的；提示只说明梯度大小。

## 参考

Castro 等 2018（EEIL），arXiv:1807.09536。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, uses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD113"
NAME = "bce-on-softmax"
SEVERITY = Severity.WARNING
TOPIC = "space"
CATALOGUE = ("BCE-ON-SOFTMAX",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find an element-wise loss on a categorical distribution."""
    for use in uses(analysis, "bce"):
        if use.input.space is Space.PROBS and not use.input.by_name:
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))


_MESSAGE = Text(
    "binary cross-entropy judges each class alone, but its input is a softmax over the classes: "
    "with C classes the gradient is about 1/C to 2/C of the cross-entropy's. Use cross_entropy or "
    "kl_div, or sigmoid outputs {both}",
    "二元交叉熵逐类判断，而输入是各类相互竞争的 softmax：C 个类别时，梯度约为交叉熵的 1/C 到 "
    "2/C。应改用 cross_entropy、kl_div，或用 sigmoid 输出 {both}",
)
