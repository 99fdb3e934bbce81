"""The terms of a Jensen-Shannon divergence are turned round, or carry each other's weights.

## What it does

Finds pairs of `kl_div` whose *target* is the mixture m of both sides, KL(m ‖ p) and KL(m ‖ q); and
generalised divergences with m = β p + (1 − β) q in which KL(p ‖ m) has the weight 1 − β.

## Why is this bad

JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m) never exceeds log 2, because m is never smaller than half of
either side. Turned round, the logarithm is of p and of q themselves, and one class that a side
finds impossible makes the loss as large as it likes: what JS is chosen to avoid. With exchanged
weights the rarer side of the mixture is counted the more, and the divergence no longer turns into
KL(p ‖ q) at one end of β and KL(q ‖ p) at the other.

## Measured effect

Two softmaxes of independent normal logits of standard deviation 10 over 100 classes: 0.68 as
written in the formula (never more than 0.69), 11.7 turned round. With β = 0.1: 0.32, and 2.0 with
exchanged weights.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def js_loss(student_logits, teacher_logits):
    q = F.softmax(student_logits, dim=1)
    p = F.softmax(teacher_logits, dim=1)
    m = 0.5 * (p + q)
    log_q = F.log_softmax(student_logits, dim=1)
    log_p = F.log_softmax(teacher_logits, dim=1)
    first = F.kl_div(log_p, m, reduction="batchmean")
    second = F.kl_div(log_q, m, reduction="batchmean")
    return 0.5 * first + 0.5 * second
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def js_loss(student_logits, teacher_logits):
    q = F.softmax(student_logits, dim=1)
    p = F.softmax(teacher_logits, dim=1)
    log_m = (0.5 * (p + q)).log()
    first = F.kl_div(log_m, p, reduction="batchmean")
    second = F.kl_div(log_m, q, reduction="batchmean")
    return 0.5 * first + 0.5 * second
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Distilling from the mixture of two teachers, KL(m ‖ q) with m of the teachers alone, is right and
silent: the mixture must contain the very distribution it is compared with.

## References

Lin 1991; Agarwal et al. 2024, "On-Policy Distillation of Language Models", section 3.

---

JS 散度的两项写反了方向，或者权重互换了。

## 它检查什么

检查成对的 `kl_div`：以两侧的混合分布 m 作为 *target*，即 KL(m ‖ p) 与 KL(m ‖ q)；以及
m = β p + (1 − β) q 的广义散度中，KL(p ‖ m) 的权重却是 1 − β。

## 为什么

JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m) 不会超过 log 2，因为 m 不小于任何一侧的一半。写反后取的是 p、q
自身的对数，只要有一侧认为某个类别不可能，损失就可以任意大：这正是选用 JS 想避免的。权重互换后，
混合中占比小的一侧反而权重大，β 趋于两端时也不再分别变成 KL(p ‖ q) 与 KL(q ‖ p)。

## 实测影响

100 类、标准差为 10 的独立正态 logits 的两个 softmax：按公式为 0.68（不超过 0.69），写反后为 11.7。
β = 0.1 时：按公式 0.32，权重互换后 2.0。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

以两个教师的混合作目标（KL(m ‖ q)，m 只含教师）是正确的，不报告：混合中必须含有与它比较的那个分布
本身。

## 参考

Lin 1991；Agarwal 等 2024，"On-Policy Distillation of Language Models"，第 3 节。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Scope
from didact.check.engine.spaces import NORMALISED, Space
from didact.check.findings.finding import Severity
from didact.check.rules._common import uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD310"
NAME = "js-terms-exchanged"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("JS-EXCHANGED",)


@dataclass(frozen=True, slots=True)
class _Mixture:
    """A sum of two distributions: of what each is made, and its weight."""

    node: ast.BinOp
    roots: tuple[frozenset[str], frozenset[str]]
    weights: tuple[str, str]


def check(analysis: Analysis) -> Iterator[Found]:
    """Look at every divergence that has a mixture on one side."""
    for use in uses(analysis, "kl_div"):
        if use.input_node is None or use.target_node is None:
            continue
        target = _mixture(analysis, use.target_node, use.scope)
        source = _mixture(analysis, use.input_node, use.scope)
        if target is not None and source is None:
            own = _roots(analysis, use.input_node, use.scope)
            if any(own & part for part in target.roots):
                yield Found(use.node, _TURNED)
        elif source is not None and target is None:
            place = _place(source, _roots(analysis, use.target_node, use.scope))
            if place is not None and _has_weight_of_other(analysis, use, source, place):
                yield Found(use.node, _WEIGHTS.format(w=source.weights[place]))


def _place(mixture: _Mixture, roots: frozenset[str]) -> int | None:
    """Which of the two parts of a mixture a distribution is."""
    found = [index for index, part in enumerate(mixture.roots) if part & roots]
    return found[0] if len(found) == 1 else None


def _has_weight_of_other(analysis: Analysis, use: LossUse, mixture: _Mixture, place: int) -> bool:
    own, other = mixture.weights[place], mixture.weights[1 - place]
    terms = [term for term in analysis.terms_of(use) if term.scale.atoms]
    return bool(own and other and own != other and terms) and all(
        term.scale.exponent(other) == 1 and not term.scale.exponent(own) for term in terms
    )


def _mixture(analysis: Analysis, node: ast.expr, scope: Scope) -> _Mixture | None:
    """The sum of two distributions that a value comes from."""
    for step in path(analysis, node, scope):
        part = step.node
        if not isinstance(part, ast.BinOp) or not isinstance(part.op, ast.Add):
            continue
        values = [analysis.value_of(side) for side in (part.left, part.right)]
        spaces = {Space.UNKNOWN if value is None else value.space for value in values}
        if not spaces <= NORMALISED and not (
            spaces == {Space.UNKNOWN} and _is_halved(analysis, part)
        ):
            return None
        roots = [_roots(analysis, side, step.scope) for side in (part.left, part.right)]
        if not roots[0] or not roots[1] or roots[0] & roots[1]:
            return None
        weights = [_symbol(analysis, side) for side in (part.left, part.right)]
        return _Mixture(part, (roots[0], roots[1]), (weights[0], weights[1]))
    return None


def _is_halved(analysis: Analysis, node: ast.BinOp) -> bool:
    """``(p + q) / 2`` and ``0.5 * (p + q)``."""
    around = analysis.parent_of(node)
    if not isinstance(around, ast.BinOp) or not isinstance(around.op, ast.Div | ast.Mult):
        return False
    other = around.left if around.right is node else around.right
    return isinstance(other, ast.Constant) and other.value in (2, 2.0, 0.5)


def _symbol(analysis: Analysis, node: ast.expr) -> str:
    value = analysis.value_of(node)
    atoms = value.scale.atoms if value is not None else ()
    return atoms[0][0] if len(atoms) == 1 and atoms[0][1] == 1 else ""


def _roots(analysis: Analysis, node: ast.expr, scope: Scope) -> frozenset[str]:
    """The name that a value begins with: two softmaxes of the same logits share it."""
    last: tuple[ast.expr, Scope] | None = None
    for step in path(analysis, node, scope):
        last = step.node, step.scope
    if last is None or not isinstance(last[0], ast.Name | ast.Attribute):
        return frozenset()
    return frozenset([f"{id(last[1].node)}:{ast.unparse(last[0])}"])


_TURNED = Text(
    "the mixture is the target of kl_div: this is KL(m || p), which has no bound; the terms of a "
    "Jensen-Shannon divergence are KL(p || m), with log m as the input",
    "混合分布 m 被用作 kl_div 的 target：这是没有上界的 KL(m ‖ p)；JS 散度的两项是 KL(p ‖ m)，"
    "应以 log m 作 input",
)
_WEIGHTS = Text(
    "this term's share of the mixture is {w}, but its weight is the other one: the weights of the "
    "generalised Jensen-Shannon divergence are exchanged",
    "这一项在混合分布中的占比是 {w}，乘的却是另一项的权重：广义 JS 散度的两个权重互换了",
)
