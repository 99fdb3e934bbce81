"""Mixup beside distillation: which image the teacher is given."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.mistakes.unmixed_target import Mixture, called_on, mixture

PLACE = 15
ASKS = either(r"mix|cutmix|original|clean image", r"混合|原图|原始")
_WHO = either(r"teacher", r"教师|老师")
_WHICH = either(
    r"which|\bor\b|see|get|give|input|feed|same", r"还是|哪|应该|要不要|输入|看到|喂|一样|同一"
)
_MEANS = Text(
    "the mixture `{mixed}`, the same input as the student: the target is then what the teacher "
    "says of that very image. (From `{plain}` it would have to be mixed itself, with the same "
    "weight and the same order.)",
    "混合后的 `{mixed}`，即与学生相同的输入：这样目标才是教师对同一幅图的判断。（若输入 `{plain}`，"
    "教师的输出也要按同样的比例和同样的顺序混合。）",
)


def answer(question: str, code: Code) -> Text | None:
    """By what the teacher is called on."""
    if not _WHO.search(question) or not _WHICH.search(question):
        return None
    made = next((m for m in map(mixture, code.nodes) if m is not None), None)
    if made is None:
        return None
    told = _MEANS.format(mixed=made.mixed, plain=made.plain)
    wrong = [f for f in code.findings if f.code == "KE240"]
    if wrong:
        line = wrong[0].span.line
        return Text(
            f"{told.en[0].upper()}{told.en[1:]} Line {line} gives it `{made.plain}`.",
            f"应输入{told.zh}第 {line} 行给的却是 `{made.plain}`。",
        )
    if not _both_see(code, made):
        return None
    return Text(
        f"{told.en[0].upper()}{told.en[1:]} So it is in this code.",
        f"应输入{told.zh}代码里正是这样写的。",
    )


def _both_see(code: Code, made: Mixture) -> bool:
    return len({ast.unparse(c.func) for c in called_on(code.tree, made.mixed)}) > 1
