"""Stored log-probabilities that ``kl_div`` takes for probabilities."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE213": ("KL-TARGET-LOG",)}

_LOGS = re.compile(r"log_?p(rob(abilitie)?s?)?s?$|log_?prob|logsoftmax|log_softmax$", re.IGNORECASE)
_SHAPING = frozenset(
    {"index", "detach", "identity", "floating", "view", "reshape", "flatten", "masked_select"}
)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if not look.is_torch or "KL-TARGET-LOG" in look.known:
        return
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            name = _stored(look, part)
            node = look.places.get(part)
            if name and isinstance(node, ast.Call):
                yield finding("KE213", Severity.ERROR, node, _fix(node), target=name)
                return


def _stored(look: Look, part: Node) -> str:
    """The name of the target, where it says that it holds logarithms and nothing computes it."""
    if not isinstance(part, Call) or part.name != "kl_div" or len(part.args) < 2:
        return ""
    told = part.keyword("log_target")
    if told is not None and not (isinstance(told, Constant) and told.value is False):
        return ""
    target = part.args[1]
    while isinstance(target, Call) and target.name in _SHAPING and target.args:
        target = target.args[0]
    if not isinstance(target, Given):
        return ""
    text = re.sub(r"\[['\"](\w+)['\"]\]$", r".\1", target.text)
    names = [look.judged.tracer.labels.get(target, ""), text.split("(", 1)[0].rsplit(".", 1)[-1]]
    file = re.search(r"load\w*\(['\"](?:.*/)?(\w+)(\.\w+)?['\"]", target.text)
    if file is not None and _LOGS.search(file[1]):
        names.append(file[1])
    return next((n for n in names if _LOGS.search(n)), "")


def _fix(node: ast.Call) -> Fix | None:
    if last_name(node.func) != "kl_div":
        return None
    changed = copy.deepcopy(node)
    changed.keywords = [k for k in changed.keywords if k.arg != "log_target"]
    changed.keywords.append(ast.keyword("log_target", ast.Constant(value=True)))
    edit = Edit(span(node), ast.unparse(changed))
    return Fix((edit,), "unsafe", Text("Say that the target is logarithms", "注明目标是对数概率"))
