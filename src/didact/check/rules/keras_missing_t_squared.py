"""Keras: soft targets at temperature T beside a hard loss, without the factor T².

## What it does

Finds a divergence or a cross-entropy from a softmax at a temperature that is added to another
loss, or stands beside one in `compile(loss=[...])`, while the temperature multiplies nothing in
the function or the class around it.

## Why is this bad

The gradient of the soft term falls like 1/T² while that of the hard term stays: at T = 3 the
distillation counts a ninth of what is written. With T² a weight found at one temperature holds at
another.

## Measured effect

The gradient of the soft term is 1/T² of the formula's: 1/9 at T = 3, 1/100 at T = 10.

## Example

```python
import tensorflow as tf


def total_loss(student_logits, teacher_logits, labels, alpha, temperature):
    hard = tf.keras.losses.sparse_categorical_crossentropy(labels, student_logits, from_logits=True)
    soft = tf.keras.losses.kl_divergence(
        tf.nn.softmax(teacher_logits / temperature, axis=1),
        tf.nn.softmax(student_logits / temperature, axis=1),
    )
    return alpha * hard + (1 - alpha) * soft
```

## Use instead

```python
import tensorflow as tf


def total_loss(student_logits, teacher_logits, labels, alpha, temperature):
    hard = tf.keras.losses.sparse_categorical_crossentropy(labels, student_logits, from_logits=True)
    soft = tf.keras.losses.kl_divergence(
        tf.nn.softmax(teacher_logits / temperature, axis=1),
        tf.nn.softmax(student_logits / temperature, axis=1),
    )
    return alpha * hard + (1 - alpha) * soft * temperature**2
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Silent where the temperature is a factor, a base or a square anywhere in the function or class,
and where the soft term is the only one. A weight that was tuned without T² may have taken its
place.

## References

Hinton et al. 2015, section 2.

---

Keras：温度为 T 的软目标与硬损失相加，却没有乘 T²。

## 它检查什么

检查目标是带温度的 softmax、并与另一个损失相加（或在 `compile(loss=[...])` 里与之并列）的散度或交
叉熵，而在所在函数或类中，温度从未作为乘数出现。

## 为什么

软损失的梯度按 1/T² 下降，硬损失不变：T = 3 时，蒸馏的实际权重只有所写的九分之一。乘上 T²，换温度
时权重不必重调。

## 实测影响

软损失的梯度是公式的 1/T²：T = 3 时为 1/9，T = 10 时为 1/100。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

温度在函数或类的任何地方作过乘数、底数或被平方，或软损失是唯一的一项时，不报告。在没有 T² 时调出的
权重可能已代替了它。

## 参考

Hinton 等 2015，第 2 节。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._keras import KerasLoss, keras_losses, root_of
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD210"
NAME = "keras-missing-t-squared"
SEVERITY = Severity.WARNING
TOPIC = "temperature"
FRAMEWORKS = ("tensorflow",)
CATALOGUE = ("KERAS-NO-T2",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find divergences at a temperature that nothing makes up for."""
    for found in keras_losses(analysis):
        temperature = found.true.temperature
        if not found.is_soft or not temperature or not _is_at(found, temperature):
            continue
        if not _is_applied(analysis, found, temperature) and (
            _is_added(found) or _is_compiled_beside(analysis, found)
        ):
            yield Found(found.node, _MESSAGE.format(t=temperature))


def _is_at(found: KerasLoss, temperature: str) -> bool:
    """Whether the prediction is at the same temperature, or a distribution made elsewhere."""
    predicted = found.predicted
    if predicted.temperature:
        return predicted.temperature == temperature
    return predicted.softmaxes == 0 and not found.from_logits


def _is_applied(analysis: Analysis, found: KerasLoss, temperature: str) -> bool:
    """Whether the temperature multiplies anything in the function or class around."""
    last = temperature.rpartition(".")[2]
    around = analysis.index.owners.get(id(found.scope.node))
    node: ast.AST = around.node if around is not None else analysis.tree
    for part in nodes_of(node):
        operands: list[ast.expr] = []
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult | ast.Pow):
            operands = [part.left, part.right]
        elif isinstance(part, ast.AugAssign) and isinstance(part.op, ast.Mult):
            operands = [part.value]
        elif isinstance(part, ast.Call) and dotted(part.func).endswith(("square", "pow")):
            operands = part.args
        roots = (root_of(analysis, operand, found.scope) for operand in operands)
        if any(root.rpartition(".")[2] == last for root in roots):
            return True
    return False


def _is_compiled_beside(analysis: Analysis, found: KerasLoss) -> bool:
    """Whether the function is one of several losses of ``compile(loss=[soft, hard])``."""
    function = found.scope.node
    if not isinstance(function, ast.FunctionDef):
        return False
    for index in analysis.files():
        for call in index.of(ast.Call):
            for keyword in call.keywords if dotted(call.func).endswith(".compile") else ():
                value = keyword.value
                listed = value.elts if isinstance(value, ast.List | ast.Tuple) else []
                listed = list(value.values) if isinstance(value, ast.Dict) else listed
                if keyword.arg == "loss" and len(listed) > 1:
                    return any(dotted(part) == function.name for part in listed)
    return False


def _is_added(found: KerasLoss) -> bool:
    """Whether the divergence, or the name that it is given, is a summand in the function."""
    names = {
        target.id
        for part in nodes_of(found.scope.node)
        if isinstance(part, ast.Assign) and any(p is found.node for p in nodes_of(part.value))
        for target in part.targets
        if isinstance(target, ast.Name)
    }
    for part in nodes_of(found.scope.node):
        if isinstance(part, ast.BinOp | ast.AugAssign) and isinstance(part.op, ast.Add):
            inside = list(nodes_of(part))
            if any(p is found.node for p in inside):
                return True
            if any(isinstance(p, ast.Name) and p.id in names for p in inside):
                return True
    return False


_MESSAGE = Text(
    "the soft term at temperature {t} is added to another one without the factor T**2: its "
    "gradient is about 1/T**2 of the formula's",
    "温度为 {t} 的软损失与另一项相加，却没有乘 T²：它的梯度约为公式的 1/T²",
)
