"""What a call of a loss computes, with the spaces and the roles of its arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.spaces import Role, Space
from didact.check.engine.values import Value
from didact.check.explain.formula.tree import Call, Constant, Node

Owner = Callable[[ast.expr | None], Role | str]
"""Whose an expression is: a side, or of several students the model by its name."""
_REDUCTIONS = {
    "mean": Text("averaged over all elements", "对所有元素取平均"),
    "sum": Text("summed over all elements", "对所有元素求和"),
    "batchmean": Text(
        "summed, then divided by the size of dim 0 (batchmean)",
        "求和后除以第 0 维的大小（batchmean）",
    ),
    "none": Text("element by element, not reduced", "逐元素保留，不做归约"),
}
_KL = Text(
    "KL(P ‖ Q) = Σ P·(log P − log Q), with P = {target} and log Q = {input}; {reduction}",
    "KL(P ‖ Q) = Σ P·(log P − log Q)，其中 P 为 {target}，log Q 为 {input}；{reduction}",
)
_KL_LOG_TARGET = Text(
    "KL(P ‖ Q) = Σ P·(log P − log Q), with log P = {target} (log_target=True) and log Q = {input}; "
    "{reduction}",
    "KL(P ‖ Q) = Σ P·(log P − log Q)，其中 log P 为 {target}（log_target=True），"
    "log Q 为 {input}；{reduction}",
)
_KL_MEANT = Text(
    "kl_div, meant as KL(P ‖ Q): it takes its first argument, {input}, for log Q and its second, "
    "{target}, for {p}; {reduction}",
    "kl_div，本意是 KL(P ‖ Q)：它把第一个参数 {input} 当作 log Q，"
    "把第二个参数 {target} 当作 {p}；{reduction}",
)
_KL_OF_PARTS = Text(
    "kl_div in the form KL(P ‖ Q) = Σ P·(log P − log Q), with P from {target} and log Q from "
    "{input}; they do not both sum to 1, so it is no KL; {reduction}",
    "形如 KL(P ‖ Q) = Σ P·(log P − log Q) 的 kl_div，P 取自 {target}，log Q 取自 {input}；"
    "两者并非都归一化，所以不是真正的 KL；{reduction}",
)
_CE_HARD = Text(
    "the cross-entropy of {input} with the labels {target} (log_softmax is inside); {reduction}",
    "{input} 对标签 {target} 的交叉熵（内部自带 log_softmax）；{reduction}",
)
_CE_SOFT = Text(
    "the cross-entropy −Σ {target}·log softmax({input}) with soft targets; {reduction}",
    "对软标签的交叉熵 −Σ {target}·log softmax({input})；{reduction}",
)
_OTHERS = {
    "nll": Text(
        "the negative log-likelihood −{input}[ℓ], ℓ = {target}; it expects log-probabilities and "
        "takes no log itself; {reduction}",
        "负对数似然 −{input}[ℓ]，ℓ = {target}；要求输入对数概率，内部不取对数；{reduction}",
    ),
    "bce": Text(
        "the binary cross-entropy −t·log p − (1−t)·log(1−p), class by class, of p = {input} and t "
        "= {target}; {reduction}",
        "逐类的二元交叉熵 −t·log p − (1−t)·log(1−p)，p = {input}，t = {target}；{reduction}",
    ),
    "bce_logits": Text(
        "the binary cross-entropy of sigmoid({input}) against {target}, class by class; sigmoid "
        "is inside; {reduction}",
        "逐类的二元交叉熵：sigmoid({input}) 对 {target}；内部自带 sigmoid；{reduction}",
    ),
    "mse": Text(
        "the squared differences of {input} and {target}, {reduction}",
        "{input} 与 {target} 的平方差，{reduction}",
    ),
    "cosine": Text(
        "1 − cos of the angle between {input} and {target}; {reduction}",
        "1 − {input} 与 {target} 的余弦；{reduction}",
    ),
}


WRITTEN_OUT = frozenset({"kl_by_hand", "soft_cross_entropy"})
"""Kinds of losses that no call is for."""


def loss_phrase(
    use: LossUse,
    owner: Owner,
    part: Node | None = None,
    *,
    whole: bool = True,
    reduced: Text | None = None,
) -> Text | None:
    """A noun phrase for what the loss computes, or None for kinds that have no words here.

    ``part`` is the loss in the formula, with the settings of the object that computes it;
    ``whole`` is False where one of the two sides of a KL does not sum to 1; ``reduced`` says
    how the code around reduces it.
    """
    reduction = reduced if reduced is not None else reduction_text(use, part)
    template = _template(use)
    if template is None:
        return None
    if use.kind == "kl_div":
        log_probs, probs = {Space.LOG_PROBS}, {Space.PROBS, Space.ONE_HOT}
        wanted = log_probs if use.log_target else probs
        target = _argument(use.target_node, use.target, wanted, owner)
        prediction: object = _argument(use.input_node, use.input, log_probs, owner)
        if _is_wrong(use.target, wanted) or _is_wrong(use.input, log_probs):
            p = "log P" if use.log_target else "P"
            return _KL_MEANT.format(input=prediction, target=target, p=p, reduction=reduction)
        if not whole:
            template = _KL_OF_PARTS
    else:
        node = use.input_node
        prediction, target = code_of(node), Text(*[code_of(use.target_node)] * 2)
    words = template.format(input=prediction, target=target, reduction=reduction)
    smoothing = part.keyword("label_smoothing") if isinstance(part, Call) else None
    if use.kind == "cross_entropy" and isinstance(smoothing, Constant) and smoothing.value:
        return _SMOOTHED.format(what=words, e=f"{smoothing.value}")
    return words


def _argument(node: ast.expr | None, value: Value, wanted: set[Space], owner: Owner) -> Text:
    """An argument with what it really holds, and whether that is what belongs there."""
    told = value.temperature
    if told is not None and node is not None and told.text in ast.unparse(node):
        value = value.replace(temperature=None)  # the code shows it
    known = facts(value, owner(node), brief=True)
    if known is None:
        return Text(code_of(node), code_of(node))
    log = Space.LOG_PROBS in wanted
    note = (_NOT_LOGS if log else _NOT_PROBS) if _is_wrong(value, wanted) else Text("", "")
    return Text(f"{code_of(node)} ({known.en}{note.en})", f"{code_of(node)}（{known.zh}{note.zh}）")


def _is_wrong(value: Value, wanted: set[Space]) -> bool:
    return value.space not in wanted | {Space.UNKNOWN, Space.OUTPUT}


_NOT_LOGS = Text("; wrong here: log-probabilities are expected", "；不对，这里应为对数概率")
_NOT_PROBS = Text("; wrong here: probabilities are expected", "；不对，这里应为概率")


def _template(use: LossUse) -> Text | None:
    if use.kind == "kl_div":
        return _KL_LOG_TARGET if use.log_target else _KL
    if use.kind == "cross_entropy":
        soft = use.target.space in {Space.PROBS, Space.LOG_PROBS, Space.SIGMOID_PROBS, Space.LOGITS}
        soft = soft or (use.target.space is Space.OUTPUT and use.target.role is Role.TEACHER)
        return _CE_SOFT if soft else _CE_HARD
    return _OTHERS.get(use.kind)


_SMOOTHED = Text(
    "{what}; with label smoothing: {e} of the target is spread evenly over all classes",
    "{what}；带标签平滑：目标中有 {e} 均匀分给所有类",
)


def reduction_text(use: LossUse, part: Node | None = None) -> Text:
    """How the loss becomes one number."""
    reduction = use.reduction or "mean"
    ignored = part.keyword("ignore_index") if isinstance(part, Call) else None
    if use.kind in {"cross_entropy", "nll"} and reduction == "mean" and ignored is not None:
        mark = getattr(ignored, "value", None) or getattr(ignored, "text", None)
        if mark is not None:
            return Text(
                f"averaged over the positions whose label is not `{mark}`",
                f"对标签不是 `{mark}` 的位置取平均",
            )
    if use.kind == "cosine" and reduction == "mean":
        return Text("averaged over the samples", "对样本取平均")
    if use.kind == "kl_div" and reduction == "mean" and (use.input.rank or 2) > 2:
        return Text(
            "averaged over all elements, so divided by the size of every dimension, not by the "
            "batch alone",
            "对所有元素取平均，即除以了每一维的大小，而不只是批大小",
        )
    if use.kind == "kl_div" and reduction == "mean":
        return Text(
            "averaged over all elements, so divided by the number of classes as well",
            "对所有元素取平均，即还除以了类别数",
        )
    if use.kind in {"cross_entropy", "nll"} and reduction == "mean":
        return Text("averaged over the samples", "对样本取平均")
    return _REDUCTIONS.get(reduction, Text(f"reduction {reduction}", f"归约方式 {reduction}"))


def factor_of(node: ast.expr) -> str:
    """Source text in backticks as it stands in a product: a sum keeps its brackets."""
    loose = isinstance(node, ast.IfExp | ast.BoolOp | ast.Compare | ast.Lambda) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    )
    shown = code_of(node)
    return f"`({shown[1:-1]})`" if loose else shown


def code_of(node: ast.expr | None, limit: int = 160) -> str:
    """Source text in backticks."""
    if node is None:
        return "?"
    try:
        text = " ".join(ast.unparse(node).split())
    except (RecursionError, ValueError):
        text = "..."
    return f"`{text if len(text) <= limit else text[: limit - 1] + '…'}`"


def facts(value: Value | None, role: Role | str, *, brief: bool = False) -> Text | None:
    """Space, owner, temperature, axis, class slice and gradient of a tensor, where known.

    ``brief`` leaves the axis and the gradient out.
    """
    if (
        value is None
        or not value.is_tensor
        or value.space in {Space.LOSS, Space.LABELS, Space.MASK}
    ):
        return None
    space = _OUTPUT if value.space is Space.OUTPUT else value.space.text
    owner = _owned_by(role)
    if space.zh[0].isascii() and owner.zh:
        space = Text(space.en, " " + space.zh)
    owned = role is not Role.UNKNOWN and value.space is not Space.ONE_HOT
    parts = [_OWNED.format(owner=owner, space=space) if owned else space]
    soft = value.temperature
    if soft is not None and not soft.is_one and soft.const > 0:  # below 0 it is a sign
        parts.append(_TEMPERATURE.format(t=_in_backticks(soft.text)))
    if value.axis is not None and not brief:
        parts.append(_axis(value.axis))
    if value.class_slice and value.class_slice not in {":-1", "1:"}:  # a shift of time steps
        parts.append(Text(f"classes [{value.class_slice}]", f"类别切片 [{value.class_slice}]"))
    if value.grad in _GRADIENT and not brief:
        parts.append(_GRADIENT[value.grad])
    if len(parts) == 1 and role is Role.UNKNOWN and value.space is Space.OUTPUT:
        return None
    return Text(", ".join(p.en for p in parts), "，".join(p.zh for p in parts))


def _in_backticks(text: str) -> str:
    number = text.replace(".", "").isdigit()
    return text if number else f"`{text}`"


def _axis(axis: int) -> Text:
    batch = (
        Text(" (the batch of a [B, C] tensor)", "（对 [B, C] 张量即批维）")
        if axis == 0
        else Text("", "")
    )
    return Text(f"over dim {axis}{batch.en}", f"沿 dim={axis}{batch.zh}")


_OUTPUT = Text("output", "输出")
_OWNED = Text("{owner} {space}", "{owner}{space}")
_OWNERS = {
    Role.STUDENT: Text("the student's", "学生的"),
    Role.TEACHER: Text("the teacher's", "教师的"),
    Role.UNKNOWN: Text("", ""),
}


def _owned_by(role: Role | str) -> Text:
    return _OWNERS[role] if isinstance(role, Role) else Text(f"`{role}`'s", f"`{role}` 的")


_TEMPERATURE = Text("at temperature {t}", "温度 {t}")
_SOFTENED = {
    Space.PROBS: Text("probabilities, the softmax of {o}", "概率，由 {o} 做 softmax 得到"),
    Space.LOG_PROBS: Text(
        "log-probabilities, the log_softmax of {o}", "对数概率，由 {o} 做 log_softmax 得到"
    ),
}


def softened(
    node: ast.expr | None, argument: ast.expr, value: Value | None, role: Role | str
) -> Text | None:
    """What a softmax gives, with all that is known of it, said once."""
    wanted = _SOFTENED.get(value.space) if value is not None and value.is_tensor else None
    del node
    if wanted is None or value is None:
        return None
    first = wanted.format(o=code_of(argument))
    owner = _owned_by(role) if role is not Role.UNKNOWN else Text("the", "")
    parts = [Text(f"{owner.en} {first.en}", f"{owner.zh}{first.zh}")]
    if value.axis is not None:
        parts.append(_axis(value.axis))
    known = value.temperature
    told = known is None or known.is_one or known.const < 0
    if known is not None and not told and known.text not in ast.unparse(argument):
        parts.append(_TEMPERATURE.format(t=_in_backticks(known.text)))
    shifted = value.class_slice in {":-1", "1:"}  # a shift of time steps
    if value.class_slice and not shifted and value.class_slice not in ast.unparse(argument):
        parts.append(Text(f"classes [{value.class_slice}]", f"类别切片 [{value.class_slice}]"))
    if value.grad in _GRADIENT:
        parts.append(_GRADIENT[value.grad])
    return Text(", ".join(p.en for p in parts), "，".join(p.zh for p in parts))


def gradient_of(value: Value | None) -> Text | None:
    """Whether gradient flows back through a tensor, where it is known."""
    return _GRADIENT.get(value.grad) if value is not None and value.is_tensor else None


_GRADIENT = {
    "yes": Text("gradient flows back through it", "回传梯度"),
    "no": Text("no gradient flows back", "不回传梯度"),
}
