"""What a gradient is taken of in JAX and TensorFlow, and so whether the teacher gets one."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.answers._code import Code
from didact.check.explain.answers.gradient import ASKS, is_of_gradients
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of

PLACE = 9
__all__ = ["ASKS", "PLACE", "answer"]

_BY_ARGUMENT = Text(
    "No, not for the teacher: jax.grad differentiates with respect to argument 0 (`{first}`) "
    "alone, and the teacher's side depends on other arguments, so it is a constant with or without "
    "stop_gradient. It would matter if the teacher were computed from `{first}` as well.",
    "对教师没有影响：jax.grad 只对第 0 个参数（`{first}`）求导，教师一侧只依赖别的参数，写不写 "
    "stop_gradient 都是常数。只有教师的输出也由 `{first}` 算出时才有区别。",
)


_ASKED_OF = re.compile(r"(w\.?r\.?t\.?|with respect to|对) *`?(\w+)`?", re.IGNORECASE)
_AS_SAID = Text(
    "No: where the gradient is taken with respect to `{first}` alone, "
    "`{other}` is an argument of its "
    "own and a constant, with or without stop_gradient. It would matter only if `{other}` had been "
    "computed from `{first}`.",
    "不需要：只对 `{first}` 求梯度时，`{other}` 是另一个参数，写不写 stop_gradient 都是常数。只有 "
    "`{other}` 由 `{first}` 算出时才有区别。",
)


def _as_said(question: str, code: Code) -> Text | None:
    """By the argument that the question says is differentiated."""
    if "jax" not in code.judged.tracer.frameworks or code.calls("grad", "value_and_grad"):
        return None
    asked = _ASKED_OF.search(question)
    for function in code.functions():
        names = [a.arg for a in function.args.args]
        first = asked[2] if asked is not None else names[0] if names else ""
        others = [n for n in names if role_of(n) is Role.TEACHER]
        if first in names and len(others) == 1 and others[0] != first:
            return _AS_SAID.format(first=first, other=others[0])
    return None


def answer(question: str, code: Code) -> Text | None:
    """By the argument of ``jax.grad`` or the variables of a tape."""
    if not is_of_gradients(question):
        return None
    return _as_said(question, code) or _by_argument(code) or _by_tape(question, code)


def _by_argument(code: Code) -> Text | None:
    """What ``jax.grad`` differentiates."""
    if "jax" not in code.judged.tracer.frameworks:
        return None
    for call in code.calls("grad", "value_and_grad"):
        if any(k.arg == "argnums" for k in call.keywords) or not call.args:
            continue
        name = last_name(call.args[0])
        function = next((f for f in code.functions() if f.name == name), None)
        if function is None or not function.args.args:
            continue
        first = function.args.args[0].arg
        for term in code.terms:
            if term.teacher is None:
                continue
            if re.search(rf"\b{first}\b", code.written(term.teacher)) or _depends(function, first):
                return None
            return _BY_ARGUMENT.format(first=first)
    return None


_BY_TAPE = Text(
    "No: the gradient is taken with respect to `{held}` alone (line {line}), and the "
    "optimiser is given nothing else, so the teacher stays as it is.",
    "不会：tape.gradient 只对 `{held}` 求梯度（第 {line} 行），优化器也只更新它们，教师不变。",
)


def _by_tape(question: str, code: Code) -> Text | None:
    """What a gradient tape differentiates with respect to, where that is the student's alone."""
    if "tensorflow" not in code.judged.tracer.frameworks:
        return None
    calls = [c for c in code.calls("gradient") if len(c.args) == 2]
    if len(calls) != 1 or not re.search(r"teacher|教师|老师", question, re.IGNORECASE):
        return None
    held = ast.unparse(calls[0].args[1])
    if role_of(held.split(".trainable")[0]) is not Role.STUDENT or "teacher" in held:
        return None
    return _BY_TAPE.format(held=held, line=calls[0].lineno)


def _depends(function: ast.FunctionDef, first: str) -> bool:
    """Whether the teacher is computed from the argument that is differentiated."""
    for node in nodes_of(function):
        if not isinstance(node, ast.Call):
            continue
        owner = ast.unparse(node.func).rpartition(".")[0]
        if Role.TEACHER in {role_of(last_name(node.func)), role_of(owner)}:
            given = [*node.args, *(k.value for k in node.keywords)]
            return any(isinstance(n, ast.Name) and n.id == first
                       for a in given for n in nodes_of(a))  # fmt: skip
    return False
