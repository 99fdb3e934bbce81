"""In other frameworks: what the rules of ``check``, which read PyTorch, would find."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves, side
from didact.check.explain.formula.trace import Tracer
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding, place
from didact.check.explain.mistakes._softmaxes import (
    argument_of,
    call_around,
    log_text,
    softmax_text,
)
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {
    "KE115": ("SWAPPED",),
    "KE117": ("KL-INPUT-PROBS",),
    "KE118": ("KL-TARGET-LOG",),
    "KE189": ("LOG-OF-SOFTMAX",),
    "KE192": ("SWAPPED",),
    "KE193": ("LOG-TWICE",),
    "KE195": ("KLD-OF-SCORES",),
}


def _elsewhere(look: Look) -> Iterator[Finding]:
    """In other frameworks: what the rules of ``check``, which read PyTorch, would find."""
    judged, known, places = look.judged, look.known, look.places
    for loss in judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call):
                continue
            node = places.get(part, loss.entry.node)
            if part.name in {"softmax", "log_softmax"}:
                dim = part.keyword("dim") or (part.args[1] if len(part.args) > 1 else None)
                if isinstance(dim, Constant) and dim.value == 0:
                    yield finding("KE116", Severity.ERROR, node, _last_axis(node))
            if part.name == "kl_div" and len(part.args) > 1:
                first, second = part.args[:2]
                if isinstance(first, Call) and first.name == "softmax":
                    yield finding("KE117", Severity.ERROR, node)
                if isinstance(second, Call) and second.name == "log_softmax":
                    yield finding("KE118", Severity.ERROR, node)
            inner = part.args[0] if part.args else None
            keras = "tensorflow" in judged.tracer.frameworks and part.name == "log"
            if keras and isinstance(inner, Call) and inner.name == "log_softmax":
                where = call_around(look, part) or loss.entry.node
                yield finding("KE193", Severity.ERROR, where, _without_log(look, inner))
            if _is_of_scores(look, part):
                where = call_around(look, part) or loss.entry.node
                yield finding("KE195", Severity.ERROR, where, _softened(where))
            if _is_exchanged(look, part):
                where = call_around(look, part) or loss.entry.node
                yield finding("KE192", Severity.ERROR, where, _exchanged(look, part))
            if part.name == "mul" and len(part.args) == 2 and isinstance(part.args[1], Call):
                log_ratio = part.args[1]
                raw = log_ratio.args[-1] if log_ratio.name == "sub" else None
                if isinstance(raw, Call) and raw.name == "softmax":
                    call = _two_arguments(loss, judged.tracer)
                    yield finding("KE117", Severity.ERROR, call or node, _with_log(call))
        names = {n.name.lower() for n in nodes_of(judged.tracer.tree)
                 if isinstance(n, ast.FunctionDef)}  # fmt: skip
        meant = any(w in n for n in names for w in ("reverse", "rkl", "minillm"))
        for term in loss.terms:
            swapped = term.definition is not None and term.definition.key == "reverse_kl"
            if swapped and not meant and "SWAPPED" not in known:
                call = _two_arguments(loss, judged.tracer)
                fix = None
                logs_first = call is not None and _takes_logs(judged.tracer, call)
                if call is not None:
                    sides = [_scores_in(a) for a in call.args[:2]] if logs_first else call.args[:2]
                    fix = _exchange(sides)
                node = call or place(term.body, loss, places)
                message = OWN["KE115-LOG" if logs_first else "KE115"]
                yield Finding("KE115", Severity.ERROR, span(node), message, fix)


def _is_of_scores(look: Look, part: Node) -> bool:
    """Whether a divergence takes the logarithm of a model's scores, perhaps over T."""
    if not isinstance(part, Call) or part.name != "sub" or len(part.args) != 2:
        return False
    sides = []
    for logs in part.args:
        scores = logs.args[0] if isinstance(logs, Call) and logs.name == "log" else None
        while isinstance(scores, Call) and scores.name in {"div", "detach", "identity"}:
            scores = scores.args[0]
        if not isinstance(scores, Given) or part in look.places:
            return False
        sides.append(scores)
    named = [f"{g.text} {look.judged.tracer.labels.get(g, '')}".lower() for g in sides]
    return all("logit" in n or "score" in n for n in named)


def _softened(call: ast.AST) -> Fix | None:
    """A softmax around both arguments."""
    if not isinstance(call, ast.Call) or len(call.args) < 2:
        return None
    edits = [Edit(span(a), f"tf.nn.softmax({ast.unparse(a)})") for a in call.args[:2]]
    return Fix(tuple(edits), "unsafe", Text("Give probabilities", "改为概率"))


def _is_exchanged(look: Look, part: Node) -> bool:
    """The student's softmax times the logarithm of the teacher's."""
    if not isinstance(part, Call) or part.name != "mul" or len(part.args) != 2:
        return False
    one, logs = part.args
    both = isinstance(one, Call) and one.name == "softmax" and isinstance(logs, Call)
    if not both or not isinstance(logs, Call) or logs.name != "log_softmax":
        return False
    return side(one, look.judged.roles) == "student" and side(logs, look.judged.roles) == "teacher"


def _exchanged(look: Look, part: Call) -> Fix | None:
    """Both scores exchanged, where the softmax of the labels is written in place."""
    one, logs = part.args
    soft = look.places.get(one)
    scores = argument_of(look, logs) if isinstance(logs, Call) else None
    if not isinstance(soft, ast.Call) or not soft.args or scores is None:
        return None
    edits = (Edit(span(soft.args[0]), ast.unparse(scores)),
             Edit(span(scores), ast.unparse(soft.args[0])))  # fmt: skip
    return Fix(edits, "unsafe", Text("Exchange them", "交换两侧"))


def _without_log(look: Look, part: Call) -> Fix | None:
    """The softmax itself: the loss takes the logarithm."""
    node = look.places.get(part)
    text = softmax_text(look.judged.tracer.tree, node) if isinstance(node, ast.Call) else None
    if node is None or text is None:
        return None
    return Fix((Edit(span(node), text),), "unsafe", Text("Give probabilities", "改为概率"))


def _with_log(call: ast.Call | None) -> Fix | None:
    """``softmax`` of the first argument as ``log_softmax``."""
    first = call.args[0] if call is not None else None
    if not isinstance(first, ast.Call) or not isinstance(first.func, ast.Attribute):
        return None
    text = ast.unparse(first.func)
    edit = Edit(span(first.func), text.removesuffix("softmax") + "log_softmax")
    return Fix((edit,), "unsafe", Text("Give log-probabilities", "改为对数概率"))


def _last_axis(node: ast.AST) -> Fix | None:
    for keyword in getattr(node, "keywords", []):
        if keyword.arg in {"axis", "dim"}:
            return Fix((Edit(span(keyword.value), "-1"),), "unsafe",
                       Text("The class axis", "类别维"))  # fmt: skip
    return None


def _takes_logs(tracer: Tracer, call: ast.Call) -> bool:
    """Whether the first argument is log-probabilities, as ``optax.kl_divergence`` wants it."""
    value = tracer.values.get(id(call.args[0]))
    return isinstance(value, Call) and value.name == "log_softmax"


def _exchange(sides: Sequence[ast.expr | None]) -> Fix | None:
    one, other = sides
    if one is None or other is None:
        return None
    edits = (Edit(span(one), ast.unparse(other)), Edit(span(other), ast.unparse(one)))
    return Fix(edits, "unsafe", Text("Exchange them", "交换两个参数"))


def _scores_in(node: ast.expr) -> ast.expr | None:
    """What a softmax that is written in place is taken of."""
    called = isinstance(node, ast.Call) and "softmax" in last_name(node.func)
    return node.args[0] if called and isinstance(node, ast.Call) and node.args else None


def _two_arguments(loss: Loss, tracer: Tracer) -> ast.Call | None:
    """The call of a divergence: two arguments that are both probabilities."""
    for node in nodes_of(tracer.tree):
        if isinstance(node, ast.Call) and len(node.args) >= 2:
            values = [tracer.values.get(id(a)) for a in node.args[:2]]
            names = [v.name for v in values if isinstance(v, Call)]
            if names in (["softmax", "softmax"], ["log_softmax", "softmax"]):
                return node
    del loss
    return None


def _logs(look: Look, loss: Loss) -> Iterator[Finding]:
    """The logarithm of the student's softmax, where it is written so."""
    for part in walk(loss.entry.value):
        node = look.places.get(part)
        if not isinstance(part, Call) or part.name != "log" or not isinstance(node, ast.Call):
            continue
        inner = part.args[0]
        if last_name(node.func) != "log" or not node.args:
            continue
        whose = {look.judged.roles[g].role for g in leaves(inner) if g in look.judged.roles}
        if isinstance(inner, Call) and inner.name == "softmax" and "teacher" not in whose:
            text = log_text(look.judged.tracer.tree, node.args[0])
            message = Text("Use log_softmax", "改用 log_softmax")
            fix = Fix((Edit(span(node), text),), "unsafe", message) if text is not None else None
            yield finding("KE189", Severity.WARNING, node, fix)


def in_formulas(look: Look) -> Iterator[Finding]:
    """In code of another framework."""
    if look.is_elsewhere:
        for loss in look.judged.losses:
            yield from _logs(look, loss)
        yield from _elsewhere(look)
