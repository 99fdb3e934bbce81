"""A teacher that nothing shown puts in evaluation mode."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.mistakes._code import calls_in, loops_around
from didact.check.explain.mistakes._look import Look
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

MODE = "KE155"
CODES = {MODE: ("TEACHER-MODE-UNKNOWN",)}
_SETS = re.compile(r"eval|freeze|frozen|prepare|\.train\(|from_pretrained")
_SAID = re.compile(
    r"(never|forgot(ten)?|did ?n[o']t|not|without)( to)?( call(ed|ing)?| put(ting)?)?[^\n]{0,20}"
    r"\beval\b|(没有?|忘(了|记)|从不|未)[^\n]{0,8}\beval\b"
    r"|(teacher|教师|老师)(的|'s)? ?(BN|batch ?norm)[^\n]{0,16}(变|漂移|更新|chang|drift|updat)",
    re.IGNORECASE,
)
"""The words around a code say that eval() is not called."""


def in_formulas(look: Look) -> Iterator[Finding]:
    """In a training loop that is shown as a whole, unless a rule has spoken of the mode."""
    if not look.is_torch or {"TEACHER-TRAIN-MODE", "BN-DRIFT"} & look.known:
        return
    tree = look.judged.tracer.tree
    if not calls_in(tree, "backward") or not calls_in(tree, "step"):
        return
    teachers = {
        told_of.text.split("(", 1)[0] for told_of, told in look.judged.roles.items()
        if told.role == "teacher" and told_of.inputs
    }  # fmt: skip
    for call in nodes_of(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name | ast.Attribute):
            continue
        name = ast.unparse(call.func)
        if name.endswith(".generate"):
            continue  # what generates is in evaluation mode as a rule
        if name not in teachers or not (is_model(name) or role_of(name) is Role.TEACHER):
            continue
        if _is_settled(tree, name) or _is_told(look.words, name):
            continue
        copy = _copy_of(tree, name)
        source = ast.unparse(copy.value.args[0]) if copy is not None else ""  # type: ignore[attr-defined]
        if copy is not None and f"{source}.train(" in text_of(tree):
            place = span(copy)
            end = Span(place.end_line, place.end_column, place.end_line, place.end_column)
            fix = _evaluated(end, f"\n{' ' * copy.col_offset}{name}.eval()")
            yield _found("KE155-COPY", Severity.WARNING, call, fix, name=name, source=source)
        elif _SAID.search(look.words):
            yield _found("KE155-SAID", Severity.WARNING, call, _before(tree, call, name), name=name)
        else:
            yield _found(MODE, Severity.INFO, call, None, name=name)
        return


def _found(
    code: str, severity: Severity, node: ast.AST, fix: Fix | None, **values: object
) -> Finding:
    return Finding(MODE, severity, span(node), OWN[code].format(**values), fix)


def _evaluated(place: Span, text: str) -> Fix:
    return Fix((Edit(place, text),), "unsafe", Text("Put it in eval mode", "切到 eval 模式"))


def _before(tree: ast.Module, call: ast.Call, name: str) -> Fix | None:
    """``teacher.eval()`` before the outermost loop around a call."""
    loops = loops_around(tree, call)
    if not loops:
        return None
    first = loops[0]
    place = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
    return _evaluated(place, f"{name}.eval()\n{' ' * first.col_offset}")


def _is_told(words: str, name: str) -> bool:
    """Whether the words around a code say that the teacher is in evaluation mode."""
    last = re.escape(name.rsplit(".", 1)[-1])
    told = re.search(rf"\b{last}\b[^\n]{{0,30}}\beval|eval[^\n]{{0,20}}\b{last}\b", words)
    return told is not None and not _SAID.search(words)


def _is_settled(tree: ast.Module, name: str) -> bool:
    """Whether the code turns a teacher to evaluation, averages it, trains it or makes it frozen."""
    last = name.rsplit(".", 1)[-1]
    if re.search(r"ema|momentum|mean", last, re.IGNORECASE) or "update_ema" in text_of(tree):
        return True
    for node in nodes_of(tree):
        if isinstance(node, ast.Call):
            code = ast.unparse(node)
            named = re.search(rf"\b{re.escape(last)}\b", code) is not None
            if named and (_SETS.search(code) or last_name(node.func) in {"SGD", "Adam", "AdamW"}):
                return True
            if last_name(node.func) in {"parameters", "update_parameters"} and named:
                return _is_averaged_in(tree, last)
        if isinstance(node, ast.FunctionDef) and node.name == last:
            return True
        listed = isinstance(node, ast.For) and last in ast.unparse(node.iter)
        if listed and any(_SETS.search(ast.unparse(s)) for s in node.body):  # type: ignore[attr-defined]
            return True
    return False


def _is_averaged_in(tree: ast.Module, name: str) -> bool:
    """Whether the parameters of a model are walked through beside another's."""
    return any(
        isinstance(n, ast.Call) and last_name(n.func) == "zip"
        and f"{name}.parameters()" in ast.unparse(n)
        for n in nodes_of(tree)
    )  # fmt: skip


def _copy_of(tree: ast.Module, name: str) -> ast.Assign | None:
    """The statement that makes a teacher as a copy of a model."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Assign) and text_of(node.targets[0]) == name:
            value = node.value
            copied = isinstance(value, ast.Call) and last_name(value.func) in {"deepcopy", "copy"}
            if copied and value.args:  # type: ignore[attr-defined]
                return node
    return None
