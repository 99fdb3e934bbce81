"""How far the gradient of a loss flows back: to which models and inputs, and where it is cut."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from didact._core.words import word_set
from didact.check.engine.names import is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.answers._code import Code
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of

_CUTTING = frozenset({"detach", "detach_", "stop_gradient", "item", "numpy"})
_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Source:
    """What a gradient comes to: a model's call or an input.

    Attributes:
        name: The model, or the input as the code writes it.
        called: The call of the model; None for an input.
        variable: The name of the code that the value has, where it has one.
    """

    name: str
    called: ast.Call | None = field(default=None, compare=False)
    variable: str = ""


@dataclass(slots=True)
class Reach:
    """What the gradient of one loss reaches, and what lies behind each cut."""

    live: dict[str, Source] = field(default_factory=dict)
    cut: dict[str, tuple[Source, ast.AST]] = field(default_factory=dict)
    seen: set[tuple[str, int, int]] = field(default_factory=set)


def losses(code: Code) -> list[ast.expr]:
    """What is backpropagated; else what the functions that compute losses return."""
    backward = [c.func.value for c in code.calls("backward") if isinstance(c.func, ast.Attribute)]
    if backward:
        return backward
    found: list[ast.expr] = []
    for loss in code.judged.losses:
        node = loss.entry.node
        if isinstance(node, ast.FunctionDef):
            found += [n.value for n in nodes_of(node) if isinstance(n, ast.Return) and n.value]
            continue
        if isinstance(node, ast.Module):
            set_to = _set_in(code, node, loss.entry.name)
            found += [value for value, _ in set_to[-1:]]
            continue
        value = getattr(node, "value", node)
        if isinstance(value, ast.expr):
            found.append(value)
    return found


def reach_of(code: Code, loss: ast.expr) -> Reach:
    """Follow a loss back through the names of its function."""
    reach = Reach()
    _follow(code, loss, reach, None, 0)
    return reach


def _follow(code: Code, node: ast.AST, reach: Reach, cut: ast.AST | None, depth: int) -> None:
    if depth > _DEPTH:
        return
    if isinstance(node, ast.Constant | ast.Slice | ast.Lambda):
        return
    if isinstance(node, ast.Name):
        _name(code, node, reach, cut, depth)
        return
    if cut is None and not isinstance(node, ast.Name):
        cut = code.without_graph(node)
    if isinstance(node, ast.Attribute):
        if node.attr in {"shape", "device", "dtype"}:
            return
        if node.attr == "data":
            cut = cut or node
        root = node.value
        if isinstance(root, ast.Name) and root.id in {"self", "args", "opt", "cfg", "config"}:
            return
        _follow(code, root, reach, cut, depth + 1)
        return
    if isinstance(node, ast.Call):
        _call(code, node, reach, cut, depth)
        return
    if isinstance(node, ast.Subscript):
        owner = node.value
        if (
            isinstance(owner, ast.Name)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, int)
            and not _assigned(code, owner)[0]
        ):
            _found(reach, Source(ast.unparse(node), None, ast.unparse(node)), cut)
            return
        _follow(code, node.value, reach, cut, depth + 1)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _follow(code, child, reach, cut, depth + 1)


def _call(code: Code, node: ast.Call, reach: Reach, cut: ast.AST | None, depth: int) -> None:
    callee = ast.unparse(node.func)
    last = last_name(node.func)
    if last in _CUTTING:
        cut = cut or node
    if last in {"size", "argmax", "arange", "ones", "zeros", "no_grad"}:
        return
    name = callee.removeprefix("self.").removesuffix(".apply").removesuffix(".forward")
    if (
        "." not in name
        and (is_model(name) or role_of(name) is not Role.UNKNOWN)
        and not (name.endswith("loss") or "loss" in name)
    ):
        _found(reach, Source(name, node), cut)
        return
    defined = next((f for f in code.functions() if f.name == last), None)
    if defined is not None and any("no_grad" in ast.unparse(d) for d in defined.decorator_list):
        cut = cut or node
    if isinstance(node.func, ast.Attribute):
        _follow(code, node.func.value, reach, cut, depth + 1)
    for argument in [*node.args, *(k.value for k in node.keywords)]:
        _follow(code, argument, reach, cut, depth + 1)


def _name(code: Code, node: ast.Name, reach: Reach, cut: ast.AST | None, depth: int) -> None:
    values, given = _assigned(code, node)
    if (given or not values) and (_is_parameter(code, node) or node.id not in _MODULES):
        _found(reach, Source(node.id, None, node.id), cut)
    for value, statement in values:
        here = cut if cut is not None else code.without_graph(statement)
        key = (node.id, id(value), id(here))
        if key in reach.seen:
            continue
        reach.seen.add(key)
        called = _model_call(value)
        if called is not None:
            _found(reach, Source(called[0], called[1], node.id), here or called[2])
            continue
        _follow(code, value, reach, here, depth + 1)


def _is_parameter(code: Code, node: ast.AST) -> bool:
    function = code.function_of(node)
    held = nodes_of(function.args) if function is not None else ()
    return any(isinstance(a, ast.arg) and a.arg == getattr(node, "id", "") for a in held)


_MODULES = word_set(
    "F nn torch tf keras jnp jax np math optax paddle ops mindspore self range len zip"
)


def _model_call(value: ast.expr) -> tuple[str, ast.Call, ast.AST | None] | None:
    """The call of a model that a value is, with what cuts it."""
    cut: ast.AST | None = None
    node: ast.expr = value
    while True:
        if isinstance(node, ast.Call) and last_name(node.func) in _CUTTING:
            cut = node
            inner = node.args[0] if node.args else None
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            stopped = inner if last_name(node.func) == "stop_gradient" else owner
            if stopped is None:
                return None
            node = stopped
        elif isinstance(node, ast.Attribute) and node.attr in {
            "logits",
            "data",
            "last_hidden_state",
        }:
            cut = node if node.attr == "data" else cut
            node = node.value
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).removeprefix("self.")
            name = name.removesuffix(".apply").removesuffix(".forward").removesuffix(".module")
            named = is_model(name) or role_of(name) is not Role.UNKNOWN
            plain = "." not in name or (name.count(".") == 1 and name.split(".")[0] in {"self"})
            if named and plain and "loss" not in name.lower():
                return name, node, cut
            return None
        else:
            return None


def _assigned(code: Code, node: ast.Name) -> tuple[list[tuple[ast.expr, ast.stmt]], bool]:
    """What a name may be set to where it is read, and whether it may be as it was given."""
    scope: ast.AST | None = code.function_of(node)
    function = scope
    while True:
        found = _set_in(code, scope or code.tree, node.id)
        given = scope is not None and any(
            isinstance(a, ast.arg) and a.arg == node.id
            for a in nodes_of(getattr(scope, "args"))  # noqa: B009
        )
        if found or given or scope is None:
            break
        scope = code.function_of(scope)
    if scope is not function:
        return found, given
    return _before(code, node, found, given)


def _before(
    code: Code, use: ast.Name, found: list[tuple[ast.expr, ast.stmt]], given: bool
) -> tuple[list[tuple[ast.expr, ast.stmt]], bool]:
    """Of the statements that set a name those that may be the last before it is read."""
    place = (use.lineno, use.col_offset)
    around = _around(code, use)
    taken: list[tuple[ast.expr, ast.stmt]] = []
    for value, statement in sorted(
        found, key=lambda f: (f[1].lineno, f[1].col_offset), reverse=True
    ):
        if (statement.lineno, statement.col_offset) >= place or any(
            n is use for n in nodes_of(value)
        ):
            continue
        branches = _around(code, statement)
        if any(block in around and around[block] != part for block, part in branches.items()):
            continue
        taken.append((value, statement))
        whole = not isinstance(statement, ast.AugAssign) and not (
            isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript)
        )
        if whole and branches.keys() <= around.keys():
            return taken, False
    return (taken, given) if taken or given else (found, given)


def _around(code: Code, node: ast.AST) -> dict[ast.AST, str]:
    """The blocks around a node up to its function, each with the part that the node stands in."""
    found: dict[ast.AST, str] = {}
    while (parent := code.parents.get(id(node))) is not None:
        if isinstance(parent, ast.FunctionDef):
            break
        if isinstance(parent, ast.If | ast.For | ast.While | ast.Try):
            found[parent] = "orelse" if node in parent.orelse else "body"
        node = parent
    return found


def _set_in(code: Code, scope: ast.AST, name: str) -> list[tuple[ast.expr, ast.stmt]]:
    return _settings(code).get((id(scope), name), [])


@lru_cache(maxsize=4)
def _settings(code: Code) -> dict[tuple[int, str], list[tuple[ast.expr, ast.stmt]]]:
    """What each name of each function, and of the code around them, is set to."""
    found: dict[tuple[int, str], list[tuple[ast.expr, ast.stmt]]] = {}
    for node in code.nodes:
        if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For):
            continue
        scope = id(code.function_of(node) or code.tree)
        for name, value in _set_by(node):
            found.setdefault((scope, name), []).append((value, node))
    return found


def _set_by(
    node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For,
) -> Iterator[tuple[str, ast.expr]]:
    """The names that a statement sets, each with what it is set to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            if isinstance(node, ast.Assign):
                yield target.value.id, node.value
            continue
        for name in {n.id for n in nodes_of(target) if isinstance(n, ast.Name)}:
            if isinstance(node, ast.For):
                yield name, _item(node, name)
            elif node.value is not None:
                for value in _values(target, node.value, name):
                    yield name, value


def _item(node: ast.For, name: str) -> ast.expr:
    """The list whose item a name is in a loop over several."""
    call = node.iter
    if (
        isinstance(call, ast.Call)
        and last_name(call.func) == "zip"
        and isinstance(node.target, ast.Tuple)
    ):
        for target, source in zip(node.target.elts, call.args, strict=False):
            if isinstance(target, ast.Name) and target.id == name:
                return source
    return node.iter


def _values(target: ast.expr, value: ast.expr, name: str) -> list[ast.expr]:
    if isinstance(target, ast.Name):
        return [value] if target.id == name else []
    if isinstance(target, ast.Tuple):
        if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
            pairs = zip(target.elts, value.elts, strict=True)
            return [v for t, e in pairs for v in _values(t, e, name)]
        names = {n.id for n in nodes_of(target) if isinstance(n, ast.Name)}
        return [value] if name in names else []
    return []


def _found(reach: Reach, source: Source, cut: ast.AST | None) -> None:
    if cut is None:
        reach.live[source.name] = source
    else:
        reach.cut.setdefault(source.name, (source, cut))
