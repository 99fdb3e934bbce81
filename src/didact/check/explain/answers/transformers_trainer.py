"""Where ``outputs.loss`` comes from, and what ``compute_loss`` returns."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either

PLACE = 12
ASKS = either(
    r"\w+\.loss\b|return_outputs|tuple|num_items|teacher.*(updat|train|learn|chang)"
    r"|(updat|train).*teacher",
    r"\.loss|元组|return_outputs|返回|num_items|(teacher|教师|老师).*(更新|训练|改变|被改)",
)
_LOSS = Text(
    "`{code}` is the model's own loss: `inputs` holds `labels`, so the transformers model "
    "computes the cross-entropy with them itself (−100 is ignored).",
    "`{code}` 是模型自己算的损失：inputs 里带有 labels，transformers 的模型会直接算出对它的交叉熵"
    "（忽略 −100）。",
)
_ALONE = Text(
    "No: `{code}` is only the model's own cross-entropy with the labels; the distillation term "
    "is added to it in compute_loss.",
    "不包含：`{code}` 只是模型自己对标签的交叉熵，蒸馏项是在 compute_loss 里另外加上的。",
)
_TUPLE = Text(
    "Trainer calls compute_loss in two ways: in training it wants the loss alone, in evaluation "
    "(return_outputs=True) the pair (loss, outputs), to compute metrics from the logits.",
    "Trainer 以两种方式调用 compute_loss：训练时只要 loss；评估时（return_outputs=True）要 "
    "(loss, outputs) 这个元组，以便用 logits 计算指标。",
)

_SHIFTED = Text(
    "Yes, in a causal model: given `labels`, transformers' …ForCausalLM shifts them inside, so "
    "`{code}` needs no shift. What is computed by hand from the logits (the KL, a mask made of "
    "labels) has to be shifted by hand: logits[:, :-1] with labels[:, 1:].",
    "因果语言模型的话已经移位：传入 labels 时，transformers 的 …ForCausalLM 会在内部错位，"
    "`{code}` 不用再移。自己用 logits 算的部分（KL、由标签得到的掩码）要自己移："
    "logits[:, :-1] 对应 labels[:, 1:]。",
)
_UPDATED = re.compile(
    r"(teacher|教师|老师).*(updat|trained|train too|learn|chang|更新|被训练|一起训练|改变)"
    r"|(updat|train)\w* (the|my|also the) teacher",
    re.IGNORECASE,
)
_NOT_UPDATED = Text(
    "No: Trainer's optimiser holds the parameters of `self.model` alone, and `{teacher}` is no "
    "part of it.",
    "不会：Trainer 的优化器只含 `self.model` 的参数，`{teacher}` 不在其中。",
)
_GRAPH = Text(
    " But its forward pass is recorded, too: backward() fills the teacher's .grad, which costs "
    "time and memory for nothing. Put `{call}` into `with torch.no_grad():`.",
    "但它的前向也记录了计算图：backward() 会白白算出教师的 .grad，费时又占显存。应把 `{call}` 放进 "
    "`with torch.no_grad():`。",
)
_NO_GRAPH = Text(
    " It runs under no_grad, so no gradient is computed for it either.",
    "它的前向在 no_grad 下，连梯度也不会算。",
)


def _teacher(code: Code) -> Text | None:
    """Whether the teacher of a Trainer's compute_loss is trained."""
    call = next(
        (n for n in code.nodes if isinstance(n, ast.Call)
         and re.fullmatch(r"self\.\w*teacher\w*", ast.unparse(n.func))), None,
    )  # fmt: skip
    if call is None or re.search(r"optimi[sz]er|self\.model *=|ModuleList", code.text):
        return None
    told = _NOT_UPDATED.format(teacher=ast.unparse(call.func))
    if re.search(r"no_grad|inference_mode", code.text):
        return both(told, _NO_GRAPH)
    return both(told, _GRAPH.format(call=ast.unparse(call)))


def answer(question: str, code: Code) -> Text | None:
    """Where a Trainer's compute_loss is shown."""
    if "compute_loss" not in code.text:
        return None
    if _UPDATED.search(question):
        return _teacher(code)
    held = re.search(r"\b\w+\.loss\b", question)
    if held is not None and re.search(r"shift|移位|错位|错开", question, re.IGNORECASE):
        return _SHIFTED.format(code=held[0])
    if re.search(r"includ|contain|already|包含|已经|包括", question) and re.search(
        r"\bkl\b|\bkd\b|distil|teacher|蒸馏|教师", question, re.IGNORECASE
    ):
        held = re.search(r"\b\w+\.loss\b", question)
        return _ALONE.format(code=held[0]) if held is not None and held[0] in code.text else None
    own = re.search(r"\b\w+\.loss\b", question)
    if (
        own is not None
        and own[0] in code.text
        and re.search(r"where|what|from|哪|是什么|怎么来", question, re.IGNORECASE)
    ):
        return _LOSS.format(code=own[0])
    if re.search(r"tuple|元组|return_outputs|返回", question) and "return_outputs" in code.text:
        return _TUPLE
    return None
