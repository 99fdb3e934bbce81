"""A call that corrections wrote more often than the author did, made once and kept by a name."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict

from didact.check.correct.site import apply, span
from didact.check.engine.names import is_loss
from didact.check.explain.formula.libraries import ALIASES
from didact.check.explain.formula.nodes import nodes_of
from didact.check.findings.finding import Edit, Span
from didact.check.snippet.repair import parse

_NAMES = ("logits", "scores", "student_logits")
_APART = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def called_once(before: str, after: str) -> str | None:
    """The corrected text with one call for each that was written again, or None without any.

    A softmax that is turned back to its logits takes the call of the model with it; where both
    stay, the model would be run twice.
    """
    old, new = parse(before), parse(after)
    if old is None or new is None:
        return None
    written, made = _calls(old), _calls(new)
    for text, calls in made.items():
        if len(calls) < 2 or not 0 < len(written.get(text, ())) < len(calls):
            continue
        edits = _kept_by_name(new, text, calls)
        changed = apply(after, edits) if edits else None
        if changed is not None and parse(changed) is not None:
            return changed
    return None


def _calls(tree: ast.Module) -> dict[str, list[ast.Call]]:
    """The calls of models, by their text."""
    found: dict[str, list[ast.Call]] = defaultdict(list)
    for node in nodes_of(tree):
        if not isinstance(node, ast.Call) or not (node.args or node.keywords):
            continue
        name = ast.unparse(node.func)
        plain = isinstance(node.func, ast.Name) or name.startswith("self.")
        root = name.split(".", 1)[0]
        if plain and root not in ALIASES and not hasattr(builtins, root) and not is_loss(name):
            found[ast.unparse(node)].append(node)
    return found


def _kept_by_name(tree: ast.Module, text: str, calls: list[ast.Call]) -> list[Edit]:
    """The call before the first statement that makes it, and its name in all places."""
    taken = {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)}
    taken |= {n.arg for n in nodes_of(tree) if isinstance(n, ast.arg)}
    name = next((n for n in _NAMES if n not in taken), None)
    block = _common_block(tree, calls)
    if name is None or block is None:
        return []
    first = block[0]
    alone = all(s is first or s.lineno != first.lineno for s in block)
    if not alone or not isinstance(first, ast.Assign | ast.AugAssign | ast.Return | ast.Expr):
        return []
    where = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
    indent = " " * first.col_offset
    return [Edit(where, f"{name} = {text}\n{indent}"), *(Edit(span(c), name) for c in calls)]


def _common_block(tree: ast.Module, calls: list[ast.Call]) -> list[ast.stmt] | None:
    """The statements from the first call on, of the innermost body that has all of the calls."""
    wanted = {id(call) for call in calls}
    found: list[ast.stmt] | None = None
    for node in nodes_of(tree):
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if not isinstance(body, list):
                continue
            held = [s for s in body if any(id(n) in wanted for n in nodes_of(s))]
            inside = {id(n) for s in held for n in nodes_of(s)}
            apart = any(isinstance(n, _APART) for s in held for n in nodes_of(s))
            if held and wanted <= inside and not apart:
                found = body[body.index(held[0]) :]
    return found
