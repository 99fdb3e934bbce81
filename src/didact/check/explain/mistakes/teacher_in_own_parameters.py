"""An optimiser of a module's own parameters, among which are its teacher's."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE212": ("OPT-HAS-TEACHER",)}

_STUDENT_ALONE = Text("Give the optimiser the student alone", "只把学生的参数交给优化器")
_OPTIMISERS = ("Adam", "SGD", "RMSprop", "Adagrad", "Adafactor", "LAMB", "Lion", "optimizer")


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """``Adam(self.parameters())`` in a class that holds and runs ``self.teacher``."""
    for holder in nodes_of(tree):
        if not isinstance(holder, ast.ClassDef):
            continue
        parts = list(nodes_of(holder))
        held = _held(parts)
        teachers = [n for n in held if role_of(n) is Role.TEACHER and is_model(n)]
        students = [n for n in held if role_of(n) is Role.STUDENT and is_model(n)]
        if len(teachers) != 1 or not students or _is_frozen(parts):
            continue
        graph = _runs_with_graph(parts, f"self.{teachers[0]}")
        for call in parts:
            own = _own_parameters(call)
            if own is None or graph is None:
                continue
            plain = len(students) == 1 and len(held) == 2
            shown = (
                f"self.{students[0]}.parameters()" if plain else
                "[p for n, p in self.named_parameters() "
                f"if not n.startswith('{teachers[0]}.')]"
            )  # fmt: skip
            fix = Fix((Edit(span(own), shown),), "unsafe", _STUDENT_ALONE)
            severity = Severity.ERROR if graph else Severity.INFO
            message = OWN["KE212" if graph else "KE212-IDLE"].format(teacher=teachers[0])
            yield Finding("KE212", severity, span(call), message, fix)


def _held(parts: list[ast.AST]) -> set[str]:
    """The attributes that are set to models or layers."""
    found: set[str] = set()
    for node in parts:
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and (
            value.func.attr in {"eval", "to", "cuda", "train"}
        ):  # fmt: skip
            value = value.func.value
        own = isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self"
        if not own or not isinstance(target, ast.Attribute):
            continue
        layer = isinstance(value, ast.Call) and ast.unparse(value.func).startswith("nn.")
        loss = layer and "Loss" in ast.unparse(value)
        if (is_model(target.attr) or layer) and not loss:
            found.add(target.attr)
    return found


def _is_frozen(parts: list[ast.AST]) -> bool:
    words = {getattr(n, "attr", "") for n in parts}
    return bool(words & {"requires_grad_", "requires_grad", "freeze"})


def _runs_with_graph(parts: list[ast.AST], teacher: str) -> bool | None:
    """Whether a call of the teacher records a graph; None where it is not called."""
    calls = [n for n in parts if isinstance(n, ast.Call) and ast.unparse(n.func) == teacher]
    cut = {
        id(inner) for n in parts if isinstance(n, ast.With | ast.FunctionDef)
        and any(last_name(c) in {"no_grad", "inference_mode"} for c in _guards(n))
        for inner in nodes_of(n)
    }  # fmt: skip
    return any(id(c) not in cut for c in calls) if calls else None


def _guards(node: ast.With | ast.FunctionDef) -> list[ast.expr]:
    if isinstance(node, ast.With):
        found = [item.context_expr for item in node.items]
    else:
        found = node.decorator_list
    return [n.func if isinstance(n, ast.Call) else n for n in found]


def _own_parameters(node: ast.AST) -> ast.expr | None:
    """``self.parameters()`` of an optimiser."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    named = last_name(node.func)
    first = node.args[0]
    if not any(word in named for word in _OPTIMISERS):
        return None
    return first if ast.unparse(first) == "self.parameters()" else None
