"""A Jensen-Shannon divergence whose middle is no mixture."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Constant, Node, walk
from didact.check.explain.mistakes._look import Look, finding, tensors
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

_BY_LOGITS = Text(
    "M is the softmax of averaged logits, not the average of the two distributions",
    "M 是平均 logits 的 softmax，不是两个分布的平均",
)
_BY_LOGS = Text(
    "M is the mean of the two log-probabilities, which does not sum to 1, not the mean of the two "
    "distributions",
    "M 是两个对数概率的平均（之和不为 1），不是两个分布的平均",
)
_REVERSED = Text(
    "both terms are KL(M ‖ ·) instead of KL(· ‖ M)", "两项都是 KL(M ‖ ·) 而不是 KL(· ‖ M)"
)

_ADDED = Text(
    "M is the sum of the two distributions, not their mean, and each term is ln 2 too small",
    "M 是两个分布之和而不是平均，每一项都小了 ln 2",
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
            reverse = _same(one.args[1], other.args[1])
            middle = one.args[1] if reverse else one.args[0]
            if not reverse and not _same(one.args[0], other.args[0]):
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
            fix = _mixed(judged, one, other, places)
            if added is not None and not reverse:
                node = places.get(added) or node
                fix = _halved(node) if added in places else None
            yield finding("KE126", Severity.ERROR, node, fix, why=why)
            return


def _same(one: Node, other: Node) -> bool:
    """Whether two parts are one, or the same function of one: ``m.log()`` written twice."""
    if one is other or not isinstance(one, Call) or not isinstance(other, Call):
        return one is other
    alike = one.name == other.name and len(one.args) == len(other.args)
    return alike and all(_same(a, b) for a, b in zip(one.args, other.args, strict=True))


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


@dataclass(frozen=True, slots=True)
class _End:
    """One of the two distributions: the name of its logarithm, and the edits that make it."""

    name: str
    log: str
    edits: tuple[Edit, ...]
    made: ast.Assign
    """The statement that sets the name."""


def _mixed(judged: Judged, one: Call, other: Call, places: Mapping[Node, ast.AST]) -> Fix | None:
    """Both divergences from the distributions to the mixture, all of it in log space."""
    calls = [places.get(one), places.get(other)]
    first, second = calls
    if not isinstance(first, ast.Call) or not isinstance(second, ast.Call):
        return None
    if len(first.args) < 2 or len(second.args) < 2:
        return None
    tree = judged.tracer.tree
    reverse = _same(one.args[1], other.args[1])
    middles = [call.args[1 if reverse else 0] for call in (first, second)]
    names = {_bare(middle).id for middle in middles if isinstance(_bare(middle), ast.Name)}  # type: ignore[attr-defined]
    made = _statement(tree, names.pop()) if len(names) == 1 else None
    if made is None:
        return None
    sides = [call.args[0 if reverse else 1] for call in (first, second)]
    ends = [_end(tree, side, made, [first, second]) for side in sides]
    known = [end for end in ends if end is not None]
    if len(known) < 2:
        return None
    logs = [end.log for end in known]
    name = ast.unparse(made.targets[0])
    log_name = name if name.startswith("log") else f"log_{name}"
    edits = [edit for end in known for edit in end.edits]
    mixture = f"{log_name} = {_log_of_mixture(known, made.value)}"
    late = max((end.made for end in known), key=lambda statement: statement.lineno)
    if late.lineno < made.lineno:
        edits.append(Edit(span(made), mixture))
    else:
        if any(edit.span == span(late) for edit in edits):
            return None
        where = span(late)
        after = Span(where.end_line, where.end_column, where.end_line, where.end_column)
        edits += [Edit(span(made), ""), Edit(after, f"\n{' ' * late.col_offset}{mixture}")]
    for call, log in zip((first, second), logs, strict=True):
        edits += [Edit(span(call.args[0]), log_name), Edit(span(call.args[1]), log)]
        if all(k.arg != "log_target" for k in call.keywords):
            where = span(call)
            end = Span(where.end_line, where.end_column - 1, where.end_line, where.end_column - 1)
            edits.append(Edit(end, ", log_target=True"))
    return Fix(tuple(edits), "unsafe", Text("Average the distributions", "对分布取平均"))


def _bare(node: ast.expr) -> ast.expr:
    """``m`` of ``m.log()``, ``torch.log(m)`` and ``m.detach()``."""
    while isinstance(node, ast.Call) and last_name(node.func) in {"log", "detach"}:
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if node.args:
            node = node.args[0]
        elif owner is not None:
            node = owner
        else:
            break
    return node


def _end(
    tree: ast.Module, side: ast.expr, middle: ast.Assign, calls: list[ast.Call]
) -> _End | None:
    """The logarithm of a distribution: by its name, or by its softmax turned to log_softmax."""
    bare = _bare(side)
    if isinstance(bare, ast.Call) and last_name(bare.func) == "exp":
        bare = bare.func.value if isinstance(bare.func, ast.Attribute) else bare
    if not isinstance(bare, ast.Name):
        return None
    made = _statement(tree, bare.id)
    value = made.value if made is not None else None
    if made is None or not isinstance(value, ast.Call):
        return None
    kind = last_name(value.func)
    if kind == "log_softmax":
        return _End(bare.id, bare.id, (), made)
    if kind != "softmax":
        return None
    taken = {id(n) for part in (middle, *calls) for n in nodes_of(part)}
    read = [n for n in nodes_of(tree) if isinstance(n, ast.Name) and n.id == bare.id
            and isinstance(n.ctx, ast.Load)]  # fmt: skip
    text = ast.unparse(value).replace("softmax", "log_softmax", 1)
    new = f"log_{bare.id} = {text}"
    if all(id(n) in taken for n in read):
        return _End(bare.id, f"log_{bare.id}", (Edit(span(made), new),), made)
    where = span(made)
    after = Span(where.end_line, where.end_column, where.end_line, where.end_column)
    line = f"\n{' ' * made.col_offset}{new}"
    return _End(bare.id, f"log_{bare.id}", (Edit(after, line),), made)


def _log_of_mixture(ends: list[_End], made: ast.expr) -> str:
    """``log(a * p + b * q)`` of the logarithms; half of each if no other weights are to be seen."""
    weights = [_weight_of(end.name, made) for end in ends]
    if None in weights or weights[0] == weights[1]:
        logs = ", ".join(end.log for end in ends)
        return f"torch.logsumexp(torch.stack([{logs}]), dim=0) - math.log(2)"
    parts = [f"{end.log} + math.log({w})" for end, w in zip(ends, weights, strict=True)]
    return f"torch.logsumexp(torch.stack([{', '.join(parts)}]), dim=0)"


def _weight_of(name: str, made: ast.expr) -> str | None:
    """``beta`` of ``p`` in ``beta * p + (1 - beta) * q``."""
    if not isinstance(made, ast.BinOp) or not isinstance(made.op, ast.Add):
        return None
    for side in (made.left, made.right):
        if not isinstance(side, ast.BinOp) or not isinstance(side.op, ast.Mult):
            return None
        for one, other in ((side.left, side.right), (side.right, side.left)):
            bare = _bare(other)
            bare = bare.func.value if isinstance(bare, ast.Call) and last_name(
                bare.func) == "exp" and isinstance(bare.func, ast.Attribute) else bare  # fmt: skip
            if isinstance(bare, ast.Name) and bare.id == name:
                return ast.unparse(one)
    return None


def _statement(tree: ast.Module, name: str) -> ast.Assign | None:
    """The only statement that sets a name, and nothing else."""
    found = [
        n for n in nodes_of(tree)
        if isinstance(n, ast.Assign) and any(ast.unparse(t) == name for t in n.targets)
    ]  # fmt: skip
    return found[0] if len(found) == 1 and len(found[0].targets) == 1 else None


def is_no_mixture(look: Look, loss: Loss) -> bool:
    """Whether a loss is meant as a Jensen-Shannon divergence and is none."""
    return look.is_torch and any(True for _ in _mixtures(look.judged, loss, look.places))


def in_formulas(look: Look) -> Iterator[Finding]:
    """Loss by loss."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        yield from _mixtures(look.judged, loss, look.places)
