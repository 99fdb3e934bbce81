"""A Jensen-Shannon divergence whose middle is no mixture."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Constant, Node, walk
from didact.check.explain.mistakes._look import Look, finding, tensors
from didact.check.findings.finding import Edit, Finding, Fix, Severity

_BY_LOGITS = Text(
    "M is the softmax of averaged logits, not the average of the two distributions",
    "M 是平均 logits 的 softmax，不是两个分布的平均",
)
_BY_LOGS = Text(
    "M is the mean of the two log-probabilities, which does not sum to 1, not the mean of the two "
    "distributions",
    "M 是两个对数概率的平均（之和不为 1），不是两个分布的平均",
)
_ADDED = Text(
    "M is the sum of the two distributions, not their mean, and each term is ln 2 too small",
    "M 是两个分布之和而不是平均，每一项都小了 ln 2",
)
_REVERSED = Text(
    "both terms are KL(M ‖ ·) instead of KL(· ‖ M)", "两项都是 KL(M ‖ ·) 而不是 KL(· ‖ M)"
)

CODES = {"KE126": ("JSD-WRONG",)}

_BOTH = Text("{a}, and {b}", "{a}，并且{b}")


# Mixtures


def _mixtures(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """Two divergences from or to one middle distribution that is not as JSD wants it."""
    calls = [
        p for p in walk(loss.entry.value)
        if isinstance(p, Call) and p.name == "kl_div" and len(p.args) > 1
    ]  # fmt: skip
    for number, one in enumerate(calls):
        for other in calls[number + 1 :]:
            reverse = one.args[1] is other.args[1]
            middle = one.args[1] if reverse else one.args[0]
            if not reverse and _of_log(one.args[0]) is not _of_log(other.args[0]):
                continue
            ends = (one.args[0], other.args[0]) if reverse else (one.args[1], other.args[1])
            sides = [leaves(end) & tensors(judged) for end in ends]
            both = sides[0] and sides[1] and not sides[0] & sides[1]
            if not both or not sides[0] | sides[1] <= leaves(middle):
                continue
            by_logits = _is_of_mean_logits(middle)
            by_logs = _is_of_mean_logs(middle)
            added = _sum_of(middle)
            if not (reverse or by_logits or by_logs or added is not None):
                continue
            why = _reason(reverse=reverse, by_logits=by_logits)
            why = _ADDED if added is not None and not reverse else why
            made = places.get(middle) if by_logs and not reverse else None
            node = made or places.get(one) or loss.entry.node
            fix = _mixed(judged, one, other, places) if reverse else _averaged(made)
            if added is not None and not reverse:
                node = places.get(added) or node
                fix = _halved(node) if added in places else None
            yield finding("KE126", Severity.ERROR, node, fix, why=why)
            return


def _of_log(node: Node) -> Node:
    """What a logarithm is taken of, which may be written once for each term."""
    return node.args[0] if isinstance(node, Call) and node.name == "log" else node


def _sum_of(middle: Node) -> Call | None:
    """The plain sum of two softmaxes."""
    while isinstance(middle, Call) and middle.name in {"log", "detach", "clamp"}:
        middle = middle.args[0]
    if not isinstance(middle, Call) or middle.name != "add":
        return None
    return middle if all(isinstance(a, Call) and a.name == "softmax" for a in middle.args) else None


def _halved(node: ast.AST) -> Fix:
    edit = Edit(span(node), f"(0.5 * ({ast.unparse(node)}))")
    return Fix((edit,), "unsafe", Text("Average the distributions", "对分布取平均"))


def _averaged(made: ast.AST | None) -> Fix | None:
    """The logarithm of the mean, where the mean of two logarithms is written."""
    added = [n for n in ast.walk(made) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)
             ] if made is not None else []  # fmt: skip
    if made is None or len(added) != 1:
        return None
    one, other = ast.unparse(added[0].left), ast.unparse(added[0].right)
    edit = Edit(span(made), f"(({one}.exp() + {other}.exp()) / 2).log()")
    return Fix((edit,), "unsafe", Text("Average the distributions", "对分布取平均"))


def _reason(*, reverse: bool, by_logits: bool) -> Text:
    if reverse:
        return _BOTH.format(a=_BY_LOGITS, b=_REVERSED) if by_logits else _REVERSED
    return _BY_LOGITS if by_logits else _BY_LOGS


def _is_of_mean_logits(middle: Node) -> bool:
    while isinstance(middle, Call) and middle.name in {"log", "detach", "clamp"}:
        middle = middle.args[0]
    return isinstance(middle, Call) and middle.name in {"softmax", "log_softmax"}


def _is_of_mean_logs(middle: Node) -> bool:
    """Whether a mixture is the mean of two logarithms: the geometric mean, not normalised."""
    while isinstance(middle, Call) and middle.name in {"detach", "mul", "div"}:
        numbers = [a for a in middle.args if not isinstance(a, Constant)]
        if len(numbers) != 1:
            return False
        middle = numbers[0]
    return (
        isinstance(middle, Call)
        and middle.name == "add"
        and all(isinstance(a, Call) and a.name == "log_softmax" for a in middle.args)
    )


def _mixed(judged: Judged, one: Call, other: Call, places: Mapping[Node, ast.AST]) -> Fix | None:
    """Both divergences from the distributions to the mixture, which is their mean."""
    first, second = places.get(one), places.get(other)
    if not isinstance(first, ast.Call) or not isinstance(second, ast.Call):
        return None
    middle = first.args[1]
    if not isinstance(middle, ast.Name) or ast.unparse(second.args[1]) != middle.id:
        return None
    edits: list[Edit] = []
    if _is_of_mean_logits(one.args[1]):
        made = _assigned(judged.tracer.tree, middle.id)
        ends = [
            _assigned(judged.tracer.tree, getattr(c.args[0], "id", "")) for c in (first, second)
        ]
        if made is None or any(e is None or last_name(e.func) != "log_softmax" for e in ends):
            return None
        soft = [ast.unparse(e).replace("log_softmax", "softmax", 1) for e in ends if e is not None]
        edits.append(Edit(span(made), f"0.5 * ({soft[0]} + {soft[1]})"))
    for call in (first, second):
        edits += [
            Edit(span(call.args[0]), f"{middle.id}.log()"),
            Edit(span(call.args[1]), _without_log(call.args[0])),
        ]
    return Fix(tuple(edits), "unsafe", Text("Average the distributions", "对分布取平均"))


def _without_log(node: ast.expr) -> str:
    """The distribution whose logarithm an argument is."""
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if name == "log" and isinstance(node.func, ast.Attribute):
            return ast.unparse(node.args[0] if node.args else node.func.value)
        if name == "log_softmax":
            return ast.unparse(node).replace("log_softmax", "softmax", 1)
    return f"{ast.unparse(node)}.exp()"


def _assigned(tree: ast.Module, name: str) -> ast.Call | None:
    found = [
        n.value for n in nodes_of(tree)
        if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name
    ]  # fmt: skip
    return found[0] if len(found) == 1 and isinstance(found[0], ast.Call) else None


def is_no_mixture(look: Look, loss: Loss) -> bool:
    """Whether a loss is meant as a Jensen-Shannon divergence and is none."""
    return look.is_torch and any(True for _ in _mixtures(look.judged, loss, look.places))


def in_formulas(look: Look) -> Iterator[Finding]:
    """Loss by loss."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        yield from _mixtures(look.judged, loss, look.places)
