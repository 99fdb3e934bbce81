"""Why a loss is divided by the number of batches whose gradients are added up, or whether to."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.mistakes.undivided_accumulation import is_divided

PLACE = 13
ASKS = either(r"accum|divid|\bmultipl", r"累积|累加|accum|除以|除")
_STEPS = re.compile(r"% (?P<n>[\w.]+|len\(\w+\)) (==|!=) 0")
_DIVIDED = Text(
    "backward() adds the gradients of `{n}` batches up before one `step()`. With the loss divided "
    "by `{n}` their sum is the mean over these batches, as of one batch that is `{n}` times as "
    "large. Without it the gradient is `{n}` times as large.",
    "backward() 会把 `{n}` 个批次的梯度累加起来，然后才 step() 一次。损失先除以 `{n}`，"
    "累加出来的就是这些批次的平均梯度，等价于一个大 `{n}` 倍的批次；不除的话，梯度会大 `{n}` 倍。",
)
_YES_DIVIDED = Text("Yes, and it is there: ", "要除，代码里已经除了：")
_WHY = either(r"\bwhy\b|what.*\bfor\b", r"为什么|为何|干嘛|作用|干什么")
_WHETHER = either(
    r"should|need|have to|must|right|correct|\bok\b",
    r"要不要|需要|对吗|对不对|该不该|可以吗|行吗|能行",
)
_NOT = Text(
    "It should be, if the step is to be that of one larger batch: backward() adds up the gradients "
    "of `{n}` batches and nothing divides by `{n}`, so the gradient is `{n}` times as large. Write "
    "`({loss} / {n}).backward()`.",
    "想等价于一个大批次就应当除：backward() 把 `{n}` 个批次的梯度累加起来，代码里没有除以 `{n}`，"
    "梯度就大了 `{n}` 倍。应写 `({loss} / {n}).backward()`。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a step is taken every so many batches."""
    steps = {m["n"] for m in _STEPS.finditer(code.text)}
    backward = re.findall(r"(\w+)\.backward\(\)", code.text)
    if len(steps) != 1 or not code.is_torch:
        return None
    (n,) = steps
    shown = re.search(r"accum|累积|累加", question, re.IGNORECASE) or n in question
    if not shown or re.search(r"zero_grad|清零|scheduler|\bclip", question):
        return None
    if is_divided(code.text, n):
        said = _DIVIDED.format(n=n)
        if _WHY.search(question):
            return said
        if not _WHETHER.search(question) or not re.search(r"divid|除", question):
            return None
        return Text(_YES_DIVIDED.en + said.en, _YES_DIVIDED.zh + said.zh)
    if (
        len(set(backward)) == 1
        and _WHETHER.search(question)
        and not re.search(r"reduction='sum'|/ (\d+|\w*(accum|num_items)\w*)", code.text)
    ):
        return _NOT.format(n=n, loss=backward[0])
    return None
