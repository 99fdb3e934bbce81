"""Cosines of two representations as a loss, and models that are run one behind the other."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.engine.names import dotted, is_model
from didact.check.explain.formula.tree import Node
from didact.check.explain.idioms._match import is_call, number
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_FORMS = {
    "byol": Text(
        "2 − 2·cos({a}, {b}), the squared distance of the two as unit vectors (BYOL){mean}",
        "2 − 2·cos({a}, {b})，即两者化为单位向量后的平方距离（BYOL）{mean}",
    ),
    "distance": Text(
        "1 − cos({a}, {b}), 0 where the two point in the same direction{mean}",
        "1 − cos({a}, {b})，方向相同时为 0{mean}",
    ),
    "negative": Text(
        "−cos({a}, {b}): the smaller, the more the two point in the same direction{mean}",
        "−cos({a}, {b})：越小，两者方向越一致{mean}",
    ),
}
_MEAN = Text("; averaged", "；再取平均")
_CHAIN = Text("what {models} give of {x}, one after the other", "{x} 依次经过 {models} 得到的输出")
_LAYER = re.compile(r"(^|[._])(proj|pred|head|enc|backbone|neck|adapter)", re.IGNORECASE)


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """A cosine in front of which a sign or a number stands; a chain of models."""
    part = scene.part(node)
    if isinstance(node, ast.Call) and (chain := _chain(node)) is not None:
        return chain
    if part is None:
        return None
    averaged = is_call(part, "mean") and len(part.children) == 1
    if averaged:
        part = part.children[0]
    found = _cosine(part)
    if found is None:
        return None
    form, cosine = found
    if is_call(cosine, "mean") and len(cosine.children) == 1:
        averaged, cosine = True, cosine.children[0]
    if not is_call(cosine, "cosine_similarity") or len(cosine.args) < 2:
        return None
    a, b = (scene.name(arg, node) for arg in cosine.args[:2])
    if "…" in {a, b}:
        return None
    return _FORMS[form].format(a=a, b=b, mean=_MEAN if averaged else Text("", ""))


def _cosine(part: Node) -> tuple[str, Node] | None:
    """Which form, and the part that is the cosine."""
    if is_call(part, "neg"):
        return "negative", part.args[0]
    if not is_call(part, "sub"):
        return None
    first, second = part.args[:2]
    if number(first) == 1:
        return "distance", second
    if number(first) == 2 and is_call(second, "mul"):
        for one, other in (second.args[:2], second.args[1::-1]):
            if number(one) == 2:
                return "byol", other
    return None


def _chain(call: ast.Call) -> Text | None:
    """``head(encoder(x))``."""
    names: list[str] = []
    inner: ast.expr = call
    while isinstance(inner, ast.Call) and len(inner.args) == 1 and not inner.keywords:
        name = dotted(inner.func)
        if not name or not (is_model(name) or _LAYER.search(name)):
            return None
        names.append(f"`{name}`")
        inner = inner.args[0]
    if len(names) < 2 or not isinstance(inner, ast.Name | ast.Attribute | ast.Subscript):
        return None
    names.reverse()
    english = ", ".join(names[:-1]) + f" and {names[-1]}"
    return _CHAIN.format(models=Text(english, "、".join(names)), x=code_of(inner))
