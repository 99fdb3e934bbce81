"""A divergence towards the student's side, told by which logits the labels train."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.mistakes._look import Look
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES: dict[str, tuple[str, ...]] = {}
"""The mistake is one of ``check``, which goes by the roles that it knows itself."""
_MEANT = re.compile(
    r"revers|rkl|minillm|mode.?seek|policy|jsd?\b|symm|mutual|skew|反向|寻峰|llm|token",
    re.IGNORECASE,
)
"""What is said where the reverse divergence is wanted."""


SWAPPED = "KD106"
_MESSAGE = Text(
    "kl_div(teacher, student) is D(student || teacher), the reverse of the distillation loss "
    "D(teacher || student): the side that the labels train belongs in the input, in log space. If "
    "reverse KL is meant, say `# kd: reverse-kl`",
    "kl_div(教师, 学生) 是 D(学生‖教师)，与蒸馏损失 D(教师‖学生) 方向相反：由标签训练的那一侧"
    "（学生）应以对数概率放在 input。若有意使用反向 KL，请注明 `# kd: reverse-kl`",
)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Beside a cross-entropy that trains the same logits on labels."""
    tree = look.judged.tracer.tree
    named = {n.name for n in nodes_of(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    named |= {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)}
    if not look.is_torch or "SWAPPED" in look.known:
        return
    if _MEANT.search(look.words) or any(map(_MEANT.search, named)):
        return
    for loss in look.judged.losses:
        term = _reverse(loss)
        calls = [look.places.get(p) for p in walk(term.body)] if term is not None else []
        for call in calls:
            if isinstance(call, ast.Call) and last_name(call.func) == "kl_div":
                fix = _exchanged(tree, call)
                yield Finding(SWAPPED, Severity.WARNING, span(call), _MESSAGE, fix)


def _reverse(loss: Loss) -> Term | None:
    """The only soft term, if it is KL(student ‖ teacher) of what the labels train."""
    soft = [t for t in loss.terms if t.definition is None or t.definition.key != "ce"]
    hard = [t for t in loss.terms if t.definition is not None and t.definition.key == "ce"]
    if len(soft) != 1 or not hard or soft[0].definition is None or soft[0].rank != 2:
        return None
    term = soft[0]
    if term.definition is None or term.definition.key != "reverse_kl":
        return None
    if not isinstance(term.body, Call) or not any(
        isinstance(p, Call) and p.name == "kl_div" for p in walk(term.body)
    ):
        return None
    same = any(t.student is term.student and t.student is not None for t in hard)
    return term if same else None


def _exchanged(tree: ast.Module, call: ast.Call) -> Fix | None:
    """The logits in the two softmaxes, each in the other's place."""
    made = [_softmax(tree, argument) for argument in call.args[:2]]
    first, second = [*made, None, None][:2]
    if first is None or second is None or not first.args or not second.args:
        return None
    one, other = first.args[0], second.args[0]
    edits = (Edit(span(one), ast.unparse(other)), Edit(span(other), ast.unparse(one)))
    return Fix(edits, "unsafe", Text("Exchange the two sides", "交换两侧"))


def _softmax(tree: ast.Module, node: ast.expr) -> ast.Call | None:
    if isinstance(node, ast.Name):
        made = [n.value for n in nodes_of(tree) if isinstance(n, ast.Assign)
                and ast.unparse(n.targets[0]) == node.id]  # fmt: skip
        node = made[0] if len(made) == 1 else node
    if isinstance(node, ast.Call) and last_name(node.func) in {"softmax", "log_softmax"}:
        return node
    return None
