"""A teacher that sees the images as they are, where the student sees a mixture of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._look import finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

UNMIXED = "KE240"
CODES = {UNMIXED: ("MISALIGNED",)}


@dataclass(frozen=True, slots=True)
class Mixture:
    """``mixed = lam * plain + (1 - lam) * plain[order]``."""

    mixed: str
    plain: str
    order: str


def mixture(node: ast.AST) -> Mixture | None:
    """The mixture of each sample with another one of the batch that a statement makes."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return None
    value = node.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return None
    parts = [_product(side) for side in (value.left, value.right)]
    (one, v), (other, w) = (p or ("", None) for p in parts)
    if v is None or w is None or not (other == f"1 - {one}" or one == f"1 - {other}"):
        return None
    for plain, taken in ((v, w), (w, v)):
        if isinstance(taken, ast.Subscript) and ast.unparse(taken.value) == ast.unparse(plain):
            order = ast.unparse(taken.slice)
            return Mixture(node.targets[0].id, ast.unparse(plain), order)
    return None


def _product(node: ast.expr) -> tuple[str, ast.expr] | None:
    """The weight and what it stands before."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return None
    pair = (node.left, node.right)
    for weight, of in (pair, pair[::-1]):
        text = ast.unparse(weight).strip("()")
        if isinstance(weight, ast.BinOp) and text.startswith("1 - "):
            return text, of
        if isinstance(weight, ast.Name) and not isinstance(of, ast.BinOp):
            return text, of
    return None


def called_on(tree: ast.Module, name: str) -> list[ast.Call]:
    """The calls of models on one name alone."""
    return [
        n for n in nodes_of(tree)
        if isinstance(n, ast.Call) and len(n.args) == 1 and isinstance(n.args[0], ast.Name)
        and n.args[0].id == name and isinstance(n.func, ast.Name | ast.Attribute)
    ]  # fmt: skip


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """In code that mixes the inputs alone."""
    mixtures = [m for m in map(mixture, nodes_of(tree)) if m is not None]
    for made in mixtures:
        ran = {ast.unparse(call.func) for call in called_on(tree, made.mixed)}
        taught = [
            call for call in called_on(tree, made.plain)
            if role_of(ast.unparse(call.func)) is Role.TEACHER
        ]  # fmt: skip
        if not ran or len(taught) != 1 or ast.unparse(taught[0].func) in ran:
            continue
        target = _target(tree, taught[0])
        if (
            not target
            or any(m.plain == target for m in mixtures)
            or f"{target}[" in ast.unparse(tree)
        ):
            continue
        fix = Fix((Edit(span(taught[0].args[0]), made.mixed),), "unsafe",
                  Text("Give the teacher the mixture", "教师也输入混合图"))  # fmt: skip
        yield finding(UNMIXED, Severity.WARNING, taught[0], fix, mixed=made.mixed,
                      plain=made.plain)  # fmt: skip


def _target(tree: ast.Module, call: ast.Call) -> str:
    """The name that the output of a call is kept by."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Assign) and node.value is call:
            return ast.unparse(node.targets[0])
    return ""
