"""What an idiom is recognised in: an expression, its part of a formula, and its names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from didact._core.i18n import Text
from didact.check.engine.names import is_label
from didact.check.engine.spaces import Role
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.trace import Tracer
from didact.check.explain.formula.tree import Constant, Given, Node
from didact.check.explain.losscalls import code_of
from didact.check.explain.proof import Proof
from didact.check.explain.who import who_is_who

_PLAIN = ast.Name | ast.Attribute | ast.Subscript


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known around a line."""

    judged: Judged
    proof: Proof

    def part(self, node: ast.AST | None) -> Node | None:
        """The part of a formula that an expression is."""
        value = self.judged.tracer.values.get(id(node))
        return value if isinstance(value, Node) else None

    def name(self, part: Node, near: ast.AST) -> str:
        """A part as the code around ``near`` writes it, in backticks."""
        if isinstance(part, Constant):
            return f"`{part.value!r}`"
        written = _written(self.judged.tracer).get(id(part), ())
        inside = {id(n) for n in nodes_of(near)}
        at = _functions(self.judged.tracer.tree)
        here = at.get(id(near))

        def cost(node: ast.expr) -> tuple[bool, bool, bool, int]:
            plain = isinstance(node, ast.Name | ast.Attribute)
            return id(node) not in inside, at.get(id(node)) is not here, not plain, node.lineno

        usable = [n for n in written if at.get(id(n)) is here or id(n) in inside]
        if usable:
            return code_of(min(usable, key=cost))
        return f"`{part.text}`" if isinstance(part, Given) else "…"

    def is_named(self, part: Node, near: ast.AST) -> bool:
        """Whether the code around ``near`` has words for a part."""
        return self.name(part, near) != "…"

    def is_written_in(self, part: Node, node: ast.AST) -> bool:
        """Whether an expression writes a part out instead of reading a name for it."""
        return any(
            self.judged.tracer.values.get(id(n)) is part
            for n in nodes_of(node) if not isinstance(n, _PLAIN)
        )  # fmt: skip

    def names_of(self, part: Node) -> list[str]:
        """The plain names that the code has for a part."""
        written = _written(self.judged.tracer).get(id(part), ())
        return [ast.unparse(n) for n in written if isinstance(n, ast.Name | ast.Attribute)]

    def is_written(self, part: Node) -> bool:
        """Whether any expression of the code is this part."""
        return id(part) in _written(self.judged.tracer)

    def whose(self, part: Node) -> Role | str:
        """Whose a part is, by the roles of the formula; of several students the model's name."""
        told = who_is_who(self.judged).side_of(part)
        if told is None:
            return Role.UNKNOWN
        return Role(told) if told in set(Role) else told

    def is_labels(self, part: Node) -> bool:
        """Whether a part is what the formula takes for labels."""
        if not isinstance(part, Given) or part.inputs:
            return False
        told = self.judged.roles.get(part)
        return told.role == "labels" if told is not None else is_label(part.text)


@lru_cache(maxsize=4)
def _written(tracer: Tracer) -> dict[int, list[ast.expr]]:
    """The expressions of the code that are each part."""
    found: dict[int, list[ast.expr]] = {}
    for node in nodes_of(tracer.tree):
        value = tracer.values.get(id(node))
        if isinstance(value, Node) and isinstance(node, ast.expr):
            found.setdefault(id(value), []).append(node)
    return found


@lru_cache(maxsize=4)
def _functions(tree: ast.Module) -> dict[int, ast.AST]:
    """The innermost function that each node stands in."""
    found: dict[int, ast.AST] = {}

    def inner(node: ast.AST) -> Iterator[ast.AST]:
        pending = [node]
        while pending:
            current = pending.pop()
            yield current
            pending += ast.iter_child_nodes(current)

    for function in nodes_of(tree):  # outer ones first
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for node in inner(function):
                found[id(node)] = function
    return found


def owned(role: Role | str, what: Text) -> Text:
    """``the teacher's probabilities``; without an owner ``the probabilities``."""
    if not isinstance(role, Role):
        return Text(f"`{role}`'s {what.en}", f"`{role}` 的{what.zh}")
    if role is Role.UNKNOWN:
        return Text(f"the {what.en}", what.zh)
    return _OWNERS[role].format(what=what)


_OWNERS = {
    Role.STUDENT: Text("the student's {what}", "学生的{what}"),
    Role.TEACHER: Text("the teacher's {what}", "教师的{what}"),
}
