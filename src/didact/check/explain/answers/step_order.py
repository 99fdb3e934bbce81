"""Whether zero_grad, backward and step stand in a right order."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 15
ASKS = either(
    r"zero_grad|\border\b.*(step|backward)|(step|backward).*\border\b",
    r"zero_grad|梯度清零|清零|(backward|step).{0,8}顺序",
)
_ASKS = either(
    r"ok\b|okay|right|correct|order|before|after|where|place|matter|wrong|fine|should",
    r"顺序|位置|之前|之后|前面|后面|放在|对吗|可以|有影响|有问题|写反|先",
)
_FIRST = Text(
    "Yes: zero_grad (line {zero}) → backward (line {back}) → step (line {step}): each backward "
    "starts from cleared gradients, and the step uses them.",
    "对：zero_grad（第 {zero} 行）→ backward（第 {back} 行）→ step（第 {step} 行）：每次 "
    "backward 都从清零的梯度开始，step 用的正是它。",
)
_LAST = Text(
    "Yes, that is the same: zero_grad (line {zero}) comes after the step (line {step}), so the "
    "next backward (line {back}) starts from cleared gradients. What must not be is to clear "
    "between backward and step.",
    "可以，效果一样：zero_grad（第 {zero} 行）在 step（第 {step} 行）之后，下一次 backward（第 "
    "{back} 行）仍从清零的梯度开始。不能放的位置是 backward 与 step 之间。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where one of each is called in one block."""
    if not _ASKS.search(question) or re.search(r"accumul|累积", question):
        return None
    if any(re.search(r"zero_grad|梯度", f.message.en + f.message.zh) for f in code.serious):
        return None
    found = [code.calls("zero_grad"), code.calls("backward"), _steps(code)]
    if any(len(calls) != 1 for calls in found):
        return None
    zero, back, step = (calls[0] for calls in found)
    values = {"zero": zero.lineno, "back": back.lineno, "step": step.lineno}
    order = [(c.lineno, c.col_offset) for c in (zero, back, step)]
    if order[0] < order[1] < order[2]:
        return _FIRST.format(**values)
    if order[1] < order[2] < order[0]:
        return _LAST.format(**values)
    return None


def _steps(code: Code) -> list[ast.Call]:
    """The steps of optimisers, those of schedules left out."""
    return [c for c in code.calls("step") if not re.search(r"sched", ast.unparse(c.func))]
