"""Keras: a softmax of what has been through one.

## What it does

Finds a loss with `from_logits=True` on a softmax, a softmax of a softmax in a loss, and a
softmax in a loss of the output of a model that ends in one (then it is a warning, since the
model is told by its name).

## Why is this bad

The inner softmax confines its result to 0 … 1, so the outer one is nearly uniform: no entry
exceeds e / (e + C - 1), which is 0.23 at 10 classes and 0.027 at 100. The teacher's knowledge
and most of the gradient are gone.

## Measured effect

Cross-entropy of a softmax, 10 classes, normal logits of standard deviation 3: the gradient is
0.09 of the right one.

## Example

```python
import tensorflow as tf


def hard_loss(student_logits, labels):
    student_probs = tf.nn.softmax(student_logits, axis=1)
    return tf.keras.losses.sparse_categorical_crossentropy(labels, student_probs, from_logits=True)
```

## Use instead

```python
import tensorflow as tf


def hard_loss(student_logits, labels):
    return tf.keras.losses.sparse_categorical_crossentropy(labels, student_logits, from_logits=True)
```

## Fix safety

No automatic fix: which of the two is wanted depends on what else reads the value.

## Known false alarms

None known.

## References

Keras documentation, `SparseCategoricalCrossentropy`.

---

Keras：对 softmax 的结果又做了一次 softmax。

## 它检查什么

检查输入已是 softmax 结果、却写了 `from_logits=True` 的损失；损失里 softmax 套 softmax；以及模型
末尾已有softmax、损失里又对其输出做 softmax（模型按名字判断，因此只给警告）。

## 为什么

内层 softmax 的结果都在 0 … 1 之间，外层几乎是均匀分布：最大项不超过 e / (e + C - 1)，10 类时为
0.23，100 类时为 0.027。教师的知识和大部分梯度都没有了。

## 实测影响

对 softmax 的结果再算交叉熵，10 类、标准差为 3 的正态 logits：梯度只有正确值的 0.09 倍。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：应当去掉哪一个，取决于还有谁用到这个值。

## 已知误报

暂无。

## 参考

Keras 文档 `SparseCategoricalCrossentropy`。
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.findings.finding import Severity
from didact.check.rules._keras import KerasLoss, Side, final_activation, keras_losses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD125"
NAME = "keras-softmax-twice"
SEVERITY = Severity.ERROR
TOPIC = "space"
FRAMEWORKS = ("tensorflow",)
CATALOGUE = ("KERAS-SOFTMAX-TWICE",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find losses of distributions that were normalised twice."""
    for found in keras_losses(analysis):
        if any(_count(found, side) > 1 for side in (found.true, found.predicted)):
            yield Found(found.node, _MESSAGE)
        elif any(
            _count(found, side) and final_activation(analysis, side) == "softmax"
            for side in (found.true, found.predicted)
        ):
            yield Found(found.node, _MESSAGE, severity=Severity.WARNING)


def _count(found: KerasLoss, side: Side) -> int:
    """How many softmaxes a side passes, that in the loss included."""
    inside = found.from_logits is True and side is found.predicted and found.kind != "bce"
    return side.softmaxes + inside


_MESSAGE = Text(
    "softmax is taken of what a softmax has made: the result is almost uniform, no entry exceeds "
    "e / (e + C - 1)",
    "对 softmax 的结果又做了 softmax：结果几乎是均匀分布，最大项不超过 e / (e + C - 1)",
)
