"""A wider head that begins anew, its rows of the old classes included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import target_of
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE224": ("HEAD-ANEW",)}
_HEAD = re.compile(r"^(\w+)\.(fc|head|classifier|linear|out|output)$")
_COPIED = re.compile(r"\.weight(\.data)?(\[.*\])?( =|\.copy_|\.data)|load_state_dict|copy_\(")


def in_formulas(look: Look) -> Iterator[Finding]:
    """``net.fc = nn.Linear(d, n_old + n_new)`` behind ``old_net = deepcopy(net)``."""
    if not look.is_torch:
        return
    tree = look.judged.tracer.tree
    copies = {
        ast.unparse(n.value.args[0]): (target_of(n), n.lineno)
        for n in nodes_of(tree)
        if isinstance(n, ast.Assign) and target_of(n) and isinstance(n.value, ast.Call)
        and last_name(n.value.func) == "deepcopy" and n.value.args
    }  # fmt: skip
    if not copies or _COPIED.search(ast.unparse(tree)):
        return
    for node in nodes_of(tree):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        head = _HEAD.match(ast.unparse(node.targets[0]))
        old, line = copies.get(head[1], ("", 0)) if head is not None else ("", 0)
        bound = _old_classes(node.value)
        if head is None or not old or line > node.lineno or bound is None:
            continue
        name = ast.unparse(node.targets[0])
        yield finding(
            "KE224", Severity.WARNING, node, _kept(node, name, f"{old}.{head[2]}", bound),
            name=name, old=f"{old}.{head[2]}", bound=bound,
        )  # fmt: skip


def _old_classes(value: ast.expr) -> str | None:
    """``n_old`` of ``nn.Linear(d, n_old + n_new)``."""
    while isinstance(value, ast.Call) and last_name(value.func) in {"to", "cuda"}:
        value = value.func.value if isinstance(value.func, ast.Attribute) else value.func
    if not isinstance(value, ast.Call) or last_name(value.func) != "Linear" or len(value.args) < 2:
        return None
    width = value.args[1]
    if not isinstance(width, ast.BinOp) or not isinstance(width.op, ast.Add):
        return None
    old = [p for p in (width.left, width.right)
           if re.search(r"old|known|prev|seen|base", ast.unparse(p))]  # fmt: skip
    return ast.unparse(old[0]) if len(old) == 1 else None


def _kept(node: ast.Assign, name: str, old: str, bound: str) -> Fix:
    indent = " " * node.col_offset
    lines = [
        ast.unparse(node),
        f"{indent}with torch.no_grad():",
        f"{indent}    {name}.weight[:{bound}] = {old}.weight",
        f"{indent}    {name}.bias[:{bound}] = {old}.bias",
    ]
    return Fix((Edit(span(node), "\n".join(lines)),), "unsafe", Text("Keep the rows", "保留旧行"))
