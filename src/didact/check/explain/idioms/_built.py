"""Layers, criteria and other objects by the line that builds them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of


@lru_cache(maxsize=4)
def _built(tree: ast.Module) -> dict[str, ast.Call | None]:
    """The call that each name is assigned; None where there are several."""
    found: dict[str, ast.Call | None] = {}
    for node in nodes_of(tree):
        if not isinstance(node, ast.Assign):
            continue
        pairs: list[tuple[ast.expr, ast.expr]] = []
        for target in node.targets:
            both = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            if both and len(target.elts) == len(node.value.elts):  # type: ignore[attr-defined]
                pairs += zip(target.elts, node.value.elts, strict=True)  # type: ignore[attr-defined]
            else:
                pairs.append((target, node.value))
        for target, value in pairs:
            text = ast.unparse(target)
            made = _constructor(value)
            found[text] = made if text not in found or found[text] is made else None
    return found


def _constructor(node: ast.expr) -> ast.Call | None:
    while isinstance(node, ast.Call) and last_name(node.func) in {"cuda", "to", "eval", "train"}:
        if not isinstance(node.func, ast.Attribute):
            return None
        node = node.func.value
    name = last_name(node.func) if isinstance(node, ast.Call) else ""
    return node if isinstance(node, ast.Call) and name[:1].isupper() else None


def built_by(tree: ast.Module, node: ast.expr) -> ast.Call | None:
    """The constructor's call that a name or an attribute holds, or that stands right here."""
    if isinstance(node, ast.Call):
        return _constructor(node)
    return _built(tree).get(ast.unparse(node))


@dataclass(frozen=True, slots=True)
class Called:
    """A function of losses: by its own name, or by an object of its class."""

    name: str
    args: tuple[ast.expr, ...]
    keywords: dict[str, ast.expr]
    is_object: bool = False

    def text(self, name: str, usual: str) -> str:
        """A setting as it is written."""
        value = self.keywords.get(name)
        return ast.unparse(value) if value is not None else usual

    def at(self, place: int, *names: str) -> ast.expr | None:
        """An argument by place or by name."""
        if len(self.args) > place:
            return self.args[place]
        return next((self.keywords[n] for n in names if n in self.keywords), None)


_FIRST = {
    "margin_ranking_loss": ("margin",), "triplet_margin_loss": ("margin", "p"),
    "cosine_embedding_loss": ("margin",), "pairwise_distance": ("p",),
    "cosine_similarity": ("dim", "eps"), "hinge_embedding_loss": ("margin",),
}  # fmt: skip
"""The settings that constructors take by place."""


def called(tree: ast.Module, node: ast.expr) -> Called | None:
    """The function of losses that an expression calls."""
    if not isinstance(node, ast.Call) or any(k.arg is None for k in node.keywords):
        return None
    keywords = {k.arg: k.value for k in node.keywords if k.arg}
    name = last_name(node.func)
    if name.endswith("_loss") or name in {"pairwise_distance", "cosine_similarity"}:
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if owner is None or ast.unparse(owner) in {
            "F",
            "nn.functional",
            "torch.nn.functional",
            "torch",
        }:
            return Called(name, tuple(node.args), keywords)
        return None
    made = built_by(tree, node.func)
    if made is None:
        return None
    function = snake(last_name(made.func))
    settings = dict(zip(_FIRST.get(function, ()), made.args, strict=False))
    settings |= {k.arg: k.value for k in made.keywords if k.arg}
    return Called(function, tuple(node.args), {**settings, **keywords}, is_object=True)


def snake(name: str) -> str:
    """``margin_ranking_loss`` of ``MarginRankingLoss``."""
    if name == "SmoothL1Loss":
        return "smooth_l1_loss"
    if name == "L1Loss":
        return "l1_loss"
    if name == "GaussianNLLLoss":
        return "gaussian_nll_loss"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
