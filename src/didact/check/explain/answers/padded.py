"""Whether padded or ignored positions take part, and by which line they do not."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shown
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of

PLACE = 15
ASKS = either(r"\bpad|mask|-100|ignor", r"\bpad|填充|掩码|-100|mask|位置")
_TAKES = either(
    r"count|take part|handled|includ|contribut|ignor|exclud|left out|remov|drop|skip"
    r"|mask(ed)?\b.*(out|right|ok|correct)|need to mask|should i mask|necess|need(ed)?\b|required",
    r"必须|必要|参与|会算|算吗|算进|计入|忽略|去掉|排除|要不要|算不算|影响|管用|生效",
)
_SHOULD = either(
    r"should|need|necess|required|have to|must|remov|mask out",
    r"必须|必要|要不要|需要|要去掉|去掉吗|该不该",
)
_NOT = Text(
    "They do not take part: `{mask}` (line {at}) is 0 where {where}, and it stands both in the "
    "sum and in what it is divided by (line {line}).",
    "不参与：`{mask}`（第 {at} 行）在 {where} 处为 0，第 {line} 行的分子和分母都不计这些位置。",
)
_OUT = Text(
    "They should be left out, and they are: `{mask}` (line {at}) is 0 where {where}, and it "
    "stands both in the sum and in what it is divided by (line {line}).",
    "要，代码已经去掉了：`{mask}`（第 {at} 行）在 {where} 处为 0，第 {line} 行的分子和分母都不计"
    "这些位置。",
)
_SELECTED = Text(
    "They do not take part: `{code}` (line {line}) keeps the positions of `{mask}` alone, which "
    "leaves out where {where} (line {at}).",
    "不参与：`{code}`（第 {line} 行）只取 `{mask}` 为真的位置，{where} 处（第 {at} 行）都被排除。",
)
_SELECTED_OUT = Text(
    "Yes, they have to be left out, and they are: `{code}` (line {line}) keeps the positions of "
    "`{mask}` alone, which leaves out where {where} (line {at}). Otherwise the student would be "
    "made to copy what the teacher computes for padding.",
    "要，代码已经去掉了：`{code}`（第 {line} 行）只取 `{mask}` 为真的位置，{where} 处（第 {at} 行）"
    "都被排除。否则学生还要去模仿教师在填充位置上的输出。",
)
_BOTH = re.compile(
    r"(why|为什么|为何|need|还要).*(attention.?mask.*(-100|labels)|(-100|labels).*attention.?mask)",
    re.IGNORECASE,
)
_NOT_THE_SAME = Text(
    "attention_mask only keeps the tokens from attending to padding; logits come out at the padded "
    "positions all the same and would count in the loss. The label -100 takes positions out of the "
    "loss: padding, and whatever else is labelled so (in instruction tuning the prompt).",
    "attention_mask 只是让其他词元不去注意填充；填充位置上照样会算出 logits，不处理就会进入损失。"
    "标签 -100 才把位置从损失中去掉：填充，以及其他标为 -100 的位置（指令微调时是提示词部分）。",
)
_OWN_LOSS = Text(
    " The model's own loss (`{code}`) ignores −100 as well.",
    "模型自己的损失 `{code}` 也会忽略 −100。",
)
_OF_TOKENS = re.compile(r"(attention|attn|token|input)_?mask|attn", re.IGNORECASE)
_BAD = {"MASK-UNSHIFTED", "MASKED-MEAN", "PAD-UNMASKED", "REDUCE-KWARG", "PAD-IN-SOFT"}


def answer(question: str, code: Code) -> Text | None:
    """By the mask that the sum is multiplied with and divided by, or that selects."""
    if not _TAKES.search(question) or re.search(r"\bshift|移位|错位|错开", question):
        return None
    if _BOTH.search(question) and "-100" in code.text and "attention_mask=" in code.text:
        return _NOT_THE_SAME
    if code.kinds & _BAD or any(
        "mask" in f.message.en.lower() or "padding" in f.message.en.lower() for f in code.serious
    ):
        return None
    masks = masks_of(code)
    told = _divided(question, code, masks) or _selected(question, code, masks)
    if told is None:
        return None
    own = next((t for t in code.terms if re.fullmatch(r"\w+\.loss", code.written(t.body))), None)
    if own is None or "-100" not in question + code.text:
        return told
    more = _OWN_LOSS.format(code=code.written(own.body))
    return Text(told.en + more.en, told.zh + more.zh)


def masks_of(code: Code) -> dict[str, tuple[int, str]]:
    """The masks that are made by a comparison: the line, and where they are 0."""
    found: dict[str, tuple[int, str]] = {}
    for node in code.nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        for inner in nodes_of(node.value):
            if isinstance(inner, ast.Compare) and isinstance(inner.ops[0], ast.NotEq):
                where = f"{ast.unparse(inner.left)} == {ast.unparse(inner.comparators[0])}"
                if not any(isinstance(n, ast.Call) for n in nodes_of(inner)):
                    found.setdefault(node.targets[0].id, (node.lineno, f"`{where}`"))
            elif isinstance(inner, ast.Call) and last_name(inner.func) == "ne" and inner.args:
                owner = ast.unparse(getattr(inner.func, "value", inner.func))
                where = f"`{owner} == {ast.unparse(inner.args[0])}`"
                found.setdefault(node.targets[0].id, (node.lineno, where))
            elif isinstance(inner, ast.Name) and _OF_TOKENS.fullmatch(inner.id):
                where = f"{inner.id} == 0"
                if node.targets[0].id != inner.id:
                    found.setdefault(node.targets[0].id, (node.lineno, f"`{where}`"))
            elif isinstance(inner, ast.Compare) and ast.unparse(inner).endswith(" > -1"):
                where = f"{ast.unparse(inner.left)} ≤ −1"
                found.setdefault(node.targets[0].id, (node.lineno, f"`{where}`"))
    return found


def _divided(question: str, code: Code, masks: dict[str, tuple[int, str]]) -> Text | None:
    for node in code.nodes:
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
            continue
        upper, below = ast.unparse(node.left), ast.unparse(node.right)
        for mask, (at, where) in masks.items():
            multiplied = re.search(rf"\* {mask}\b|\b{mask} \*", upper)
            counted = re.search(rf"\b{mask}\.sum\(\)", below)
            if multiplied and counted and ".sum()" in upper:
                form = _OUT if _SHOULD.search(question) else _NOT
                return form.format(mask=mask, at=at, where=where, line=node.lineno)
    return None


def _selected(question: str, code: Code, masks: dict[str, tuple[int, str]]) -> Text | None:
    for node in code.nodes:
        key = node.slice if isinstance(node, ast.Subscript) else None
        if isinstance(node, ast.Call) and last_name(node.func) == "masked_select":
            key = node.args[-1] if node.args else None
        if isinstance(node, ast.Subscript | ast.Call) and isinstance(key, ast.Name):
            name = key.id
            if name in masks:
                at, where = masks[name]
                form = _SELECTED_OUT if _SHOULD.search(question) else _SELECTED
                return form.format(
                    code=shown(node), line=node.lineno, mask=name, where=where, at=at
                )
    return None
