"""The share of the old classes in front of the labels' term."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.shares import is_rest, share_of_old
from didact.check.explain.formula.tree import Call, Node
from didact.check.explain.mistakes._look import Look, finding, operand
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE225": ("SHARES-SWAPPED",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """``share * ce + (1 - share) * kd``."""
    if not look.judged.incremental:
        return
    for term in look.judged.terms:
        if term.definition is None or term.definition.hard:
            continue
        for weight, power in term.weights:
            if power != 1 or not is_rest(weight) or share_of_old(weight) is not False:
                continue
            assert isinstance(weight, Call)
            sides = list(_factors(look, weight, weight.args[1]))
            if len(sides) == 2:
                fix = Fix(
                    tuple(Edit(span(one), operand(other)) for one, other in (sides, sides[::-1])),
                    "unsafe", Text("Exchange the weights", "交换两个权重"),
                )  # fmt: skip
                yield finding("KE225", Severity.WARNING, sides[0], fix)
                return


def _factors(look: Look, *weights: Node) -> Iterator[ast.expr]:
    """Where a product in the code has one of these weights, in the order of the code."""
    values = look.judged.tracer.values
    for node in nodes_of(look.judged.tracer.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for side in (node.left, node.right):
                if any(values.get(id(side)) is w for w in weights):
                    yield side
