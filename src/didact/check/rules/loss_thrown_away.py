"""A loss is computed and then thrown away.

## What it does

Finds a loss whose value nobody reads: assigned to a name that the function never uses again,
assigned to a name that is given another value before it is read, or called as a statement.

## Why is this bad

The term has no weight at all. Usually `+=` was meant where `=` stands, or the name of the sum was
not changed when a term was added. The run looks right, and the weight of the lost term can be tuned
without any effect.

## Measured effect

The gradient of the lost term is 0 % of what it should be; what is trained is the other term alone.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def total_loss(student_logits, teacher_logits, labels):
    log_probs = F.log_softmax(student_logits, dim=1)
    loss = F.kl_div(log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    loss = F.cross_entropy(student_logits, labels)
    return loss
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def total_loss(student_logits, teacher_logits, labels):
    log_probs = F.log_softmax(student_logits, dim=1)
    loss = F.kl_div(log_probs, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    loss += F.cross_entropy(student_logits, labels)
    return loss
```

## Fix safety

Unsafe: where a name is given another loss, the second is added to the first. Whether a term that
nobody reads should count or go is not known.

## Known false alarms

Silent in tests, for names that begin with an underscore, where the function uses `locals()`, at
the end of a cell or a file, and where the two assignments stand in different branches.

## References

None.

---

算出的损失随后被丢弃。

## 它检查什么

检查没有人读取的损失：赋给一个函数中再也不用的名字，在读取之前又被赋了别的值，或者只作为语句调用。

## 为什么

这一项的权重其实是零。通常是该写 `+=` 的地方写成了 `=`，或者新增一项后忘了把它加进总和。训练看上去
正常，而调这一项的权重不会有任何效果。

## 实测影响

被丢弃的一项，梯度是应有值的 0 %；真正训练的只有另一项。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：同一个名字又被赋了另一个损失时，把后者加到前者上。没有人读取的一项是该计入还是该删掉，
无法知道。

## 已知误报

测试代码、以下划线开头的名字、函数中用到 `locals()`、位于单元格或文件末尾、两次赋值在不同分支中时，
不报告。

## 参考

无。
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.index import Function
from didact.check.engine.names import word_set, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Space
from didact.check.findings.finding import Fix, Severity
from didact.check.rules._rule import Found, replace

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD309"
NAME = "loss-thrown-away"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("LOSS-UNUSED",)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NESTED = (*_FUNCTIONS, ast.ClassDef)


def check(analysis: Analysis) -> Iterator[Found]:
    """Look at every function for itself, and at the statements outside of functions."""
    known = [use for use in analysis.uses if use.kind != "other" and not use.under_no_grad]
    direct = {id(use.node) for use in known}
    for block in _blocks(analysis.tree):
        yield from _overwritten(analysis, block, trained=True)
        for at, statement in enumerate(block):
            name = _loss_name(analysis, statement)
            read = name and _count(analysis.tree, name)
            if name and not read and any(map(_has_backward, block[at + 1 :])):
                yield Found(statement, _UNREAD.format(name=name))
    for function in _functions(analysis, known):
        if function.name.startswith("test") or _count(function, "locals"):
            continue
        for block in _blocks(function):
            yield from _overwritten(analysis, block)
            for statement in block:
                if isinstance(statement, ast.Expr) and id(statement.value) in direct:
                    yield Found(statement.value, _STATEMENT)
        yield from _never_read(analysis, function)


def _functions(analysis: Analysis, known: list[LossUse]) -> list[Function]:
    """The functions in which losses are computed, directly or through helpers."""
    found: dict[int, Function] = {}
    for node in {id(n): n for use in known for n in (use.node, *use.scope.calls)}.values():
        around = analysis.parent_of(node)
        while around is not None and not isinstance(around, _FUNCTIONS):
            around = analysis.parent_of(around)
        if isinstance(around, _FUNCTIONS):
            found[id(around)] = around
    return list(found.values())


def _never_read(analysis: Analysis, function: Function) -> Iterator[Found]:
    declared = {
        name
        for part in nodes_of(function)
        if isinstance(part, ast.Global | ast.Nonlocal)
        for name in part.names
    }
    for block in _blocks(function):
        for statement in block:
            name = _loss_name(analysis, statement)
            plain = not isinstance(statement, ast.If)
            if plain and name and name not in declared and not _count(function, name):
                yield Found(statement, _UNREAD.format(name=name))


def _overwritten(
    analysis: Analysis, block: list[ast.stmt], *, trained: bool = False
) -> Iterator[Found]:
    """Losses that are replaced; ``trained``: where the block goes back from the second."""
    for first, second in _pairs(analysis, block):
        name = _loss_name(analysis, second) or _target(second)
        if not name or _count(second, name):
            continue
        if trained and not (_goes_back(block, name) and _are_other_losses(analysis, first, second)):
            continue
        while isinstance(first, ast.If):
            first = first.body[-1]
        message = _REPLACED.format(name=name, line=second.lineno)
        yield Found(first, message, _added(second, name), severity=Severity.ERROR)


def _are_other_losses(analysis: Analysis, first: ast.stmt, second: ast.stmt) -> bool:
    """Whether two statements compute different losses: a script may show one twice."""
    terms = []
    for statement in (first, second):
        value = analysis.value_of(statement.value) if _target(statement) else None  # type: ignore[attr-defined]
        terms.append([term.use for term in value.terms] if value is not None else [])
    kinds = [{use.kind for use in uses} for uses in terms]
    hard = [all(use.is_hard for use in uses) for uses in terms]
    return not kinds[0] & kinds[1] and "other" not in kinds[1] and not all(hard)


def _has_backward(statement: ast.stmt) -> bool:
    return any(isinstance(p, ast.Attribute) and p.attr == "backward" for p in nodes_of(statement))


def _goes_back(block: list[ast.stmt], name: str) -> bool:
    """Whether a statement of a block backpropagates a name."""
    return any(
        isinstance(part, ast.Attribute)
        and part.attr == "backward"
        and any(isinstance(n, ast.Name) and n.id == name for n in nodes_of(part.value))
        for statement in block
        for part in nodes_of(statement)
    )


def _added(second: ast.stmt, name: str) -> Fix | None:
    """The second loss added to the first one."""
    value = getattr(second, "value", None)
    if not isinstance(second, ast.Assign | ast.AnnAssign) or not isinstance(value, ast.expr):
        return None
    loose = isinstance(value, ast.IfExp | ast.Lambda | ast.BoolOp | ast.Compare)
    text = f"({ast.unparse(value)})" if loose else ast.unparse(value)
    edit = replace(value, f"{name} + {text}")
    return Fix((edit,), "unsafe", Text("Add the two", "两项相加"))


def _pairs(analysis: Analysis, block: list[ast.stmt]) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    """A statement that computes a loss, and the next one in its block with the same name."""
    for index, statement in enumerate(block):
        name = _loss_name(analysis, statement)
        for later in block[index + 1 :] if name else ():
            if _loss_name(analysis, later) == name or _is_loss_again(analysis, later, name):
                yield statement, later
            if _mentions(later, name):
                break


def _is_loss_again(analysis: Analysis, statement: ast.stmt, name: str) -> bool:
    """Whether a statement gives a name a loss that was computed before, ``loss = w * kd``."""
    if _target(statement) != name:
        return False
    value = analysis.value_of(statement.value)  # type: ignore[attr-defined]
    return value is not None and value.space is Space.LOSS and bool(value.terms)


def _loss_name(analysis: Analysis, statement: ast.stmt) -> str:
    """The plain name that a statement gives to a loss which it computes."""
    if isinstance(statement, ast.If) and statement.orelse:
        names = {_loss_name(analysis, branch[-1]) for branch in (statement.body, statement.orelse)}
        return names.pop() if len(names) == 1 else ""
    name = _target(statement)
    value = analysis.value_of(statement.value) if name else None  # type: ignore[attr-defined]
    if value is None or value.space is not Space.LOSS or name.startswith("_"):
        return ""
    if set(words(name)) & _EVALUATED:
        return ""
    inside = {id(part) for part in nodes_of(statement)}
    uses = [term.use for term in value.terms if term.use.kind != "other"]
    called = any(use.scope.calls for use in uses)
    trained = {
        id(term.use.node)
        for total in (analysis.totals if called else ())
        if total.how == "backward" and id(total.node) not in inside
        for term in total.value.terms
    }
    uses = [use for use in uses if not use.under_no_grad and not _runs_backward(use, trained)]
    return name if any(_nodes(use) & inside for use in uses) else ""


_EVALUATED = word_set("val valid validation test eval dev")
"""A loss that is called so is no part of the training."""


def _runs_backward(use: LossUse, trained: set[int]) -> bool:
    """Whether the helper that computes a loss trains on it, too, and returns it for the log."""
    return bool(use.scope.calls) and id(use.node) in trained


def _nodes(use: LossUse) -> set[int]:
    """A loss, and the calls of helpers in which it is computed."""
    return {id(use.node), *map(id, use.scope.calls)}


def _target(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target = statement.target
    else:
        return ""
    return target.id if isinstance(target, ast.Name) else ""


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in nodes_of(node))


def _count(node: ast.AST, name: str) -> int:
    """How often a name is read."""
    return _counts(node)[name]


@lru_cache(maxsize=256)
def _counts(node: ast.AST) -> Counter[str]:
    return Counter(
        part.id for part in nodes_of(node)
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Store)
    )  # fmt: skip


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements of a function, those of inner functions left out."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block
            for statement in block:
                if not isinstance(statement, _NESTED):
                    yield from _blocks(statement)
    for handler in getattr(node, "handlers", []):
        yield from _blocks(handler)


_STATEMENT = Text(
    "this loss is computed and its value thrown away",
    "算出了这个损失，却丢弃了它的值",
)
_UNREAD = Text(
    "{name} is a loss that is computed and never used: it has no weight in what is trained",
    "损失 {name} 算出后从未使用：它对训练没有任何作用",
)
_REPLACED = Text(
    "this loss is thrown away: line {line} gives {name} another value before anything reads it, so "
    "the term has no effect on training; add the two, {name} = {name} + ...",
    "这个损失白算了：第 {line} 行在它被读取之前就给 {name} 赋了新值，所以这一项对训练没有任何作用；"
    "应把两项相加，{name} = {name} + …",
)
