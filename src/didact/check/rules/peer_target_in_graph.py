"""A target that the loss itself can move, since it is not detached.

## What it does

Finds KL(a, b) and KL(b, a) between the outputs of two different models, in different losses,
with the targets in the graph (in one sum, where a symmetric divergence may be meant, it is a
hint); a model that is its own teacher, undetached; and distances of features (mse, l1, cosine)
whose two sides pass through trained layers of the class's own, the teacher's side undetached.

## Why is this bad

In mutual learning the peer's output is a fixed target of the other's loss. Undetached, each
loss also moves the other model towards being a good target, and with two backward passes the
same graph is run twice.

## Measured effect

No separate number: the objective is another one.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def losses(net_a, net_b, images):
    a, b = net_a(images), net_b(images)
    loss_a = F.kl_div(F.log_softmax(a, dim=1), F.softmax(b, dim=1), reduction="batchmean")
    loss_b = F.kl_div(F.log_softmax(b, dim=1), F.softmax(a, dim=1), reduction="batchmean")
    return loss_a, loss_b
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def losses(net_a, net_b, images):
    a, b = net_a(images), net_b(images)
    loss_a = F.kl_div(
        F.log_softmax(a, dim=1), F.softmax(b.detach(), dim=1), reduction="batchmean"
    )
    loss_b = F.kl_div(
        F.log_softmax(b, dim=1), F.softmax(a.detach(), dim=1), reduction="batchmean"
    )
    return loss_a, loss_b
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

A symmetric KL in one sum (R-Drop) is meant to have both gradients and not reported.

## References

Zhang et al. 2018 (deep mutual learning), arXiv:1706.00384.

---

目标没有 detach，损失自己就能移动它。

## 它检查什么

检查两个不同模型的输出之间、分属两个损失、目标仍在计算图里的 KL(a, b) 与 KL(b, a)（若在同一个总
损失里，可能有意使用对称散度，只作提示）；没有 detach 而以自己为教师的模型；以及两侧都经过本类中参
与训练的层、教师一侧又没有 detach 的特征距离（mse、l1、cosine）。

## 为什么

互学习中，对方的输出在自己的损失里应是固定目标。不 detach 的话，每个损失还会推动对方去“成为
一个好目标”，两次反向传播也会重复使用同一张图。

## 实测影响

没有单独的数字：这是另一个目标函数。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

同一个和式里的对称 KL（R-Drop）本就需要两侧梯度，不报告。

## 参考

Zhang 等 2018（深度互学习），arXiv:1706.00384。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Forward, LossUse
from didact.check.engine.index import ClassInfo, Index
from didact.check.engine.names import dotted, word_set, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Grad, Role
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, arguments, is_without_grad, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import argument_of, computed_from, outer

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD503"
NAME = "peer-target-in-graph"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = ("TARGET-IN-GRAPH",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find pairs of losses whose arguments are each other's targets, in the graph."""
    found = [use for use in uses(analysis, *SOFT) if use.input.sources and use.target.sources]
    for use in found:
        for other in found:
            mirrored = (
                use.input.sources == other.target.sources
                and use.target.sources == other.input.sources
            )
            if (
                mirrored
                and use.input.sources != use.target.sources
                and _models(analysis, use.input.sources) != _models(analysis, use.target.sources)
            ):
                meant = _together(analysis, use, other)  # perhaps a symmetric divergence
                message, least = (_MUTUAL, Severity.INFO) if meant else (_MESSAGE, None)
                yield Found(use.node, message.format(both=arguments(use)), severity=least)
                break
    yield from _same_model(analysis)
    for use in uses(analysis, "mse", "l1", "cosine"):
        module = _target_module(analysis, use)
        if module is not None:
            yield Found(use.node, _PROJECTED.format(module=module))


def _same_model(analysis: Analysis) -> Iterator[Found]:
    """A model that is its own teacher, with the target in the graph."""
    for use in uses(analysis, *SOFT):
        one_way = use.target.role is Role.TEACHER and use.input.role is not Role.TEACHER
        evaluates = bool(set(words(use.scope.name)) & _EVALUATES)
        if not one_way or use.target.grad is Grad.NO or use.under_no_grad or evaluates:
            continue
        if use.input.sources and use.target.sources:
            mine, theirs = (_models(analysis, s.sources) for s in (use.input, use.target))
            shared = _models(analysis, use.input.sources & use.target.sources)
            same = bool(mine) and mine == theirs and len(shared) < 2  # else a helper runs either
        else:
            same = _through_one_class(analysis, use)
        frozen = any(analysis.facts.is_frozen(m) for m in _models(analysis, use.target.sources))
        if not same or frozen or _both_ways(analysis, use):
            continue
        if not _is_run_without_adapters(analysis, use):
            yield Found(use.node, _SELF.format(both=arguments(use)))


def _is_run_without_adapters(analysis: Analysis, use: LossUse) -> bool:
    """Whether adapters are turned off for the teacher's pass: what it runs is not trained then."""
    if not any(map(_turns_adapters_off, analysis.files())):
        return False
    scopes = {id(f.scope.node): f.scope for f in analysis.forwards if f.key in use.target.sources}
    for scope in [*scopes.values(), use.scope]:
        while True:
            calls = (n for n in nodes_of(scope.node) if isinstance(n, ast.Call))
            if any(map(_is_turning_off, calls)):
                return True
            if not scope.calls:
                break
            scope = outer(analysis, scope)
    return False


def _turns_adapters_off(index: Index) -> bool:
    work = partial(_look_for_turning_off, index)
    return index.once("turns adapters off", False, work)


def _look_for_turning_off(index: Index) -> bool:
    return any(map(_is_turning_off, index.of(ast.Call)))


def _is_turning_off(call: ast.Call) -> bool:
    """``model.disable_adapter()``, ``disable_student_adapter(model)``."""
    found = set(words(dotted(call.func).rpartition(".")[2]))
    return "disable" in found and bool(found & {"adapter", "adapters"})


def _through_one_class(analysis: Analysis, use: LossUse) -> bool:
    """Both sides come out of trained layers of the class around the loss."""
    function, owner = use.scope.node, use.scope.owner
    info = analysis.index.classes.get(owner.name) if owner is not None else None
    if info is None or not isinstance(function, ast.FunctionDef) or use.scope.calls:
        return False
    sides = [
        _own_modules(analysis, info, function, node) for node in (use.input_node, use.target_node)
    ]
    return all(sides)


def _both_ways(analysis: Analysis, use: LossUse) -> bool:
    """The same two meet with exchanged parts, too: then both are meant to move."""
    return any(
        other.node is not use.node
        and other.scope.node is use.scope.node
        and other.input.role is use.target.role
        and other.target.role is use.input.role
        for other in uses(analysis, *SOFT)
    )


def _target_module(analysis: Analysis, use: LossUse) -> str | None:
    """A trained module of the class's own through which the teacher's side goes, in the graph.

    The student's side goes through another one, so that both can become constant.
    """
    function, owner = use.scope.node, use.scope.owner
    info = analysis.index.classes.get(owner.name) if owner is not None else None
    if info is None or not isinstance(function, ast.FunctionDef):
        return None
    sides = [
        _own_modules(analysis, info, function, node) for node in (use.input_node, use.target_node)
    ]
    for mine, other in (sides, sides[::-1]):
        teachers = {name for name, role in other if role is Role.TEACHER}
        students = {name for name, role in mine if role is not Role.TEACHER}
        if teachers and students and not teachers & students and len(other) == len(teachers):
            return f"self.{sorted(teachers)[0]}"
    return None


def _own_modules(
    analysis: Analysis, info: ClassInfo, function: ast.FunctionDef, node: ast.expr | None
) -> set[tuple[str, Role]]:
    """The trained modules of a class that a value comes through, with whose numbers go in."""
    calls = [part for part in nodes_of(function) if isinstance(part, ast.Call)]
    reached = computed_from(function, node)
    found: set[tuple[str, Role]] = set()
    for call in calls:
        name = dotted(call.func)
        attribute = name.removeprefix("self.")
        if id(call) not in reached or name == attribute or not call.args:
            continue
        made = info.assigned.get(attribute, [])
        trained = bool(made) and all(map(_is_trained_layer, made))
        if trained and not analysis.facts.is_frozen(name) and not is_without_grad(analysis, call):
            value = analysis.value_of(call.args[0])
            found.add((attribute, value.role if value is not None else Role.UNKNOWN))
    return found


def _is_trained_layer(made: ast.expr) -> bool:
    return isinstance(made, ast.Call) and dotted(made.func).rpartition(".")[2] in _LAYERS


_EVALUATES = word_set("validation validate val valid test eval evaluate evaluation predict")
_LAYERS = word_set("Linear Conv1d Conv2d Conv3d ConvTranspose2d Sequential")


def _models(analysis: Analysis, keys: frozenset[int]) -> set[str]:
    """The models behind a value, as those call them who hand them to a helper."""
    return {
        _named_by_caller(analysis, forward) for forward in analysis.forwards if forward.key in keys
    }


def _named_by_caller(analysis: Analysis, forward: Forward) -> str:
    """``teacher`` where ``run(teacher, x)`` calls its parameter ``model``."""
    name, scope = forward.model, forward.scope
    while scope.calls:
        given = argument_of(scope, name)
        if given is None or not dotted(given):
            return name
        name, scope = dotted(given), outer(analysis, scope)
    return name


def _together(analysis: Analysis, one: LossUse, other: LossUse) -> bool:
    return any(
        {id(one.node), id(other.node)} <= {id(term.use.node) for term in total.value.terms}
        for total in analysis.totals
        if not isinstance(getattr(total.node, "value", None), ast.Tuple)
    )


_PROJECTED = Text(
    "the target of this loss comes through {module}, which is trained, and is not detached: the "
    "loss also moves the target to the student, and is least where both are constant. Use "
    ".detach()",
    "这个损失的目标经过了参与训练的 {module}，且没有 detach：损失也会把目标拉向学生，两侧都变成"
    "常数时损失最小。应使用 .detach()",
)
_MUTUAL = Text(
    "each of two models is the other's target in one sum, undetached: each loss also moves the "
    "peer. Deep mutual learning detaches its targets; fine if a symmetric divergence is meant "
    "{both}",
    "同一个总损失里两个模型互为目标，且都没有 detach：每个损失也会拉动对方。深度互学习对目标作 "
    "detach；若本意是对称散度则无妨 {both}",
)
_SELF = Text(
    "the target of this loss comes from the model that is trained by it, and is not detached: the "
    "loss also moves the target. Use .detach() {both}",
    "这个损失的目标来自被它训练的同一个模型，且没有 detach：损失也会拉动目标。应使用 "
    ".detach() {both}",
)
_MESSAGE = Text(
    "each of two models is the other's target, and this target is not detached: the loss also "
    "trains the peer to be a target. Use .detach() {both}",
    "两个模型互为目标，而这里的目标没有 detach：损失也会训练对方去充当目标。应使用 .detach() "
    "{both}",
)
