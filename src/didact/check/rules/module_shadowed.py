"""A parameter has the name of an imported module, and the module is needed.

## What it does

Finds a parameter or variable (`T`, `F`, `nn`) that hides an import of the same name, in a
function that uses the module's functions through it.

## Why is this bad

Inside the function the name is the temperature, not the module: `T.softmax` asks a number for a
softmax.

## Measured effect

AttributeError.

## Example

```python
import torch as T


def soften(logits, T):
    return T.softmax(logits / T, dim=1)
```

## Use instead

```python
import torch


def soften(logits, T):
    return torch.softmax(logits / T, dim=1)
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Silent where no function of the module is called through the name.

## References

Python language reference, naming and binding.

---

参数与导入的模块同名，而函数里又要用这个模块。

## 它检查什么

检查遮住同名导入（`T`、`F`、`nn`）的参数或变量，且函数里还通过该名字调用模块函数的写法。

## 为什么

在函数内部，这个名字是温度，不是模块：`T.softmax` 等于向一个数要 softmax。

## 实测影响

AttributeError。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

没有通过该名字调用模块函数时不报告。

## 参考

Python 语言参考：命名与绑定。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import word_set
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD605"
NAME = "module-shadowed"
SEVERITY = Severity.ERROR
TOPIC = "weights"
CATALOGUE = ("SHADOWED-MODULE",)


_FUNCTIONS = word_set(
    "softmax log_softmax kl_div cross_entropy mse_loss nll_loss sigmoid binary_cross_entropy "
    "binary_cross_entropy_with_logits cosine_similarity normalize Module Linear no_grad "
    "CrossEntropyLoss"
)


_SHORT = {"T", "F", "nn", "torch", "functional"}


def check(analysis: Analysis) -> Iterator[Found]:
    """Find modules hidden by parameters."""
    if not _SHORT & analysis.index.imports.keys():
        return
    for function in analysis.index.of(ast.FunctionDef):
        given = function.args
        names = {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
        hidden = {n for n in names if analysis.index.imports.get(n, "").startswith("torch")}
        for node in nodes_of(function) if hidden else ():
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            name = node.value.id
            if name in hidden and node.attr in _FUNCTIONS:
                path = analysis.index.imports[name]
                message = _MESSAGE.format(name=name, module=path, use=node.attr)
                yield Found(node.value, message)


_MESSAGE = Text(
    "in this function '{name}' is a parameter and hides the module {module}: '{name}.{use}' is "
    "an AttributeError",
    "在这个函数里 '{name}' 是参数，遮住了模块 {module}：'{name}.{use}' 会抛出 AttributeError",
)
