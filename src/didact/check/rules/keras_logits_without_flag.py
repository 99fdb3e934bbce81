"""Keras: logits go into a cross-entropy that expects probabilities.

## What it does

Finds `SparseCategoricalCrossentropy`, `CategoricalCrossentropy`, `BinaryCrossentropy` and their
functions without `from_logits=True` on logits: on the output of a model whose last layer has no
activation, or, as a warning, on what is called logits or goes through softmax elsewhere in the
same function (where the model ends in a softmax, the other one is too many).

## Why is this bad

Keras takes probabilities unless it is told otherwise. It divides the values by their sum, clips
them to 1e-7 … 1 - 1e-7 and takes the logarithm. Logits have negative entries and no fixed sum:
what is clipped gets no gradient at all.

## Measured effect

Normal logits of standard deviation 3: the label's entry is clipped, and its gradient 0, in half
of the samples, at 10 classes as at 100.

## Example

```python
import tensorflow as tf


def total_loss(student_logits, teacher_logits, labels, T):
    hard = tf.keras.losses.sparse_categorical_crossentropy(labels, student_logits)
    soft = tf.keras.losses.kl_divergence(
        tf.nn.softmax(teacher_logits / T, axis=1), tf.nn.softmax(student_logits / T, axis=1)
    )
    return hard + T**2 * soft
```

## Use instead

```python
import tensorflow as tf


def total_loss(student_logits, teacher_logits, labels, T):
    hard = tf.keras.losses.sparse_categorical_crossentropy(labels, student_logits, from_logits=True)
    soft = tf.keras.losses.kl_divergence(
        tf.nn.softmax(teacher_logits / T, axis=1), tf.nn.softmax(student_logits / T, axis=1)
    )
    return hard + T**2 * soft
```

## Fix safety

No automatic fix: where the model ends in a softmax, the other softmax is the mistake.

## Known false alarms

Values that are called logits and have been normalised.

## References

Keras documentation, `SparseCategoricalCrossentropy`.

---

Keras：logits 传入了以概率为输入的交叉熵。

## 它检查什么

检查没有写 `from_logits=True` 的 `SparseCategoricalCrossentropy`、`CategoricalCrossentropy`、
`BinaryCrossentropy` 及其函数形式，而输入是 logits：来自最后一层没有激活函数的模型；或（只给警告）
名字叫 logits、或在同一函数里另外经过了 softmax（若模型末尾已有 softmax，则另一处多余）。

## 为什么

Keras 默认输入是概率：先除以总和，再截断到 1e-7 … 1 - 1e-7，然后取对数。logits 有负值，总和也不
固定；被截断的项完全没有梯度。

## 实测影响

标准差为 3 的正态 logits：无论 10 类还是 100 类，都有一半样本的标签项被截断，梯度为 0。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：若模型末尾已有 softmax，错的是另一处 softmax。

## 已知误报

名字叫 logits、实际已归一化的值。

## 参考

Keras 文档 `SparseCategoricalCrossentropy`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import words
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._keras import KerasLoss, final_activation, keras_losses
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD124"
NAME = "keras-logits-without-flag"
SEVERITY = Severity.ERROR
TOPIC = "space"
FRAMEWORKS = ("tensorflow",)
CATALOGUE = ("KERAS-FROM-LOGITS",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find cross-entropies that take logits for probabilities."""
    for found in keras_losses(analysis):
        if found.kind == "kl" or found.from_logits is not False or found.predicted.softmaxes:
            continue
        root = found.predicted.root
        known = final_activation(analysis, found.predicted)
        if known:
            continue
        if known == "":
            yield Found(found.node, _MESSAGE.format(root=root))
        elif _is_normalised_elsewhere(analysis, found):
            yield Found(found.node, _EITHER.format(root=root), severity=Severity.WARNING)
        elif root.isidentifier() and {"logits", "logit"} & set(words(root)):
            yield Found(found.node, _MESSAGE.format(root=root), severity=Severity.WARNING)


def _is_normalised_elsewhere(analysis: Analysis, found: KerasLoss) -> bool:
    """Whether the same value goes through a softmax in the function."""
    return any(
        isinstance(part, ast.Call)
        and part.args
        and callee(analysis, part).rpartition(".")[2] == "softmax"
        and [ast.unparse(step.node) for step in path(analysis, part, found.scope)][-1]
        == found.predicted.root
        for part in nodes_of(found.scope.node)
    )


_EITHER = Text(
    "{root} goes through a softmax in this function, and here into a cross-entropy that takes "
    "probabilities: if the model gives logits, write from_logits=True here; if it ends in a "
    "softmax, the other softmax is one too many",
    "{root} 在本函数中又经过 softmax，而这里的交叉熵以概率为输入：若模型输出 logits，此处应写 "
    "from_logits=True；若模型末尾已有 softmax，则另一处 softmax 多余",
)
_MESSAGE = Text(
    "{root} are logits, and this cross-entropy takes probabilities: it clips them and takes the "
    "logarithm. Write from_logits=True",
    "{root} 是 logits，而这个交叉熵以概率为输入：会先截断再取对数。应写 from_logits=True",
)
