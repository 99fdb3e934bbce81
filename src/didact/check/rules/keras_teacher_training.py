"""Keras: the teacher is called with `training=True`.

## What it does

Finds `teacher(x, training=True)`, by the teacher's name, in files where nothing trains the
teacher.

## Why is this bad

`training=True` turns dropout on and lets BatchNormalization use the batch's statistics: the
targets depend on chance and on the batch. The moving averages drift with every call, whether or
not the weights are trained.

## Measured effect

The same input twice, in a network with dropout and BatchNorm: logits that differ by 1.6.

## Example

```python
import tensorflow as tf


def train_step(student, teacher, x, temperature):
    teacher_probs = tf.nn.softmax(teacher(x, training=True) / temperature, axis=1)
    student_probs = tf.nn.softmax(student(x, training=True) / temperature, axis=1)
    return tf.keras.losses.KLDivergence()(teacher_probs, student_probs) * temperature**2
```

## Use instead

```python
import tensorflow as tf


def train_step(student, teacher, x, temperature):
    teacher_probs = tf.nn.softmax(teacher(x, training=False) / temperature, axis=1)
    student_probs = tf.nn.softmax(student(x, training=True) / temperature, axis=1)
    return tf.keras.losses.KLDivergence()(teacher_probs, student_probs) * temperature**2
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

A teacher that is trained in another file.

## References

Keras documentation, the argument `training`.

---

Keras：调用教师时写了 `training=True`。

## 它检查什么

按名字检查 `teacher(x, training=True)`，且文件里没有训练教师的代码。

## 为什么

`training=True` 会打开 dropout，并让 BatchNormalization 使用当前批的统计量：目标因此带有随机性，
也依赖于同批的其他样本。无论权重是否训练，滑动平均都会随每次调用漂移。

## 实测影响

在带 dropout 与 BatchNorm 的网络里，同一输入两次得到的 logits 相差 1.6。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

在其他文件中训练的教师。

## 参考

Keras 文档，参数 `training`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Scope
from didact.check.engine.names import dotted, is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.findings.finding import Severity
from didact.check.rules._keras import function_of, is_keras, root_of
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD512"
NAME = "keras-teacher-training"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
FRAMEWORKS = ("tensorflow",)
CATALOGUE = ("KERAS-TEACHER-TRAINING",)
_WEIGHTS = ("trainable_variables", "trainable_weights", "variables")


def check(analysis: Analysis) -> Iterator[Found]:
    """Find teachers that are run as if they were trained."""
    if not is_keras(analysis):
        return
    trained = {
        dotted(node.value).rpartition(".")[2]
        for node in analysis.index.of(ast.Attribute)
        if node.attr in _WEIGHTS
    }
    for node in analysis.index.of(ast.Call):
        name = root_of(analysis, node.func, Scope(function_of(analysis, node)))
        if not name or role_of(name) is not Role.TEACHER or not is_model(name):
            continue
        if name.rpartition(".")[2] not in trained and _is_on(node):
            yield Found(node, _MESSAGE.format(model=name))


def _is_on(node: ast.Call) -> bool:
    return any(
        keyword.arg == "training"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in node.keywords
    )


_MESSAGE = Text(
    "{model} runs with training=True: dropout and batch statistics are in its targets, and its "
    "moving averages drift. Write training=False",
    "{model} 以 training=True 运行：目标里混入了 dropout 与当前批的统计量，滑动平均也会漂移。应写 "
    "training=False",
)
