"""Of which tensors a shape is told that the code or a comment tells."""

from __future__ import annotations

import ast
import re

from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Given, Node
from didact.check.explain.mistakes._look import Look


def told_rank(look: Look, given: Given) -> int:
    """The number of dimensions of a tensor, or of one that it is compared with; 0 if untold."""
    ranks = look.judged.ranks
    if not ranks.certain:
        return 0
    group = _compared_with(look, given)
    if ranks.word.endswith((".shape", ".size()")):
        return ranks.order[0] if _unpacked(look) & group else 0
    names = {_name(look, g) for g in group}
    all_names = {_name(look, g) for g, k in look.judged.kinds.items() if k is Kind.TENSOR}
    for line in look.words.lower().split("\n"):
        if ranks.word in line:
            there = set(re.findall(r"[a-z_]\w*", line))
            return ranks.order[0] if there & names or not there & all_names else 0
    return ranks.order[0]


def _compared_with(look: Look, given: Given) -> set[Given]:
    """The tensors of the terms that a tensor is in."""
    terms = [leaves(t.body) for t in look.judged.terms]
    return {given}.union(*(t for t in terms if given in t))


def _name(look: Look, given: Given) -> str:
    return look.judged.tracer.labels.get(given, given.text).lower().rsplit(".", 1)[-1]


def _unpacked(look: Look) -> set[Given]:
    """The tensors whose shape is unpacked into names."""
    found: set[Given] = set()
    for node in nodes_of(look.judged.tracer.tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            if ast.unparse(node) != look.judged.ranks.word:
                continue
            for inner in nodes_of(node.value):
                made = look.judged.tracer.values.get(id(inner))
                if isinstance(made, Node):
                    found |= leaves(made)
    return found
