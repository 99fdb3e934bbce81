"""Slices of classes: the old ones come first, the new ones behind them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look

OLD_CLASSES = re.compile(r"old|known|prev|seen|base|init", re.IGNORECASE)
_OLD_MODEL = re.compile(
    r"(^|[^a-z])(old|prev|previous|last|ref|former|past)([^a-z]|$)", re.IGNORECASE
)


def class_slices(node: Node) -> Iterator[tuple[Call, str, Given]]:
    """The cuts along the classes, ``"first"`` or ``"rest"``, and by which number."""
    for part in walk(node):
        if isinstance(part, Call) and part.name == "index" and len(part.args) == 2:
            told = kind_of(part.args[1])
            if told is not None:
                yield (part, *told)


def kind_of(key: Node) -> tuple[str, Given] | None:
    """``("rest", n)`` of ``[:, n:]`` and ``("first", n)`` of ``[:, :n]``."""
    if not isinstance(key, Call) or key.name != "key" or len(key.args) != 2:
        return None
    part = key.args[1]
    if not isinstance(part, Call) or part.name != "slice":
        return None
    low, high = part.args[:2]
    if isinstance(low, Given) and _is_none(high) and is_old_count(low):
        return "rest", low
    if isinstance(high, Given) and _is_none(low) and is_old_count(high):
        return "first", high
    return None


def is_old_count(given: Given) -> bool:
    """Whether a name counts the old classes."""
    return bool(OLD_CLASSES.search(given.text)) and not re.search("new", given.text, re.IGNORECASE)


def _is_none(node: Node) -> bool:
    return isinstance(node, Constant) and node.value is None


def is_of_old_model(look: Look, node: Node) -> bool:
    """Whether a value is made of the old model's outputs alone."""
    made = {g for g in leaves(node) if g in look.judged.roles}
    teachers = [g for g in made if look.judged.roles[g].role == "teacher"]
    others = [g for g in made if look.judged.roles[g].role in {"student", "labels"}]
    return bool(teachers) and not others and all(_is_old(look, g) for g in teachers)


def _is_old(look: Look, given: Given) -> bool:
    text = given.text.replace("_", " ")
    if re.search(r"(^|[^a-z])(new|cur|expert)", text, re.IGNORECASE):
        return False
    label = look.judged.tracer.labels.get(given, "").replace("_", " ")
    return _OLD_MODEL.search(f"{text} {label}") is not None


def slices_in_code(tree: ast.AST) -> Iterator[tuple[ast.Subscript, ast.Slice]]:
    """``x[:, n:]`` with what stands at the classes."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            last = node.slice.elts[-1]
            if isinstance(last, ast.Slice) and len(node.slice.elts) == 2:
                yield node, last
