"""Losses of the library that compare two things, with what they compute."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.formula.tree import Given, Node
from didact.check.explain.idioms._built import Called, called, snake
from didact.check.explain.idioms._match import constant, is_call, number
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_HUBER = Text(
    "the Huber loss (smooth L1: squared up to a difference of {beta}, linear beyond) of {a} and "
    "{b}{reduced}",
    "{a} 与 {b} 的 Huber 损失（smooth L1：差小于 {beta} 时取平方，更大时线性）{reduced}",
)
_ABSOLUTE = Text(
    "the absolute differences of {a} and {b}{reduced}", "{a} 与 {b} 之差的绝对值{reduced}"
)
_RANKING_ONES = Text(
    "max(0, {margin} − ({a} − {b})): {a} must exceed {b} by {margin}{reduced}",
    "max(0, {margin} − ({a} − {b}))：要求 {a} 比 {b} 至少大 {margin}{reduced}",
)
_RANKING = Text(
    "max(0, {margin} − y·({a} − {b})) with y = {y}: for y = 1 {a} must be the larger one{reduced}",
    "max(0, {margin} − y·({a} − {b}))，y = {y}：y = 1 表示 {a} 应更大{reduced}",
)
_TRIPLET = Text(
    "max(0, d({a}, {b}) − d({a}, {c}) + {margin}): {b} must be nearer to {a} than {c} is, by "
    "{margin}{reduced}",
    "max(0, d({a}, {b}) − d({a}, {c}) + {margin})：要求 {b} 比 {c} 离 {a} 近至少 {margin}{reduced}",
)
_GAUSSIAN = Text(
    "the negative log-likelihood of {b} under a Gaussian with mean {a} and variance {c}, "
    "½·(log σ² + (x − μ)²/σ²){reduced}",
    "高斯负对数似然 ½·(log σ² + (x − μ)²/σ²)：均值 {a}，目标 {b}，方差 {c}{reduced}",
)
_COSINE = {
    1: Text(
        "1 − cos of the angle between {a} and {b}, sample by sample (target 1: they should point "
        "the same way){reduced}",
        "1 − cos({a}, {b})，逐样本（目标为 1：两者方向应一致）{reduced}",
    ),
    -1: Text(
        "max(0, cos{off}) of the angle between {a} and {b}, sample by sample (target −1: "
        "they are pushed apart){reduced}",
        "max(0, cos({a}, {b}){off})，逐样本（目标为 −1：把两者推开）{reduced}",
    ),
    0: Text(
        "for target 1 the 1 − cos of the angle between {a} and {b}, for target −1 max(0, "
        "cos{off}); the target is {y}{reduced}",
        "目标为 1 时取 1 − cos({a}, {b})，为 −1 时取 max(0, cos({a}, {b}){off})；"
        "目标是 {y}{reduced}",
    ),
}
_REDUCED = {
    "mean": Text("; averaged over {all}", "；对{all}取平均"),
    "sum": Text("; summed over {all}", "；对{all}求和"),
    "none": Text("; not reduced", "；不做归约"),
    "batchmean": Text("; summed, then divided by the batch", "；求和后除以批大小"),
}
_ELEMENTS, _SAMPLES = Text("all elements", "所有元素"), Text("the samples", "样本")

_CRITERIA = {
    "cosine_embedding_loss": Text(
        "a cosine criterion: for target 1 it gives 1 − cos(x1, x2), for target −1 max(0, cos − "
        "margin)",
        "余弦损失：目标为 1 时是 1 − cos(x1, x2)，为 −1 时是 max(0, cos − margin)",
    ),
    "smooth_l1_loss": Text(
        "a smooth L1 (Huber) criterion: squared for small differences, linear for large ones",
        "smooth L1（Huber）损失：差较小时取平方，较大时线性",
    ),
    "l1_loss": Text("a criterion of absolute differences", "绝对值误差（L1）损失"),
    "margin_ranking_loss": Text(
        "a ranking criterion: max(0, margin − y·(x1 − x2))",
        "排序损失：max(0, margin − y·(x1 − x2))",
    ),
    "triplet_margin_loss": Text(
        "a triplet criterion: max(0, d(anchor, positive) − d(anchor, negative) + margin)",
        "三元组损失：max(0, d(锚点, 正例) − d(锚点, 负例) + margin)",
    ),
    "kldivergence": Text(
        "Keras' KL criterion: called as criterion(y_true, y_pred) it gives KL(y_true ‖ y_pred); "
        "both must be probabilities, the target first",
        "Keras 的 KL 损失：按 criterion(y_true, y_pred) 调用得到 KL(y_true ‖ y_pred)；"
        "两者都应是概率，目标在前",
    ),
    "sparse_categorical_crossentropy": Text(
        "Keras' cross-entropy with integer labels, called as criterion(y_true, y_pred); y_pred "
        "is {what}",
        "Keras 的交叉熵（整数标签），按 criterion(y_true, y_pred) 调用；y_pred 应为{what}",
    ),
    "categorical_crossentropy": Text(
        "Keras' cross-entropy with one-hot or soft targets, called as criterion(y_true, y_pred); "
        "y_pred is {what}",
        "Keras 的交叉熵（one-hot 或软标签），按 criterion(y_true, y_pred) 调用；y_pred 应为{what}",
    ),
}
_LOGITS = Text("logits (from_logits=True)", " logits（from_logits=True）")
_PROBABILITIES = Text("probabilities (from_logits is not set)", "概率（未设 from_logits）")


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """One of these losses, or the object that computes it."""
    call = called(scene.judged.tracer.tree, node)
    if call is not None and len(call.args) + len(call.keywords) > 1:
        return _loss(scene, call)
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Call):
        return _criterion(scene, node)
    return None


def _criterion(scene: Scene, node: ast.Call) -> Text | None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    words = _CRITERIA.get(snake(name)) if name[:1].isupper() else None
    if words is None or (node.args and "margin" not in words.en):
        return None
    del scene
    logits = next((k.value for k in node.keywords if k.arg == "from_logits"), None)
    is_logits = isinstance(logits, ast.Constant) and logits.value is True
    return words.format(what=_LOGITS if is_logits else _PROBABILITIES)


def _loss(scene: Scene, call: Called) -> Text | None:
    a, b = call.at(0, "input", "input1", "anchor"), call.at(1, "target", "input2", "positive")
    if a is None or b is None:
        return None
    names = {"a": code_of(a), "b": code_of(b)}
    margin = f"`{call.text('margin', '1.0' if call.name == 'triplet_margin_loss' else '0')}`"
    third = call.at(2, "target", "negative", "var")
    if call.name in {"smooth_l1_loss", "huber_loss"}:
        beta = call.text("beta" if call.name == "smooth_l1_loss" else "delta", "1")
        return _HUBER.format(beta=f"`{beta}`", reduced=_how(call, _ELEMENTS), **names)
    if call.name == "l1_loss":
        return _ABSOLUTE.format(reduced=_how(call, _ELEMENTS), **names)
    if third is None:
        return None
    shown = {**names, "c": code_of(third), "y": code_of(third), "margin": margin}
    reduced = _how(call, _SAMPLES)
    if call.name == "triplet_margin_loss":
        return _TRIPLET.format(reduced=reduced, **shown)
    if call.name == "gaussian_nll_loss":
        return _GAUSSIAN.format(reduced=_how(call, _ELEMENTS), **shown)
    sign = sign_of(scene.part(third))
    shown["off"] = "" if call.text("margin", "0") in {"0", "0.0"} else f" − {margin}"
    if call.name == "margin_ranking_loss":
        words = _RANKING_ONES if sign == 1 else _RANKING
        return words.format(reduced=_how(call, _ELEMENTS), **shown)
    if call.name == "cosine_embedding_loss":
        return _COSINE[sign].format(reduced=reduced, **shown)
    return None


def _how(call: Called, everything: Text) -> Text:
    how = call.keywords.get("reduction")
    name = how.value if isinstance(how, ast.Constant) else "mean" if how is None else ""
    words = _REDUCED.get(str(name), Text("", ""))
    return words.format(all=everything)


def sign_of(node: Node | None) -> int:
    """1 or −1 where a tensor holds that alone, else 0."""
    if node is None:
        return 0
    if is_call(node, "detach", "floating", "identity", "expand_as", "unsqueeze"):
        return sign_of(node.args[0])
    if is_call(node, "neg"):
        return -sign_of(node.args[0])
    if is_call(node, "ones", "ones_like"):
        return 1
    if is_call(node, "mul"):
        for one, other in (node.args, node.args[::-1]):
            if number(one) in {1, -1}:
                return int(number(one) or 0) * sign_of(other)
    if is_call(node, "full_like") and number(node.args[1]) in {1, -1}:
        return int(number(node.args[1]) or 0)
    if isinstance(node, Given):
        last = constant(node.inputs[-1]) if node.inputs else None
        filled = (".fill_(" in node.text or node.text.startswith("torch.full(")) and last in {1, -1}
        if filled and isinstance(last, int | float):
            return int(last)
        if ".new_ones(" in node.text:
            return 1
    if is_call(node, "tensor"):
        inner = node.args[0]
        values = {number(i) for i in getattr(inner, "items", ())} or {number(inner)}
        return int(values.pop() or 0) if values in ({1}, {-1}) else 0
    return 0
