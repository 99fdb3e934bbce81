"""Roles that the form of a statement shows: of a schedule, of a moving average, of a target."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact.check.engine.names import is_weight
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.uses import Name, Names, Use

_COUNTER = re.compile(
    r"(^|_|\.)(ep|epoch|epochs?_?(idx|num)?|step|steps|iter|iteration|it|e|round|progress|cur|task|i)"
    r"(_(idx|no|num|id|now))?$",
    re.IGNORECASE,
)


def shown_by_form(names: Names) -> dict[int, str]:
    """The role of each name whose statement shows it, by the identity of the name."""
    found: dict[int, str] = {}
    for rule in (_schedules, _shares, _averages, _hand_made):
        for name, role in rule(names):
            found.setdefault(id(name), role)
    return found


def _schedules(names: Names) -> Iterator[tuple[Name, str]]:
    """``T = lo + (hi - lo) * epoch / epochs`` where T softens scores, or is a weight."""
    for name in list(names.all.values()):
        softens = Use.DIVISOR in name.uses
        weighs = is_weight(name.text) and Use.FACTOR in name.uses
        if not (softens or weighs):
            continue
        for value in name.values:
            parts = [p for e in _bodies(value, names) for p in _classified(e, names)]
            if not any(role == "counter" and _COUNTER.search(n.text) for n, role in parts):
                continue
            yield name, "temperature" if softens else "weight"
            yield from parts


_OLD = re.compile(r"old|known|prev|base|seen|learn|past", re.IGNORECASE)
_NEW = re.compile(r"new|cur|novel|added", re.IGNORECASE)
_ALL = re.compile(r"all|total|tot|cls|class", re.IGNORECASE)


def _shares(names: Names) -> Iterator[tuple[Name, str]]:
    """``lam = known / total``: a weight that is the share of the old classes."""
    for name in list(names.all.values()):
        if not (is_weight(name.text) and Use.FACTOR in name.uses and len(name.values) == 1):
            continue
        value = name.values[0]
        parts = [p for p in nodes_of(value) if isinstance(p, ast.Name | ast.Attribute)]
        if not isinstance(value, ast.BinOp) or any(
            isinstance(p, ast.Call) for p in nodes_of(value)
        ):
            continue
        yield name, "weight"
        if not isinstance(value.op, ast.Div) or not isinstance(value.left, ast.Name):
            continue
        for part in parts:
            kinds = [k for k, r in (("old classes", _OLD), ("new classes", _NEW),
                                    ("classes", _ALL)) if r.search(ast.unparse(part))]  # fmt: skip
            if kinds and _OLD.search(value.left.id) and (counted := names.of(part)) is not None:
                yield counted, kinds[0]


def _bodies(value: ast.expr, names: Names) -> list[ast.expr]:
    """An expression, or what the function of the file that it calls returns."""
    if not isinstance(value, ast.Call):
        return [value]
    for function in names.functions:
        if function.name == last_name(value.func):
            return [r.value for r in nodes_of(function)
                    if isinstance(r, ast.Return) and r.value is not None]  # fmt: skip
    return [value]


_DEEPEST = 20
"""So many names are followed to what they are computed from."""


def _classified(
    node: ast.expr, names: Names, place: str = "bound", inside: frozenset[int] = frozenset()
) -> Iterator[tuple[Name, str]]:
    """The names in an expression with what they are there; ``inside`` are those that led to it."""
    if isinstance(node, ast.Name | ast.Attribute):
        name = names.of(node)
        inner = name.values[0] if name is not None and len(name.values) == 1 else None
        deep = id(name) in inside or len(inside) > _DEEPEST
        if isinstance(inner, ast.BinOp | ast.Call) and not deep:
            yield from _classified(inner, names, place, inside | {id(name)})
        elif name is not None:
            counts = place == "bound" and _COUNTER.search(name.text) and len(name.text) > 1
            yield name, "counter" if counts else place
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv):
        yield from _classified(node.right, names, "rounds", inside)
        factors = list(_factors(node.left))
        plain = [f for f in factors if isinstance(f, ast.Name | ast.Attribute)]
        counter = [f for f in plain if _COUNTER.search(ast.unparse(f))]
        counter = counter or (plain if len(plain) == 1 and len(factors) == 1 else [])
        for factor in factors:
            yield from _classified(factor, names, "counter" if factor in counter else place, inside)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield from _classified(node.left, names, place, inside)
        yield from _classified(node.right, names, "counter", inside)
    elif isinstance(node, ast.Call):
        for argument in node.args:
            yield from _classified(argument, names, place, inside)
    elif isinstance(node, ast.BinOp | ast.UnaryOp | ast.IfExp):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and not isinstance(child, ast.Compare):
                yield from _classified(child, names, place, inside)


def _factors(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _averages(names: Names) -> Iterator[tuple[Name, str]]:
    """``a.mul_(m).add_(b, alpha=1 - m)``, ``a = m * a + (1 - m) * b``, ``a.lerp_(b, 1 - m)``."""
    for node in nodes_of(names.tree):
        found: list[tuple[Name, str]] = []
        target: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found, target = list(_updated(node, node.func, names)), node.func.value
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            found = list(_mixed(target, node.value, names))
        yield from found
        if found and target is not None:
            yield from _averaged(target, names)


def _averaged(target: ast.expr, names: Names) -> Iterator[tuple[Name, str]]:
    """The model whose parameters become the average is the teacher of the other."""
    while isinstance(target, ast.Attribute | ast.Call) and (
        isinstance(target, ast.Call) or target.attr in {"data", "mul_", "mul"}
    ):
        target = target.func if isinstance(target, ast.Call) else target.value
    name = names.of(target)
    for loop in name.loops if name is not None else ():
        if isinstance(loop, ast.Call) and last_name(loop.func) in {
            "parameters",
            "named_parameters",
        }:
            assert isinstance(loop.func, ast.Attribute)
            if (model := names.of(loop.func.value)) is not None and model.text.startswith("self."):
                yield model, "teacher"


def _updated(node: ast.Call, method: ast.Attribute, names: Names) -> Iterator[tuple[Name, str]]:
    given = [*node.args, *(k.value for k in node.keywords)]
    if method.attr in {"add_", "add"} and isinstance(method.value, ast.Call):
        scaled = method.value
        kept = scaled.args[:1] if last_name(scaled.func) in {"mul_", "mul"} else []
        inside = [n for a in given for n in nodes_of(a)]
        for one in kept:
            if ast.unparse(one) in [_rest(n) for n in inside] and (name := names.of(one)):
                yield name, "decay"
            for part in inside:
                named = isinstance(part, ast.Name | ast.Attribute)
                if named and _rest(one) == ast.unparse(part) and (name := names.of(part)):  # type: ignore[arg-type]
                    yield name, "rate"
    elif method.attr == "copy_" and node.args:
        yield from _mixed(method.value, node.args[0], names)
    elif method.attr in {"lerp_", "lerp"} and len(given) > 1:
        inner = _rest(given[1])
        for part in nodes_of(given[1]):
            if isinstance(part, ast.Name | ast.Attribute) and (name := names.of(part)):
                yield name, "decay" if inner == ast.unparse(part) else "rate"


def _rest(node: ast.AST) -> str:
    """``m`` of ``1 - m``."""
    one = (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
        and isinstance(node.left, ast.Constant) and node.left.value == 1
    )  # fmt: skip
    return ast.unparse(node.right) if one else ""  # type: ignore[attr-defined]


def _mixed(target: ast.expr, value: ast.expr, names: Names) -> Iterator[tuple[Name, str]]:
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return
    if not all(isinstance(s, ast.BinOp) and isinstance(s.op, ast.Mult)
               for s in (value.left, value.right)):  # fmt: skip
        return
    sides = [list(_factors(value.left)), list(_factors(value.right))]
    into = _bare(target)
    for one, other in (sides, sides[::-1]):
        for part in one:
            name = names.of(part)
            if name is None or not any(_rest(f) == ast.unparse(part) for f in other):
                continue
            if any(_bare(f) == into for f in one if f is not part):
                yield name, "decay"
            elif any(_bare(f) == into for f in other):
                yield name, "rate"


def _bare(node: ast.expr) -> str:
    return re.sub(r"\.(data|detach\(\))", "", ast.unparse(node))


def _hand_made(names: Names) -> Iterator[tuple[Name, str]]:
    """``full_like(z, (1 - a) / (K - 1))``, ``ones_like(z) * (1 - a) / (K - 1)``: by no model."""
    for node in nodes_of(names.tree):
        made = isinstance(node, ast.Call) and last_name(node.func) in {"full_like", "full"}
        share = node.args[1] if made and len(node.args) > 1 else node  # type: ignore[attr-defined]
        if not isinstance(share, ast.BinOp) or not isinstance(share.op, ast.Div):
            continue
        above = list(_factors(share.left))
        kept = above[-1] if made or (len(above) == 2 and _is_of_ones(above[0])) else None
        if kept is None:
            continue
        for part in nodes_of(share.right):
            name = names.of(part) if isinstance(part, ast.Name | ast.Attribute) else None
            if name is not None and name.text != "self":
                yield name, "classes"
        mass = kept.right if _rest(kept) else kept  # type: ignore[attr-defined]
        if isinstance(mass, ast.Name | ast.Attribute) and (name := names.of(mass)) is not None:
            yield name, "true probability" if _rest(kept) else "smoothing"
        statement = names.statement(node)
        if isinstance(statement, ast.Assign) and statement.value is node:
            for target in statement.targets:
                if (name := names.of(target)) is not None:
                    yield name, "made target"


def _is_of_ones(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in {"ones", "ones_like"}
