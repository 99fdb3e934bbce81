"""The teacher stands in the input and the student in the target: KL the other way round.

## What it does

Finds `kl_div` whose input is the teacher's and whose target is the student's distribution, also
where names do not say so: the input comes from a model under `no_grad`, and the target is trained.

## Why is this bad

`kl_div(log q, p)` is D(p‖q): the target is the distribution on the left, under which the mean
is taken. Hinton's loss is D(teacher‖student), so the student belongs in the input. Swapped it
is D(student‖teacher), which lets the student leave out modes of the teacher (mode seeking)
instead of covering them.

## Measured effect

Near agreement the gradients' cosine is 0.97; the toy student reaches 71.3 % against 72.3 %. It
is another objective rather than a broken one, and serves well in places (on-policy distillation
of language models).

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    teacher_log_probs = F.log_softmax(teacher_logits, dim=1)
    student_probs = F.softmax(student_logits, dim=1)
    return F.kl_div(teacher_log_probs, student_probs, reduction="batchmean")
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def kd_loss(student_logits, teacher_logits):
    student_log_probs = F.log_softmax(student_logits, dim=1)
    teacher_probs = F.softmax(teacher_logits, dim=1)
    return F.kl_div(student_log_probs, teacher_probs, reduction="batchmean")
```

## Fix safety

Unsafe: an edit that takes the finding away is suggested where one is found. It alters the
training objective.

## Known false alarms

Silent where both directions are computed (Jensen–Shannon, symmetric KL), and where the code
says so: reverse, RKL, JS, beta, mixture. Say `# kd: reverse-kl` if it is meant.

## References

Hinton et al. 2015; Gu et al. 2024 (MiniLLM), arXiv:2306.08543.

---

教师放在 input、学生放在 target：KL 的方向反了。

## 它检查什么

检查 input 为教师分布、target 为学生分布的 `kl_div`；名字看不出时，看 input 是否来自 `no_grad` 下
的模型、target 是否参与训练。

## 为什么

`kl_div(log q, p)` 是 D(p‖q)：target 是左侧的分布，期望在它下面取。Hinton 的损失是 D(教师‖学
生)，所以学生应放在 input。反过来就是 D(学生‖教师)，它允许学生丢掉教师的部分模式（寻峰），而
不是全部覆盖。

## 实测影响

两者接近一致时梯度余弦为 0.97；小实验精度 71.3 % 对 72.3 %。这是换了目标，并非损坏，有些场合
（语言模型的在线策略蒸馏）正需要它。

## 错误示例

## 正确写法

## 修复安全性

不安全修复：找到能消除该问题的改法时给出建议；改动会改变训练目标。

## 已知误报

两个方向都算（JS 散度、对称 KL），或代码中写明 reverse、rkl、js、beta、mixture 时不报告。若
确实想用反向 KL，请加注释 `# kd: reverse-kl`。

## 参考

Hinton 等 2015；Gu 等 2024（MiniLLM），arXiv:2306.08543。
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.names import dotted, role_of
from didact.check.engine.spaces import Grad, Role, Space
from didact.check.engine.teacher_state import names_of
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, arguments, has_word, is_declared, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD106"
NAME = "kl-div-swapped"
SEVERITY = Severity.WARNING
TOPIC = "space"
CATALOGUE = ("SWAPPED",)


_MEANT = re.compile(
    r"revers\w*|minillm|[rf]kl|g?jsd?|jensen|symm\w*|mixture|mutual|policy|skew\w*|.*反向.*"
)
"""What an author calls it who wants D(student || teacher), or both directions."""


_SPACES = (
    (Space.LOG_PROBS, Space.PROBS),
    (Space.PROBS, Space.PROBS),
    (Space.LOG_PROBS, Space.LOG_PROBS),
)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find the teacher in the input and the student in the target."""
    for use in uses(analysis, *SOFT):
        swapped = use.input.role is Role.TEACHER and use.target.role is Role.STUDENT
        swapped = swapped or _graph_is_in_the_target(analysis, use)
        ordered = (use.input.space, use.target.space) in _SPACES
        if (
            swapped
            and ordered
            and not _both_ways(analysis, use)
            and not _is_other_way_round(analysis, use)
            and not is_declared(analysis, use, _MEANT)
            and not _is_declared_by_callers(analysis, use)
        ):
            named = Role.TEACHER in (use.input.role, use.target.role)
            message = _MESSAGES.get(use.kind, _MESSAGE) if named else _GRAPH
            yield Found(use.node, message.format(both=arguments(use)))


def _is_declared_by_callers(analysis: Analysis, use: LossUse) -> bool:
    """Whether who calls the helper says so: in its own name, or in what the result is called."""
    for call in use.scope.calls:
        node: ast.AST | None = call
        while node is not None and not isinstance(node, ast.Module):
            named = isinstance(node, ast.Assign) and any(
                has_word(dotted(target), _MEANT) for target in node.targets
            )
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if named or (function and has_word(getattr(node, "name", ""), _MEANT)):
                return True
            node = analysis.parent_in_project(node)
    return False


def _graph_is_in_the_target(analysis: Analysis, use: LossUse) -> bool:
    """Whether a model under ``no_grad`` gives the input and one that is trained the target."""
    named = use.input.role is Role.STUDENT or use.target.role is Role.TEACHER
    if use.input.grad is not Grad.NO or use.input.sources or named or use.under_no_grad:
        return False
    if use.target.grad is Grad.NO or use.target.origin is None:
        return False
    if _is_an_array(analysis, use):
        return False
    made = {id(softmax.node): softmax.argument.origin for softmax in analysis.softmaxes}
    scores = made.get(id(use.target.origin))
    learnt = scores is not None and any(
        other.is_hard and other.input.origin is scores for other in analysis.uses
    )
    return learnt or (use.target.grad is Grad.YES and bool(use.target.sources))


def _is_an_array(analysis: Analysis, use: LossUse) -> bool:
    """Whether the input has no graph because it is made of numbers, not because of no_grad."""
    return any(
        callee(analysis, step.node).rpartition(".")[2] in ("tensor", "as_tensor", "from_numpy")
        for step in path(analysis, use.input_node, use.scope)
    )


def _is_other_way_round(analysis: Analysis, use: LossUse) -> bool:
    """Whether the "teacher" is what is trained here, towards a student that is not."""
    facts = analysis.facts
    models = [
        forward.model
        for forward in analysis.forwards
        if forward.key in use.input.sources | use.target.sources
    ]
    students = [m for m in models if role_of(m) is Role.STUDENT]
    teachers = [m for m in models if role_of(m) is Role.TEACHER]
    return any(names_of(m) & facts.optimized.keys() for m in teachers) and not any(
        names_of(m) & facts.optimized.keys() for m in students
    )


def _both_ways(analysis: Analysis, use: LossUse) -> bool:
    return any(
        other.scope.node is use.scope.node
        and other.target.role is Role.TEACHER
        and other.input.role is Role.STUDENT
        and not (other.node is use.node and use.scope.calls and not other.scope.calls)
        for other in uses(analysis, *SOFT)  # a helper's own names do not speak for its callers
    )


_MESSAGE = Text(
    "kl_div(teacher, student) is D(student || teacher), the reverse of the distillation loss "
    "D(teacher || student): the student belongs in the input, in log space. If reverse KL is "
    "meant, say `# kd: reverse-kl` {both}",
    "kl_div(教师, 学生) 是 D(学生‖教师)，与蒸馏损失 D(教师‖学生) 方向相反：学生应以对数概率放在 "
    "input。若有意使用反向 KL，请注明 `# kd: reverse-kl` {both}",
)
_BY_HAND = Text(
    "the teacher is inside the logarithm and the student outside: this is the cross-entropy of the "
    "reverse direction, -sum student * log teacher. The distillation loss is -sum teacher * log "
    "student. If the reverse is meant, say `# kd: reverse-kl` {both}",
    "教师在对数内、学生在对数外：这是反方向的交叉熵 −Σ 学生·log 教师；蒸馏损失是 −Σ 教师·log "
    "学生。若有意使用反向，请注明 `# kd: reverse-kl` {both}",
)
_KL_BY_HAND = Text(
    "the student weighs its own logarithm minus the teacher's: this is D(student || teacher), the "
    "reverse of the distillation loss, sum teacher * (log teacher - log student). If the reverse "
    "is meant, say `# kd: reverse-kl` {both}",
    "这里用学生的概率去加权“log 学生 − log 教师”：这是 D(学生‖教师)，与蒸馏损失 Σ 教师·(log 教师 − "
    "log 学生) 方向相反。若有意使用反向，请注明 `# kd: reverse-kl` {both}",
)
_GRAPH = Text(
    "the input of this loss comes from a model under no_grad and the target carries the gradient: "
    "that is the divergence in the reverse direction. The model that learns belongs in the input, "
    "in log space; if the reverse is meant, say `# kd: reverse-kl` {both}",
    "这个损失的 input 来自 no_grad 下的模型，梯度却在 target 一侧：这是反方向的散度。正在学习的模型"
    "应以对数概率放在 input；若有意使用反向，请注明 `# kd: reverse-kl` {both}",
)
_MESSAGES = {"soft_cross_entropy": _BY_HAND, "kl_by_hand": _KL_BY_HAND}
