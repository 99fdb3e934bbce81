"""A sum of losses that outlives its step."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import Loop
from didact.check.explain.words.findings import OWN, SUM_RETAINED
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

CODES = {"KE142": ("SUM-OUTLIVES",)}
_CUTS = frozenset({"item", "detach", "float", "tolist", "numpy", "len"})
_Sum = tuple[str, ast.Assign | ast.AugAssign, ast.expr]
"""The name of a sum, the statement that adds to it, and what it adds."""


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """A sum that a loss is made of, in a loop that goes back from it and never starts it anew."""
    for loop in nodes_of(tree):
        if isinstance(loop, ast.For | ast.While):
            inside = list(nodes_of(loop))
            back = [c for c in inside if _is_backward(c)]
            inner = {
                id(n) for other in inside if isinstance(other, ast.For | ast.While)
                and other is not loop for n in nodes_of(other)
            }  # fmt: skip
            own = [c for c in back if id(c) not in inner]
            if own:
                yield from _outliving(tree, loop, inside, own, len(back))


def _is_backward(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in {"backward", "manual_backward"}


def _outliving(
    tree: ast.Module, loop: Loop, inside: list[ast.AST], back: list[ast.AST], count: int
) -> Iterator[Finding]:
    sums = [found for n in inside if (found := _sum_of(n)) is not None]
    if not sums:
        return
    adding = {id(statement) for _, statement, _ in sums}
    set_anew = {
        ast.unparse(t) for s in inside if isinstance(s, ast.Assign) and id(s) not in adding
        for target in s.targets for t in (
            target.elts if isinstance(target, ast.Tuple | ast.List) else [target])
    }  # fmt: skip
    reached = _reached(inside, back)
    for name in dict.fromkeys(name for name, _, _ in sums):
        mine = [s for s in sums if s[0] == name]
        kept = [s for s in mine if not _is_number(s[2])]
        if name in set_anew or name not in reached or not kept:
            continue
        retained = [k for c in back if isinstance(c, ast.Call) for k in c.keywords
                    if k.arg == "retain_graph"]  # fmt: skip
        message = (SUM_RETAINED if retained else OWN["KE142"]).format(name=name)
        edits = _started(tree, loop, name, mine)
        if edits and retained and count == 1:
            edits += _unretained(back[0])
        fix = Fix(tuple(edits), "unsafe", Text("Start anew each step", "每一步重新开始"))
        yield Finding("KE142", Severity.ERROR, span(kept[0][1]), message, fix if edits else None)


def _sum_of(node: ast.AST) -> _Sum | None:
    """``a += b`` and ``a = a + b``."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        return ast.unparse(node.target), node, node.value
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(
        node.value, ast.BinOp
    ) and isinstance(node.value.op, ast.Add):  # fmt: skip
        name = ast.unparse(node.targets[0])
        for own, added in (
            (node.value.left, node.value.right), (node.value.right, node.value.left)
        ):  # fmt: skip
            if ast.unparse(own) == name:
                return name, node, added
    return None


def _is_number(added: ast.expr) -> bool:
    """Whether what is added has no graph."""
    if isinstance(added, ast.Constant):
        return True
    return any(isinstance(n, ast.Call) and last_name(n.func) in _CUTS for n in ast.walk(added))


def _reached(inside: list[ast.AST], back: list[ast.AST]) -> set[str]:
    """The names whose graphs the losses of a loop go back through."""
    made: dict[str, list[ast.expr]] = {}
    for node in inside:
        if isinstance(node, ast.Assign | ast.AugAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                made.setdefault(ast.unparse(target), []).append(node.value)
    todo: list[ast.expr] = []
    for call in back:
        assert isinstance(call, ast.Call)
        todo += call.args if last_name(call.func) == "manual_backward" else []
        todo += [call.func.value] if isinstance(call.func, ast.Attribute) else []
    found: set[str] = set()
    while todo:
        for name in _summands(todo.pop()):
            if name not in found:
                found.add(name)
                todo += made.get(name, [])
    return found


def _summands(value: ast.expr) -> set[str]:
    """The names in a sum of products; what a function is given is not followed."""
    if isinstance(value, ast.Name | ast.Attribute):
        return {ast.unparse(value)}
    if isinstance(value, ast.BinOp):
        return _summands(value.left) | _summands(value.right)
    if isinstance(value, ast.UnaryOp):
        return _summands(value.operand)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr in {"mean", "sum"}:
            return _summands(value.func.value)
        if value.func.attr == "scale" and value.args:
            return _summands(value.args[0])
    return set()


def _started(tree: ast.Module, loop: Loop, name: str, sums: list[_Sum]) -> list[Edit]:
    """The start of a sum moved into the loop; ``=`` for ``+=`` where it has none."""
    first, statement = loop.body[0], sums[0][1]
    starts = [
        s for s in nodes_of(tree)
        if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == name
        and not any(s is found for _, found, _ in sums)
    ]  # fmt: skip
    if len(starts) == 1 and starts[0].lineno < loop.lineno and first.lineno > loop.lineno:
        place = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
        moved = Edit(place, f"{ast.unparse(starts[0])}\n{' ' * first.col_offset}")
        line = Span(starts[0].lineno, 0, (starts[0].end_lineno or starts[0].lineno) + 1, 0)
        alone = not any(
            isinstance(n, ast.stmt) and n is not starts[0] and n.lineno == starts[0].lineno
            for n in nodes_of(tree)
        )
        return [moved, Edit(line, "")] if alone else [moved]
    if len(sums) == 1 and any(statement is s for s in loop.body):
        return [Edit(span(statement), f"{name} = {ast.unparse(sums[0][2])}")]
    return []


def _unretained(call: ast.AST) -> list[Edit]:
    """A ``backward`` that is called once, without ``retain_graph``."""
    if not isinstance(call, ast.Call):
        return []
    kept = [k for k in call.keywords if k.arg != "retain_graph"]
    plain = ast.Call(call.func, call.args, kept)
    return [Edit(span(call), ast.unparse(plain))]
