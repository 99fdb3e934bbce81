"""Soft targets at temperature T beside a hard loss, without the factor T².

## What it does

Finds a distillation term with a temperature on both sides that is added to a loss on true
labels and never multiplied by T².

## Why is this bad

d/dz of T-softened cross-entropy is (softmax(s/T) − softmax(t/T)) / T, and for large T the
difference itself shrinks like 1/T. So the gradient of the soft term falls like 1/T² while that
of the hard term stays: at T = 4 the weight of distillation is a sixteenth of what is written.
T² undoes it, so that weights found at one temperature hold at another.

## Measured effect

At T = 4 the gradient is 1/16. The toy student reaches 69.0 % (right: 72.3 %), 54.7 % together
with the mean over classes.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels, T=4.0, alpha=0.9):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
    )
    return alpha * soft + (1 - alpha) * F.cross_entropy(student_logits, labels)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def loss(student_logits, teacher_logits, labels, T=4.0, alpha=0.9):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
    )
    return alpha * T**2 * soft + (1 - alpha) * F.cross_entropy(student_logits, labels)
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Silent where the soft term is the only one, where T² is applied anywhere on its way (also by the
caller in the same file, or on the gradients), where a comment says "no T^2", and with
`# kd: no-t2`. An info only where a number in front may be T² times a weight (4.5 at T = 3), and in
functions named after LwF, BiC or WA, whose papers have no T², or where an old model is the
teacher, as in LwF. A weight that was tuned without T² may have taken its place.

## References

Hinton et al. 2015, section 2.

---

温度为 T 的软目标与硬损失相加，却没有乘 T²。

## 它检查什么

检查两侧都有温度、与真实标签损失相加、但从未乘 T² 的蒸馏项。

## 为什么

软化交叉熵对 logit 的导数是 (softmax(s/T) − softmax(t/T)) / T，T 较大时括号内的差本身也按
1/T 缩小。于是软损失的梯度按 1/T² 下降，硬损失不变：T = 4 时蒸馏的实际权重只有所写的 1/16。
乘 T² 正好抵消，换温度时权重不必重调。

## 实测影响

T = 4 时梯度为 1/16。小实验精度 69.0 %（正确写法 72.3 %），若同时对类别取平均则为 54.7 %。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

软损失是唯一的一项，或途中任何地方乘过 T²（包括同文件的调用者、直接乘在梯度上），注释写明没有 T²，
或注明 `# kd: no-t2` 时不报告。前面的数字可能是 T² 与权重之积（T = 3 时的 4.5），或函数以 LwF、BiC、
WA 命名（论文中没有 T²）、教师是旧模型（LwF 的写法）时，只作提示。
在没有 T² 时调出的权重可能已代替了它。

## 参考

Hinton 等 2015，第 2 节。
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Term
from didact.check.engine.names import dotted, is_temperature, is_weight
from didact.check.engine.nodes import nodes_of
from didact.check.engine.scale import Scale, may_hold_square
from didact.check.engine.spaces import NORMALISED, Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import (
    CONTRASTIVE,
    arguments,
    beside_hard_term,
    has_word,
    mentions,
    place_of,
    power_of,
    soft_uses,
    temperature_of,
    temperature_symbol,
    totals_with,
)
from didact.check.rules._rule import Found
from didact.check.rules._trace import path, same_source

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD201"
NAME = "missing-t-squared"
SEVERITY = Severity.WARNING
TOPIC = "temperature"
CATALOGUE = ("NO-T2",)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find soft terms beside hard ones whose factor lacks the temperature altogether."""
    for use in soft_uses(analysis):
        temperature = _temperature(use)
        if temperature is None or _is_applied(analysis, use, temperature):
            continue
        if _says_without(analysis, use) or _is_contrastive(analysis, use):
            continue
        if same_source(analysis, use):
            continue
        if beside_hard_term(analysis, use) or _is_commented_out(analysis, use):
            doubt = _doubt(analysis, use, temperature)
            size = _size(analysis, use, temperature)
            message = _MESSAGE if doubt is None else doubt
            yield Found(
                place_of(analysis, use),
                message.format(t=temperature.text, size=size, both=arguments(use)),
                severity=None if doubt is None else Severity.INFO,
            )


_WITHOUT = re.compile(r"bic|lwf|wa")
"""Methods whose papers have no T²: BiC, LwF, WA."""
_OLD = re.compile(r"old|prev|previous|known|seen")
_SAID = re.compile(r"(\bno|without|不乘|没有|无)\s*T\s*(\*\*|\^)?\s*[2²]", re.IGNORECASE)


def _doubt(analysis: Analysis, use: LossUse, temperature: Scale) -> Text | None:
    """Why there may be nothing wrong: the method has no T², or a number holds it."""
    owner = use.scope.owner
    names = [use.scope.name, owner.name if owner is not None else "", PurePath(analysis.path).stem]
    if any(has_word(name, _WITHOUT) or _WITHOUT.fullmatch(name.lower()) for name in names):
        return _OF_METHOD
    if _is_of_old_classes(analysis, use):
        return _OF_METHOD
    symbol = temperature_symbol(temperature)
    if symbol is not None and _number_of(analysis, use, symbol) == 1:
        return _IS_ONE
    if temperature.atoms:
        return None
    numbers = (term.scale.const for term in analysis.terms_of(use))
    return _FOLDED if any(may_hold_square(n, temperature.const) for n in numbers) else None


def _is_of_old_classes(analysis: Analysis, use: LossUse) -> bool:
    """Whether a new model is compared with an old one, perhaps on the old classes, as in LwF."""
    cut = use.input.class_slice
    if cut is not None and cut.startswith(":") and has_word(cut, _OLD):
        return True
    nodes = [step.node for step in path(analysis, use.target_node, use.scope)]
    return any(mentions(node, _OLD) for node in nodes)


def _says_without(analysis: Analysis, use: LossUse) -> bool:
    """Whether a comment or the docstring says that there is none."""
    node, owner = use.scope.node, use.scope.owner
    if isinstance(node, ast.Module):
        return False
    first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0
    said = [analysis.index.comments.get(line, "") for line in range(first, last + 1)]
    said += [
        ast.get_docstring(part) or ""
        for part in (node, owner)
        if isinstance(part, ast.FunctionDef | ast.ClassDef)
    ]
    return any(map(_SAID.search, said))


def _is_contrastive(analysis: Analysis, use: LossUse) -> bool:
    """Whether the loss, its function or what goes into it is called so."""
    function, owner = use.scope.node, use.scope.owner
    texts = [use.scope.name, ast.get_docstring(owner) or "" if owner is not None else ""]
    if isinstance(function, ast.FunctionDef):
        texts.append(ast.get_docstring(function) or "")
    nodes: list[ast.AST] = [analysis.statement_of(use.node)]
    for side in (use.input_node, use.target_node):
        nodes += [step.node for step in path(analysis, side, use.scope)]
    named = any(mentions(node, CONTRASTIVE) for node in nodes)
    return named or any(has_word(text, CONTRASTIVE) for text in texts)


def _temperature(use: LossUse) -> Scale | None:
    shared = temperature_of(use)
    if shared is None and use.target.space not in NORMALISED and use.target.temperature is None:
        shared = use.input.temperature
    if shared is None or shared.is_one or not all(map(is_temperature, shared.symbols)):
        return None
    return shared


def _is_applied(analysis: Analysis, use: LossUse, temperature: Scale) -> bool:
    terms = analysis.terms_of(use)
    if any(
        analysis.defaults.get(symbol, 0) >= 10 for term in terms for symbol in term.scale.symbols
    ):
        return True
    symbol = temperature_symbol(temperature)
    if symbol is None:
        needed = temperature.const**2
        return (
            temperature.atoms != ()
            or any(
                abs(t.scale.const) >= 0.9 * needed or _may_name_it(t.scale)
                for t in terms
                if t.scale.const != 1
            )
            or _is_written_apart(analysis.statement_of(use.node), needed)
            or any(
                abs(term.scale.const) != 1
                and _is_written_apart(analysis.statement_of(total.node), needed)
                for total, term in totals_with(analysis, use)
            )
        )
    seen = (*terms, *(term for _, term in totals_with(analysis, use)))
    number = _number_of(analysis, use, symbol)
    if number is not None and _has_its_square(analysis, use, seen, number):
        return True
    if any(power_of(term, symbol) or _is_in_attribute(analysis, use, term) for term in seen):
        return True
    return any(
        other.scope.node is use.scope.node
        and power_of(Term(use, other.base.scale.times(other.other.scale)), symbol) >= 2
        for other in (*analysis.operations_of("multiply"), *analysis.operations_of("power"))
        if other.base.space is Space.SCALAR
    )


def _number_of(analysis: Analysis, use: LossUse, symbol: str) -> float | None:
    """What a temperature is where it is called or set, if that is one number."""
    function = use.scope.node
    if isinstance(function, ast.FunctionDef) and use.scope.calls:
        call = use.scope.calls[-1]
        names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        names = names[1:] if names[:1] == ["self"] else names
        given = dict(zip(names, call.args, strict=False))
        given |= {k.arg: k.value for k in call.keywords if k.arg is not None}
        if symbol in given:
            return _constant(given[symbol])
    if symbol in analysis.defaults:
        return analysis.defaults[symbol]
    made = _assigned(analysis.tree).get(symbol, [])
    return _constant(made[0]) if len(made) == 1 else None


@lru_cache(maxsize=8)
def _assigned(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """What each name of a file is assigned."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes_of(tree):
        if isinstance(node, ast.Assign):
            for name in {dotted(target) for target in node.targets}:
                found.setdefault(name, []).append(node.value)
    return found


def _constant(node: ast.expr) -> float | None:
    number = node.value if isinstance(node, ast.Constant) else None
    return float(number) if isinstance(number, int | float) else None


def _has_its_square(analysis: Analysis, use: LossUse, terms: Iterable[Term], number: float) -> bool:
    """Whether the square of the temperature stands in front as a number."""
    if number == 1:
        return False
    calls = [analysis.statement_of(call) for call in use.scope.calls[-1:] if analysis.owns(call)]
    return any(abs(t.scale.const) >= 0.9 * number**2 * (1 - 1e-9) for t in terms) or any(
        _is_written_apart(statement, number**2) for statement in calls
    )


def _is_in_attribute(analysis: Analysis, use: LossUse, term: Term) -> bool:
    """Whether a factor ``self.gamma`` was made of T² by the class: ``self.gamma = T * T * a``."""
    info = analysis.index.classes.get(use.scope.owner.name) if use.scope.owner else None
    for symbol, exponent in term.scale.atoms if info is not None else ():
        made = info.assigned.get(symbol.removeprefix("self."), []) if info is not None else []
        if exponent > 0 and any(map(_holds_square, made)):
            return True
    return False


def _holds_square(made: ast.expr) -> bool:
    """Whether a product has a temperature twice, or squared."""
    nodes = list(nodes_of(made))
    powers = [n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow)]
    if any(is_temperature(dotted(power.left) or "-") for power in powers):
        return True
    named = [n for n in nodes if isinstance(n, ast.Name | ast.Attribute) and dotted(n)]
    times = any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult) for n in nodes)
    return times and sum(is_temperature(dotted(n)) for n in named) > 1


def _may_name_it(scale: Scale) -> bool:
    """Whether a factor that has a name may be T²: neither a weight nor one over a count."""
    return any(exponent > 0 and not is_weight(symbol) for symbol, exponent in scale.atoms)


def _is_written_apart(statement: ast.AST, needed: float) -> bool:
    """Whether a factor T² stands among numbers: the 9 in ``0.1 * 9 * kl`` at T = 3."""
    operands = (
        operand
        for node in nodes_of(statement)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)
        for operand in (node.left, node.right)
    )
    return any(
        isinstance(o, ast.Constant)
        and isinstance(o.value, int | float)
        and math.isclose(o.value, needed)
        for o in operands
    )


def _is_commented_out(analysis: Analysis, use: LossUse) -> bool:
    """The factor stands in a comment after the loss: ``loss  # * T**2``."""
    node = use.scope.node
    first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0
    lines = (analysis.index.comments.get(line, "") for line in range(first, last + 1))
    return not isinstance(node, ast.Module) and any(map(_is_square_of_temperature, lines))


def _is_square_of_temperature(comment: str) -> bool:
    """``#* self.T * self.T``, ``# * (T ** 2)``, perhaps with more behind it."""
    factor = re.match(r"#\s*\*\s*(\(?[\w.]+\s*\*{1,2}\s*[\w.]+\)?)", comment)
    try:
        node = ast.parse(factor[1], mode="eval").body if factor else None
    except SyntaxError:
        return False
    if not isinstance(node, ast.BinOp) or not is_temperature(dotted(node.left) or "-"):
        return False
    if isinstance(node.op, ast.Pow):
        return isinstance(node.right, ast.Constant) and node.right.value == 2
    return isinstance(node.op, ast.Mult) and dotted(node.right) == dotted(node.left)


def _size(analysis: Analysis, use: LossUse, temperature: Scale) -> Text:
    symbol = temperature_symbol(temperature) if temperature.atoms else None
    set_here = _number_of(analysis, use, symbol) if symbol is not None else None
    number = temperature.const if not temperature.atoms else set_here
    number = 4.0 if number in {None, 0, 1} else number
    assert number is not None
    return Text(f"1/{number**2:.3g} at T = {number:g}", f"T = {number:g} 时为 1/{number**2:.3g}")


_OF_METHOD = Text(
    "the soft term at temperature {t} has no factor T**2, as in the papers of LwF, BiC and WA: its "
    "gradient is about 1/T**2 of the usual formula's ({size}), so its weight holds at this "
    "temperature only {both}",
    "温度为 {t} 的软损失没有乘 T²（LwF、BiC、WA 的论文即如此）：它的梯度约为常用公式的 1/T²"
    "（{size}），因此权重只适用于这个温度 {both}",
)
_FOLDED = Text(
    "the soft term at temperature {t} has no factor T**2 of its own; the number in front may be a "
    "weight times T**2. Without it the gradient is about 1/T**2 of the formula's ({size}) {both}",
    "温度为 {t} 的软损失没有单独乘 T²；前面的数字可能已是权重与 T² 之积。若不是，它的梯度约为"
    "公式的 1/T²（{size}）{both}",
)
_IS_ONE = Text(
    "the soft term at temperature {t} has no factor T**2; at 1, the value that {t} has here, "
    "nothing is missing; at any other its gradient is about 1/T**2 of the formula's ({size}) "
    "{both}",
    "温度为 {t} 的软损失没有乘 T²；这里 {t} = 1，什么也不缺；换成别的温度时，梯度约为公式的 1/T²"
    "（{size}）{both}",
)
_MESSAGE = Text(
    "the soft term at temperature {t} is added to a hard term without the factor T**2: its "
    "gradient is about 1/T**2 of the formula's ({size}) {both}",
    "温度为 {t} 的软损失与硬损失相加，却没有乘 T²：它的梯度约为公式的 1/T²（{size}）{both}",
)
