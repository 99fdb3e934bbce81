"""Targets that were collected in one shuffled pass are read by position in another.

## What it does

Finds a `DataLoader` with `shuffle=True` over which a model's outputs are collected into a list or
a tensor, and which is then gone through again with these outputs: by `zip(loader, outputs)`, by
the number of the batch, or by a slice.

## Why is this bad

A loader that shuffles gives another order in every pass. Output i of the first pass belongs to
other samples than batch i of the second: each student sample is taught the answer to another
one, and what can be learnt is the mean answer.

## Measured effect

The soft term teaches the class frequencies; its accuracy is that of guessing.

## Example

```python
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader


def distil(student, teacher, dataset, optimizer):
    loader = DataLoader(dataset, batch_size=64, shuffle=True)
    targets = []
    with torch.no_grad():
        for images, _ in loader:
            targets.append(F.softmax(teacher(images), dim=1))
    for i, (images, _) in enumerate(loader):
        loss = F.cross_entropy(student(images), targets[i])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

## Use instead

```python
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader


def distil(student, teacher, dataset, optimizer):
    loader = DataLoader(dataset, batch_size=64, shuffle=False)
    targets = []
    with torch.no_grad():
        for images, _ in loader:
            targets.append(F.softmax(teacher(images), dim=1))
    for i, (images, _) in enumerate(loader):
        loss = F.cross_entropy(student(images), targets[i])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

## Fix safety

No automatic fix: the targets may be kept by the sample's index, or made in the same pass.

## Known false alarms

A generator with a fixed seed that is set back before each pass.

## References

PyTorch, `torch.utils.data.RandomSampler`.

---

在一次打乱的遍历中收集的目标，在另一次遍历中按位置读取。

## 它检查什么

检查设了 `shuffle=True` 的 `DataLoader`：先遍历一遍把模型输出收集到列表或张量里，再遍历一遍并按
`zip(loader, outputs)`、批的序号或切片来取这些输出。

## 为什么

打乱的 loader 每次遍历的顺序都不同。第一遍的第 i 个输出与第二遍的第 i 批不是同一批样本：学生对每个
样本学的都是别的样本的答案，能学到的只有平均答案。

## 实测影响

软损失教的只是类别频率；它的准确率等于瞎猜。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：可以按样本下标保存目标，也可以在同一遍里计算。

## 已知误报

每次遍历之前都把固定种子的生成器复位的情形。

## 参考

PyTorch 的 `torch.utils.data.RandomSampler`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.names import dotted
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Severity
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD412"
NAME = "targets-of-other-samples"
SEVERITY = Severity.WARNING
TOPIC = "dimension"
CATALOGUE = ("MISALIGNED",)
_JOINS = ("cat", "concat", "concatenate", "append", "vstack", "hstack")
_OUTPUTS = (Space.OUTPUT, Space.LOGITS, Space.PROBS, Space.LOG_PROBS, Space.SIGMOID_PROBS)
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module


def check(analysis: Analysis) -> Iterator[Found]:
    """Find collections that are read in another order than that they were made in."""
    made = _loaders(analysis)
    if not any(made.values()):
        return
    ran = {id(forward.node) for forward in analysis.forwards}
    loops = [loop for loop in analysis.index.of(ast.For) if _is_shuffled(analysis, loop, made)]
    for first in loops:
        for name in _collected(analysis, first, ran):
            for second in loops:
                later = second.lineno > first.lineno
                same = _loader(second.iter) == _loader(first.iter)
                if later and same and _function(analysis, second) is _function(analysis, first):
                    place = _read(second, name)
                    if place is not None:
                        yield Found(place, _MESSAGE.format(name=name, loader=_loader(first.iter)))


_Made = dict[tuple[int, str], bool]
"""Whether a loader shuffles, by the function that makes it and its name."""


def _is_shuffled(analysis: Analysis, loop: ast.For, made: _Made) -> bool:
    name, function = _loader(loop.iter), _function(analysis, loop)
    inside = made.get((id(function), name))
    return made.get((id(analysis.tree), name), False) if inside is None else inside


def _loaders(analysis: Analysis) -> _Made:
    """The loaders of a file; one that is also made without shuffling does not count."""
    found: _Made = {}
    for node in analysis.index.of(ast.Assign):
        made = node.value
        if not isinstance(made, ast.Call) or not dotted(made.func).endswith("DataLoader"):
            continue
        given = {k.arg: k.value for k in made.keywords}
        value = given.get("shuffle")
        on = isinstance(value, ast.Constant) and value.value is True and "generator" not in given
        for target in node.targets:
            name = dotted(target)
            function = analysis.tree if "." in name else _function(analysis, node)
            key = (id(function), name)
            found[key] = found.get(key, True) and on
    return found


def _loader(node: ast.expr) -> str:
    """The loader in ``enumerate(tqdm(loader))`` and ``zip(loader, targets)``."""
    while isinstance(node, ast.Call) and node.args:
        if dotted(node.func).rpartition(".")[2] not in ("enumerate", "tqdm", "zip", "trange"):
            return ""
        node = node.args[0]
    return dotted(node)


def _collected(analysis: Analysis, loop: ast.For, ran: set[int]) -> Iterator[str]:
    """The names of what a model gives for each batch and a loop puts together."""
    made: set[str] = set()
    for node in nodes_of(loop):
        if isinstance(node, ast.Assign) and _is_output(analysis, node.value, ran, made):
            made |= {n.id for t in node.targets for n in nodes_of(t) if isinstance(n, ast.Name)}
    for node in nodes_of(loop):
        if not isinstance(node, ast.Call):
            continue
        last = dotted(node.func).rpartition(".")[2]
        if last not in _JOINS or not any(_is_output(analysis, a, ran, made) for a in node.args):
            continue
        if last == "append" and isinstance(node.func, ast.Attribute):
            yield dotted(node.func.value)
        for name in (dotted(a) for part in node.args for a in getattr(part, "elts", ())):
            if name and name not in _inner(loop):
                yield name


def _inner(loop: ast.For) -> set[str]:
    """The names that a loop alone knows: its targets, and what is assigned from them."""
    return {n.id for n in nodes_of(loop.target) if isinstance(n, ast.Name)}


def _is_output(analysis: Analysis, node: ast.expr, ran: set[int], made: set[str]) -> bool:
    """Whether a model's output is in an expression, also one that a helper gives."""
    value = analysis.value_of(node)
    if value is not None and value.space in _OUTPUTS:
        return True
    for part in nodes_of(node):
        if id(part) in ran or (isinstance(part, ast.Name) and part.id in made):
            return True
    return False


def _read(loop: ast.For, name: str) -> ast.AST | None:
    """Where a loop takes the part of a collection that has the number of its batch."""
    counters: set[str] = set()
    iterated = loop.iter
    zipped = iterated.args if isinstance(iterated, ast.Call) else []
    if dotted(getattr(iterated, "func", iterated)) == "zip" and name in map(dotted, zipped[1:]):
        return iterated
    if isinstance(iterated, ast.Call) and dotted(iterated.func) == "enumerate":
        first = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) else None
        counters = {first.id} if isinstance(first, ast.Name) else set()
    for node in nodes_of(loop):
        if isinstance(node, ast.Subscript) and dotted(node.value) == name:
            keys = {n.id for n in nodes_of(node.slice) if isinstance(n, ast.Name)}
            if keys & counters and isinstance(node.ctx, ast.Load):
                return node
    return None


def _function(analysis: Analysis, node: ast.AST) -> ast.AST | None:
    around = analysis.parent_of(node)
    while around is not None and not isinstance(around, _Function):
        around = analysis.parent_of(around)
    return around


_MESSAGE = Text(
    "{name} was collected in another pass over {loader}, which shuffles: entry i belongs to other "
    "samples than batch i here. Do not shuffle, or make the targets in the same pass",
    "{name} 是在对 {loader} 的另一次遍历中收集的，而它会打乱顺序：第 i 项与这里的第 i 批不是同一批"
    "样本。应关闭打乱，或在同一遍里计算目标",
)
