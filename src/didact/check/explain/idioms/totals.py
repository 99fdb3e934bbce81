"""A sum of losses: its terms with their weights, each by what it is."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.formula.tree import Call, Node
from didact.check.explain.idioms._match import is_call, is_same, square_of
from didact.check.explain.idioms._peel import peel
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.idioms.divergences import is_log_of
from didact.check.explain.losscalls import code_of, factor_of
from didact.check.explain.sums import addends, factors, looks_like_loss, t2_note

_TOTAL = Text("a sum of terms: {terms}{weights}", "各项之和：{terms}{weights}")
_TO_ONE = Text("; the weights add up to 1", "；两个权重之和为 1")
_NAMED = Text("{name} ({what})", "{name}（{what}）")
_KINDS = {
    "kl_div": Text("the KL term", "KL 项"),
    "cross_entropy": Text("the cross-entropy", "交叉熵"),
    "nll_loss": Text("the cross-entropy", "交叉熵"),
    "mse_loss": Text("the squared differences", "平方差"),
    "smooth_l1_loss": Text("the Huber loss", "Huber 损失"),
    "l1_loss": Text("the absolute differences", "绝对值差"),
    "huber_loss": Text("the Huber loss", "Huber 损失"),
    "cosine_embedding_loss": Text("the cosine loss", "余弦损失"),
    "binary_cross_entropy": Text("the binary cross-entropy", "二元交叉熵"),
    "binary_cross_entropy_with_logits": Text("the binary cross-entropy", "二元交叉熵"),
}
_SOFT = Text("the soft cross-entropy", "软标签交叉熵")


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """``(1 - a) * ce + a * kd`` with what ``ce`` and ``kd`` are."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub):
        return None
    english, chinese, weights = [], [], []
    told = 0
    for number, (sign, term) in enumerate(addends(node)):
        parts = factors(term)
        names = [p for p in parts if isinstance(p, ast.Name | ast.Attribute)]
        bodies = [
            p for p in names if looks_like_loss(p) or kind_of(scene, scene.part(p)) is not None
        ]
        if len(bodies) != 1:
            return None
        body = bodies[0]
        weight = [p for p in parts if p is not body]
        weights.append(weight[0] if len(weight) == 1 else None)
        what = kind_of(scene, scene.part(body))
        told += what is not None
        name = Text(code_of(body), code_of(body))
        said = name if what is None else _NAMED.format(name=name, what=what)
        before = "·".join(map(factor_of, weight))
        minus = "− " if sign == "-" else "+ " if number else ""
        note = t2_note(weight)
        english.append(f"{minus}{before + ' × ' if before else ''}{said.en}{note.en}")
        chinese.append(f"{minus}{before + ' × ' if before else ''}{said.zh}{note.zh}")
    if len(english) < 2 or not told:
        return None
    one = len(weights) == 2 and _are_shares(weights[0], weights[1])
    return _TOTAL.format(
        terms=Text(" ".join(english), " ".join(chinese)),
        weights=_TO_ONE if one else Text("", ""),
    )


def _are_shares(one: ast.expr | None, other: ast.expr | None) -> bool:
    for v, w in ((one, other), (other, one)):
        if v is None or w is None:
            return False
        if isinstance(w, ast.BinOp) and isinstance(w.op, ast.Sub):
            whole = ast.unparse(w.left) in {"1", "1.0"}
            if whole and ast.unparse(w.right) == ast.unparse(v):
                return True
    numbers = [getattr(n, "value", None) for n in (one, other)]
    return all(isinstance(n, float) for n in numbers) and abs(sum(numbers) - 1) < 1e-9  # type: ignore[arg-type]


def kind_of(scene: Scene, part: Node | None) -> Text | None:
    """What a term is, in two words, where its heart is known."""
    if part is None:
        return None
    core = peel(scene, part).core
    if is_call(core, "put", "add"):
        return None
    if isinstance(core, Call) and core.name in _KINDS:
        return _KINDS[core.name]
    squared = square_of(core)
    if squared is not None and is_call(squared, "sub"):
        return _KINDS["mse_loss"]
    if not is_call(core, "mul"):
        return None
    for p, other in (core.args, core.args[::-1]):
        if is_call(other, "sub") and any(is_log_of(side, p) for side in other.args):
            return _KINDS["kl_div"]
        if is_call(other, "log_softmax", "log") and not is_same(p, other):
            return None if is_log_of(other, p) else _SOFT
    return None
