"""Keras: the arguments of `KLDivergence` are exchanged.

## What it does

Finds `keras.losses.KLDivergence()(student, teacher)`, also as a function or under a name that the
file gives it, where both arguments are softmaxes; and a divergence whose first argument is the
`y_pred` that Keras gives a loss function `(y_true, y_pred)`.

## Why is this bad

Keras takes `(y_true, y_pred)` and computes Σ y_true log(y_true / y_pred): the target comes
*first*. PyTorch's `kl_div` takes the prediction first. Code that was carried from one to the
other computes KL(student ‖ teacher): it looks for one mode of the teacher instead of covering
all of them, and it is not what the formula says.

## Measured effect

Normal logits of standard deviation 2 over 100 classes: the gradient has the cosine 0.52 to the
right one at T = 1, and 0.89 at T = 4.

## Example

```python
import tensorflow as tf


def distillation_loss(student_logits, teacher_logits, temperature):
    student_probs = tf.nn.softmax(student_logits / temperature, axis=1)
    teacher_probs = tf.nn.softmax(teacher_logits / temperature, axis=1)
    return tf.keras.losses.KLDivergence()(student_probs, teacher_probs) * temperature**2
```

## Use instead

```python
import tensorflow as tf


def distillation_loss(student_logits, teacher_logits, temperature):
    student_probs = tf.nn.softmax(student_logits / temperature, axis=1)
    teacher_probs = tf.nn.softmax(teacher_logits / temperature, axis=1)
    return tf.keras.losses.KLDivergence()(teacher_probs, student_probs) * temperature**2
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

A reverse divergence that is wanted is reported too, unless `# kd: reverse` stands on the line.

## References

Keras documentation, `keras.losses.KLDivergence`.

---

Keras：`KLDivergence` 的两个参数写反了。

## 它检查什么

检查 `keras.losses.KLDivergence()(student, teacher)`（也包括函数形式，以及文件中给它起的名字），
且两个参数都是 softmax 的结果；以及第一个参数是损失函数 `(y_true, y_pred)` 中 `y_pred` 的散度。

## 为什么

Keras 的参数是 `(y_true, y_pred)`，计算 Σ y_true log(y_true / y_pred)：目标在*前*。PyTorch 的
`kl_div` 则是预测在前。把代码从一边搬到另一边，算的就成了 KL(学生 ‖ 教师)：它只去找教师的一个峰，
而不是覆盖全部，与公式不符。

## 实测影响

100 类、标准差为 2 的正态 logits：梯度与正确梯度的余弦在 T = 1 时只有 0.52，T = 4 时为 0.89。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

有意使用反向散度时也会报告，除非该行注明 `# kd: reverse`。

## 参考

Keras 文档，`keras.losses.KLDivergence`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import words
from didact.check.engine.spaces import Role
from didact.check.findings.finding import Severity
from didact.check.rules._keras import KerasLoss, keras_losses
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD123"
NAME = "keras-divergence-swapped"
SEVERITY = Severity.WARNING
TOPIC = "space"
FRAMEWORKS = ("tensorflow",)
CATALOGUE = ("KERAS-SWAPPED",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find divergences whose first argument is the student's."""
    for found in keras_losses(analysis):
        comment = analysis.index.comments.get(found.node.lineno, "")
        if found.kind != "kl" or "kd: reverse" in comment:
            continue
        roles = (found.true.role, found.predicted.role)
        both = found.true.softmaxes and found.predicted.softmaxes
        if (both and roles == (Role.STUDENT, Role.TEACHER)) or _is_prediction_first(found):
            yield Found(found.node, _MESSAGE)


def _is_prediction_first(found: KerasLoss) -> bool:
    """Whether the ``y_pred`` of a loss function ``(y_true, y_pred)`` is in the place of the target.

    Keras gives a loss function the labels first and the model's output second.
    """
    function = found.scope.node
    if not isinstance(function, ast.FunctionDef):
        return False
    names = [a.arg for a in function.args.args if a.arg != "self"]
    handed = len(names) >= 2 and "true" in words(names[0]) and "pred" in words(names[1])
    return handed and found.true.root == names[1] and found.predicted.root not in names[:2]


_MESSAGE = Text(
    "KLDivergence of Keras takes (y_true, y_pred): the teacher belongs first; this is "
    "KL(student || teacher)",
    "Keras 的 KLDivergence 参数顺序是 (y_true, y_pred)：教师应在前；这里算的是 KL(学生 ‖ 教师)",
)
