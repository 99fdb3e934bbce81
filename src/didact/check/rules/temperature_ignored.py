"""A temperature is taken as a parameter or kept in the class, and never used.

## What it does

Finds functions that take a temperature, compute a soft loss at temperature one and never read the
parameter; and classes that keep a temperature, compute such a loss and never read the attribute.

## Why is this bad

Who calls the function with T = 4 gets T = 1. At T = 1 the targets of a well-trained teacher are
almost the labels, and what distillation would pass on, the small probabilities, hardly counts. A
search over temperatures then compares runs that do not differ.

## Measured effect

Normal logits of standard deviation 4 over 100 classes: the teacher gives the classes other than its
first 43 % of the probability at T = 1, and 92 % at T = 4, which the caller asked for.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits, temperature=4.0):
    log_probs = F.log_softmax(student_logits, dim=1)
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits, temperature=4.0):
    log_probs = F.log_softmax(student_logits / temperature, dim=1)
    target = F.softmax(teacher_logits / temperature, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean") * temperature**2
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Silent where the signature is an interface: the class has a base of its own making, or another
class in the file has a method of the same name that does use its temperature. Silent where any
side of the loss has a temperature or its temperature is not known.

## References

Hinton et al. 2015, section 2.

---

温度作为参数传入或存在类中，却从未使用。

## 它检查什么

检查这样的函数：接收温度参数、在温度 1 下计算软损失、却从未读取该参数；以及这样的类：保存了温度、
计算同样的损失、却从未读取该属性。

## 为什么

调用者以为用的是 T = 4，实际是 T = 1。T = 1 时，训练充分的教师给出的目标几乎等于标签，蒸馏本要传递
的小概率基本不起作用。此时调温度，比较的其实是完全相同的实验。

## 实测影响

100 类、logits 服从标准差为 4 的正态分布：教师给第一名以外类别的概率之和，T = 1 时为 43 %，调用者
所要的 T = 4 时为 92 %。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

签名只是接口时不报告：类继承自其他自定义的类，或同一文件中另一个类的同名方法确实使用了温度。损失的
任一侧带温度，或温度未知时，也不报告。

## 参考

Hinton 等 2015，第 2 节。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.index import ClassInfo, Function
from didact.check.engine.names import is_temperature
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import place_in_file

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD208"
NAME = "temperature-ignored"
SEVERITY = Severity.WARNING
TOPIC = "temperature"
CATALOGUE = ("T-IGNORED",)
_OPEN_BASES = ("Module", "object", "Loss", "_Loss")


def check(analysis: Analysis) -> Iterator[Found]:
    """Find unread parameters, then unread attributes."""
    for function in _functions(analysis):
        owner = analysis.index.owners.get(id(function))
        if owner is not None and not _is_free(analysis, owner, function):
            continue
        for argument in (*function.args.args, *function.args.kwonlyargs):
            if not _is_named(argument.arg) or _mentions(function, argument.arg):
                continue
            found = _soft_uses(analysis, function)
            if _is_plain(found):
                yield Found(place_in_file(analysis, found[0]), _PARAMETER.format(t=argument.arg))
    for info in analysis.index.classes.values():
        yield from _attributes(analysis, info)


def _functions(analysis: Analysis) -> list[Function]:
    return [*analysis.index.of(ast.FunctionDef), *analysis.index.of(ast.AsyncFunctionDef)]


def _is_named(name: str) -> bool:
    return is_temperature(name) and name != "t" and not name.startswith("_")


def _mentions(function: Function, name: str) -> bool:
    parts = (part for statement in function.body for part in nodes_of(statement))
    return any(isinstance(part, ast.Name) and part.id in (name, "locals") for part in parts)


def _soft_uses(analysis: Analysis, function: Function) -> list[LossUse]:
    """The soft losses of a function, those in helpers that it calls among them."""
    own = {id(part) for part in nodes_of(function) if isinstance(part, ast.Call)}
    return [
        use
        for use in uses(analysis, *SOFT)
        if use.scope.node is function or any(id(call) in own for call in use.scope.calls)
    ]


def _is_plain(found: list[LossUse]) -> bool:
    """Whether there are soft losses, and all certainly have temperature one on both sides."""
    sides = [side.temperature for use in found for side in (use.input, use.target)]
    return bool(sides) and all(side is not None and side.is_one for side in sides)


def _is_free(analysis: Analysis, owner: ClassInfo, function: Function) -> bool:
    """Whether no base and no sibling decides what the parameters are."""
    siblings = [
        other.methods[function.name]
        for other in analysis.index.classes.values()
        if other is not owner and function.name in other.methods
    ]
    names = {argument.arg for argument in function.args.args}
    shared = any(names <= {argument.arg for argument in s.args.args} for s in siblings)
    return not shared and all(base in _OPEN_BASES for base in owner.bases)


def _attributes(analysis: Analysis, info: ClassInfo) -> Iterator[Found]:
    named = [name for name in info.assigned if _is_named(name)]
    if not named or not all(base in _OPEN_BASES for base in info.bases):
        return
    read = {
        node.attr for node in analysis.index.of(ast.Attribute) if isinstance(node.ctx, ast.Load)
    }
    methods = info.methods.values()
    found = [use for method in methods for use in _soft_uses(analysis, method)]
    by_name = any(_mentions(method, name) for method in methods for name in ("getattr", "vars"))
    for name in named:
        if name not in read and _is_plain(found) and not by_name:
            yield Found(place_in_file(analysis, found[0]), _ATTRIBUTE.format(t=name))


_PARAMETER = Text(
    "the parameter {t} is never used: both sides of the soft loss are taken at temperature 1",
    "参数 {t} 从未使用：软损失两侧的温度都是 1",
)
_ATTRIBUTE = Text(
    "the attribute {t} is never read: both sides of the soft loss are taken at temperature 1",
    "属性 {t} 从未读取：软损失两侧的温度都是 1",
)
