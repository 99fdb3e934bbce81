"""A name that is read where nothing has bound it.

## What it does

Finds functions of `torch.nn.functional` that are taken from `torch.functional`, and, in functions
that compute a loss: a local name that is read before anything assigns it; a
name that neither the function nor the file defines; a loss that is returned and that only the
script around the function computes; a name that one branch of an `if` assigns,
the `else` does not, and the code after both reads.

## Why is this bad

A name that is assigned anywhere in a function is local to all of it: `model = compile(model)`
reads a local `model` that has no value yet, whatever the file defines. The branch that is taken
least often fails after hours.

## Measured effect

UnboundLocalError or NameError when that path is taken.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(model, images, labels, mask):
    logits = model(images)
    if mask.sum() > 0:
        crisis_loss = F.cross_entropy(logits[mask], labels[mask])
    else:
        other_loss = torch.tensor(0.0)
    return F.cross_entropy(logits, labels) + crisis_loss
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def train_step(model, images, labels, mask):
    logits = model(images)
    if mask.sum() > 0:
        crisis_loss = F.cross_entropy(logits[mask], labels[mask])
    else:
        crisis_loss = torch.tensor(0.0)
    return F.cross_entropy(logits, labels) + crisis_loss
```

## Fix safety

No automatic fix: what the name should stand for is not known.

## Known false alarms

A branch that is never taken: then it is a warning. A name that is defined nowhere is looked for
in files alone, not in fragments or cells, and not beside `import *`, `exec` or `globals()`.

## References

Python language reference, 4.2.2 Resolution of names.

---

读取了一个尚未绑定的名字。

## 它检查什么

检查从 `torch.functional` 取用 `torch.nn.functional` 函数的写法；此外只看计算损失的函数：
局部名字在赋值之前就被读取；函数和文件都没有定义的名字；返回的损失并非函数自
己计算、而是来自外层脚本；`if` 的一个分支赋了值、`else` 没有赋值，而分支之后又读取的名字。

## 为什么

函数内任何地方赋过值的名字，在整个函数里都是局部名字：`model = compile(model)` 读的是还没有值的
局部`model`，与文件里定义过什么无关。最少走到的那条分支，往往在训练几小时之后才报错。

## 实测影响

走到该路径时抛出 UnboundLocalError 或 NameError。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：无法知道这个名字应当代表什么。

## 已知误报

从不会走到的分支，因此只给警告。“没有任何地方定义”只在完整的文件里检查，不检查代码片段和单元格，
也不检查含有 `import *`、`exec` 或 `globals()` 的文件。

## 参考

Python 语言参考 4.2.2 名称的解析。
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted, is_temperature, source, word_set, words
from didact.check.findings.finding import Severity
from didact.check.rules._binding import Function, bindings_of, bound_around, free_names
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD608"
NAME = "name-not-bound"
SEVERITY = Severity.ERROR
TOPIC = "weights"
CATALOGUE = ("UNDEFINED-VAR",)
_KNOWN = frozenset(
    [*dir(builtins), "__file__", "__name__", "__class__", "__doc__", "__path__", "__spec__"]
) | {"unicode", "xrange", "raw_input", "long", "basestring", "reduce", "unichr", "file"}
"""Python's own names; those of Python 2 are another mistake."""


def check(analysis: Analysis) -> Iterator[Found]:
    """Find reads that no binding precedes."""
    whole = bool(analysis.index.imports) and not _is_open(analysis)
    known = {*_KNOWN, *analysis.index.bound, *analysis.index.imports}
    known |= {name for node in analysis.index.of(ast.Global) for name in node.names}
    yield from _of_the_wrong_module(analysis)
    for function in _functions(analysis):
        found = bindings_of(function)
        for name, node in found.never.items():
            yield Found(node, _BEFORE.format(name=name))
        for name, (node, branch) in found.perhaps.items():
            if name not in found.never:
                message = _ONE_BRANCH.format(name=name, test=source(branch.test))
                yield Found(node, message, severity=Severity.WARNING)
        if whole:
            yield from _undefined(analysis, function, known)
        yield from _of_the_script(analysis, function)


def _of_the_wrong_module(analysis: Analysis) -> Iterator[Found]:
    """``import torch.functional as F``: what is meant is ``torch.nn.functional``."""
    wrong = {name for name, path in analysis.index.imports.items() if path == "torch.functional"}
    for node in analysis.index.of(ast.Attribute) if wrong else ():
        if isinstance(node.value, ast.Name) and node.value.id in wrong and node.attr in _OF_NN:
            yield Found(node, _MODULE.format(name=node.attr))


def _functions(analysis: Analysis) -> Iterator[Function]:
    """The functions in which a loss is computed."""
    scopes: list[ast.AST] = [use.scope.node for use in analysis.uses]
    scopes += [total.scope.node for total in analysis.totals]
    for call in {id(call): call for use in analysis.uses for call in use.scope.calls}.values():
        around: ast.AST | None = call
        while around is not None and not isinstance(around, Function):
            around = analysis.parent_of(around)
        scopes += [] if around is None else [around]
    seen: set[int] = set()
    for node in scopes:
        if isinstance(node, Function) and id(node) not in seen and analysis.owns(node):
            seen.add(id(node))
            yield node


def _undefined(analysis: Analysis, function: Function, known: set[str]) -> Iterator[Found]:
    outer = bound_around(analysis.index, function)
    seen: set[str] = set()
    for node in free_names(function):
        name = node.id
        if name in seen or name in known or name in outer or is_temperature(name):
            continue
        seen.add(name)
        if not _is_tried(analysis, node):
            yield Found(node, _NOWHERE.format(name=name))


def _of_the_script(analysis: Analysis, function: Function) -> Iterator[Found]:
    """A loss that is returned, and that only the code around the function has computed."""
    outer = bound_around(analysis.index, function)
    defined = analysis.index.functions.keys() | analysis.index.classes.keys()
    for node in free_names(function):
        name = node.id
        if name in outer or name in defined or name not in analysis.index.bound:
            continue
        if not set(words(name)) & {"loss", "losses"} or not _is_returned(analysis, node):
            continue
        if not any(dotted(call.func) == name for call in analysis.index.of(ast.Call)):
            yield Found(node, _SCRIPT.format(name=name), severity=Severity.WARNING)


def _is_returned(analysis: Analysis, node: ast.AST) -> bool:
    parent = analysis.parent_of(node)
    while isinstance(parent, ast.IfExp | ast.Tuple | ast.Dict):
        parent = analysis.parent_of(parent)
    return isinstance(parent, ast.Return)


def _is_tried(analysis: Analysis, node: ast.AST) -> bool:
    """Whether a ``try`` around it waits for the error."""
    around = analysis.parent_of(node)
    while around is not None:
        if isinstance(around, ast.Try):
            return True
        around = analysis.parent_of(around)
    return False


def _is_open(analysis: Analysis) -> bool:
    """Whether names may come from where nobody can look."""
    filled = (
        isinstance(node.func, ast.Name) and node.func.id in ("exec", "globals", "get_ipython")
        for node in analysis.index.of(ast.Call)
    )
    whole = analysis.path.endswith(".py")  # neither a fragment nor a cell
    return not whole or bool(analysis.index.stars) or any(filled)


_OF_NN = word_set(
    "softmax log_softmax kl_div cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss sigmoid "
    "relu gelu normalize one_hot dropout binary_cross_entropy binary_cross_entropy_with_logits "
    "cosine_similarity cosine_embedding_loss interpolate pad linear conv2d logsigmoid softplus"
)
"""Functions of ``torch.nn.functional`` that ``torch.functional`` does not have."""
_MODULE = Text(
    "torch.functional has no {name}: this ends in an AttributeError; write "
    "import torch.nn.functional as F",
    "torch.functional 中没有 {name}：这里会抛出 AttributeError；应写 "
    "import torch.nn.functional as F",
)
_BEFORE = Text(
    "{name} is local to this function, since it is assigned in it, and is read here before that: "
    "the call ends with an UnboundLocalError",
    "本函数内给 {name} 赋过值，它因此是局部名字，而这里在赋值之前就读取了它：调用时会抛出 "
    "UnboundLocalError",
)
_ONE_BRANCH = Text(
    "{name} is assigned in one branch of `if {test}` only and read after both: taken the other "
    "way this is an UnboundLocalError",
    "{name} 只在 `if {test}` 的一个分支里赋值，却在分支之后读取：走另一分支时会抛出 "
    "UnboundLocalError",
)
_SCRIPT = Text(
    "{name} is not computed in this function: it returns the {name} of the code that calls it, the "
    "last one or none yet",
    "本函数没有计算 {name}：它返回的是调用处代码里的 {name}，是上一次的值，或尚不存在",
)
_NOWHERE = Text(
    "{name} is defined neither in this function nor in this file: the call ends with a NameError",
    "本函数和本文件都没有定义 {name}：执行到这里会抛出 NameError",
)
