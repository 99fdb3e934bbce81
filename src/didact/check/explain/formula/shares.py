"""Weights that are the share of the old classes among all: ``n_old / (n_old + n_new)``."""

from __future__ import annotations

import re

from didact.check.explain.formula.tree import Call, Constant, Given, Node


def is_rest(weight: Node) -> bool:
    """Whether a weight is one minus another."""
    return (
        isinstance(weight, Call) and weight.name == "sub"
        and isinstance(weight.args[0], Constant) and weight.args[0].value == 1
    )  # fmt: skip


def share_of_old(weight: Node) -> bool | None:
    """True of old/(old + new), False of one minus it, None of anything else."""
    if is_rest(weight) and isinstance(weight, Call):
        inner = share_of_old(weight.args[1])
        return None if inner is None else not inner
    if not (isinstance(weight, Call) and weight.name == "div"):
        return None
    upper, below = weight.args[:2]
    if not isinstance(upper, Given) or not isinstance(below, Call | Given):
        return None
    old = re.search(r"old|known|prev|seen", upper.text)
    new = re.search(r"new|cur", upper.text)
    if isinstance(below, Given):
        total = re.search(r"total|all|num_class|n_class", below.text) is not None
    else:
        total = below.name == "add" and upper in below.args
    return bool(old) if total and bool(old) != bool(new) else None
