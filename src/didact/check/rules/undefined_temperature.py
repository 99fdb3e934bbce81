"""The temperature of a softmax is a name that nothing defines.

## What it does

Finds names of a temperature that scale something in a function although neither the function nor
the file binds them.

## Why is this bad

The first call ends with a `NameError`. It is seen late where the line stands in a branch or in a
loss that only some configurations use: the parameter is called `temperature`, the body says `T`.

## Measured effect

Nothing is computed: the call raises after 0 steps.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_targets(teacher_logits, temperature=4.0):
    return F.softmax(teacher_logits / T, dim=1), temperature
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_targets(teacher_logits, temperature=4.0):
    return F.softmax(teacher_logits / temperature, dim=1), temperature
```

## Fix safety

No automatic fix: which value was meant is not known.

## Known false alarms

Silent in a file with `from module import *`, in notebooks, in fragments without an import, and
where the name is bound anywhere in the file outside functions or declared `global`. A name that
another file puts into this module's globals is not seen.

## References

The Python language reference, section 4.2.2.

---

softmax 的温度是一个从未定义的名字。

## 它检查什么

检查函数中用来缩放的温度名：函数内和文件中都没有给它赋值。

## 为什么

第一次调用就抛出 `NameError`。若这一行在某个分支里，或只有个别配置才用到这个损失，就很晚才会发现：
参数叫 `temperature`，函数体里却写成了 `T`。

## 实测影响

什么也没有算：第 0 步就抛出异常。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：无法知道本来想用哪个值。

## 已知误报

文件中有 `from 模块 import *`、在 notebook 中、没有 import 的代码片段，以及名字在函数之外
任何地方赋过值或声明为 `global` 时，不报告。由其他文件写入本模块全局变量的名字无法得知。

## 参考

Python 语言参考，第 4.2.2 节。
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import is_temperature
from didact.check.findings.finding import Severity
from didact.check.rules._binding import bound_in
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD209"
NAME = "undefined-temperature"
SEVERITY = Severity.ERROR
TOPIC = "temperature"
CATALOGUE = ("UNDEFINED-NAME",)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BINDING = (
    *_FUNCTIONS,
    ast.ClassDef,
    ast.ListComp,
    ast.SetComp,
    ast.GeneratorExp,
    ast.DictComp,
)
_SCALING = (ast.Div, ast.Mult, ast.Pow)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find temperatures that are bound nowhere on the way out."""
    if not analysis.index.imports or analysis.path.endswith(".ipynb") or _is_open(analysis):
        return
    known = analysis.index.bound | set(analysis.index.imports) | set(dir(builtins))
    known |= {name for node in analysis.index.of(ast.Global) for name in node.names}
    reported: set[tuple[int, str]] = set()
    for node in _scales(analysis):
        if node.id in known or not is_temperature(node.id) or node.id == "t":
            continue
        function = _function_of(analysis, node)
        if function is None or _is_bound(analysis, node) or (id(function), node.id) in reported:
            continue
        reported.add((id(function), node.id))
        yield Found(node, _MESSAGE.format(t=node.id))


def _is_open(analysis: Analysis) -> bool:
    """Whether names may come from where nobody can look."""
    stars = (name.name == "*" for node in analysis.index.of(ast.ImportFrom) for name in node.names)
    filled = (
        isinstance(node.func, ast.Name) and node.func.id in ("exec", "globals")
        for node in analysis.index.of(ast.Call)
    )
    return any(stars) or any(filled)


def _scales(analysis: Analysis) -> Iterator[ast.Name]:
    """The names by which something is multiplied, divided or raised."""
    for operation in analysis.index.of(ast.BinOp):
        if isinstance(operation.op, _SCALING):
            for side in (operation.left, operation.right):
                if isinstance(side, ast.Name):
                    yield side


def _function_of(analysis: Analysis, node: ast.AST) -> ast.AST | None:
    parent = analysis.parent_of(node)
    while parent is not None and not isinstance(parent, _FUNCTIONS):
        parent = analysis.parent_of(parent)
    return parent


def _is_bound(analysis: Analysis, node: ast.Name) -> bool:
    """Whether any function or class around a name binds it, anywhere in its body."""
    around = analysis.parent_of(node)
    while around is not None:
        if isinstance(around, _BINDING) and node.id in bound_in(around):
            return True
        around = analysis.parent_of(around)
    return False


_MESSAGE = Text(
    "{t} is defined neither in this function nor in this file: the call ends with a NameError",
    "本函数和本文件都没有定义 {t}：调用时会抛出 NameError",
)
