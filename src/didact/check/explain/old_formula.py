"""The loss as a whole, as a formula with the names of its terms."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from didact._core.i18n import Text
from didact.check.engine.engine import Analysis
from didact.check.engine.events import LossUse, Term, Total
from didact.check.engine.spaces import Space
from didact.check.explain.call_words import last_name
from didact.check.explain.site import Site, argument
from didact.check.explain.term_names import term_name

NO_LOSS = Text("No loss is computed here.", "这段代码没有计算损失。")
_SHOWN = 3
_ORDER = {"backward": 0, "return": 1, "assign": 2}


def main_total(analysis: Analysis) -> Total | None:
    """The sum that is trained on: what is backpropagated, else returned, else assigned last."""
    totals = [t for t in analysis.totals if t.value.terms]
    if not totals:
        return None
    return min(totals, key=_importance)


def _importance(total: Total) -> tuple[int, int, int]:
    line = getattr(total.node, "lineno", 0)
    return -len(total.value.terms), _ORDER.get(total.how, 3), -line


def terms_of(analysis: Analysis) -> list[Term]:
    """The terms of the main total, each loss once; without a total every loss that is computed."""
    total = main_total(analysis)
    return _once(total.value.terms if total is not None else [Term(u) for u in analysis.uses])


def _once(terms: Iterable[Term]) -> list[Term]:
    return list({id(term.use.node): term for term in terms}.values())


def formula(analysis: Analysis) -> str | None:
    """``L = ...`` as the code computes it, or None where it computes no loss."""
    terms = terms_of(analysis)
    if not terms:
        return None
    rest = dict.fromkeys(_sum(analysis, group) for group in _others(analysis, terms))
    numbered = [f"L{n} = {text}" for n, text in enumerate(list(rest)[:_SHOWN], start=2)]
    more = ["…"] if len(rest) > _SHOWN else []
    return "; ".join([f"L = {_sum(analysis, terms)}", *numbered, *more])


def _sum(analysis: Analysis, terms: list[Term]) -> str:
    parts = [_term(analysis, term) for term in terms]
    text = parts[0]
    for part in parts[1:]:
        text += f" − {part[1:]}" if part.startswith("−") else f" + {part}"
    return text


def _others(analysis: Analysis, terms: list[Term]) -> list[list[Term]]:
    """The other totals that share no loss with the main one, then losses that are in no total."""
    covered = {id(term.use.node) for term in terms}
    groups = []
    for total in sorted(analysis.totals, key=_importance):
        group = _once(total.value.terms)
        nodes = {id(term.use.node) for term in group}
        if nodes and not nodes & covered:
            covered |= nodes
            groups.append(group)
    alone = {id(u.node): u for u in analysis.uses if id(u.node) not in covered}
    groups += [[Term(use)] for use in alone.values()]
    return sorted(groups, key=lambda group: getattr(group[0].use.node, "lineno", 0))


def _term(analysis: Analysis, term: Term) -> str:
    weight = _weight(term)
    body = _patched(analysis, term.use, _body(analysis, term))
    body = f"const({body})" if term.cut else body
    loop = _loop(analysis, term.use)
    sign = "−" if term.scale.const < 0 else ""
    return f"{sign}{loop}{weight}{body}"


def _weight(term: Term) -> str:
    parts = []
    const = abs(term.scale.const)
    if const != 1.0:
        parts.append(f"{const:g}")
    for symbol, exponent in term.scale.atoms:
        compound = any(c in symbol for c in "+- ")
        base = f"({symbol})" if compound and not symbol.startswith("(") else symbol
        power = {2.0: "²", 3.0: "³", -1.0: "⁻¹", -2.0: "⁻²", 1.0: ""}.get(
            exponent, f"^{exponent:g}"
        )
        parts.append(base + power)
    return "".join(p + " · " for p in parts)


def _loop(analysis: Analysis, use: LossUse) -> str:
    """``Σ_{teacher ∈ teachers}`` where the loss is summed over a loop of teachers."""
    node: ast.AST | None = use.node
    statement = analysis.statement_of(use.node)
    while node is not None and node is not statement:
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            first = node.generators[0]
            names = ast.unparse(first.target).strip("()")
            return f"Σ[{names} in {ast.unparse(first.iter)}] "
        node = analysis.parent_of(node)
    if not isinstance(statement, ast.AugAssign):
        return ""
    while node is not None and not isinstance(node, ast.For):
        node = analysis.parent_of(node)
    if not isinstance(node, ast.For) or "loader" in ast.unparse(node.iter):
        return ""
    over = node.iter.args[0] if isinstance(node.iter, ast.Call) and node.iter.args else node.iter
    return f"Σ[{ast.unparse(node.target)} in {ast.unparse(over)}] "


def _body(analysis: Analysis, term: Term) -> str:
    use = term.use
    divisor = _divisor(term)
    if use.kind == "kl_div":
        return _kl(analysis, use) + divisor
    if use.kind in {"soft_cross_entropy", "kl_by_hand"}:
        p, q = _distribution(analysis, use, target=True), _distribution(analysis, use, target=False)
        return f"Σ {p}·log {q}" if use.kind == "soft_cross_entropy" else f"KL({p} ‖ {q})"
    left, right = _source(use.input_node), _source(use.target_node)
    if use.kind == "cross_entropy":
        return f"CE(softmax({left}), {right})"
    if use.kind == "nll":
        return f"NLL({left}, {right})"
    if use.kind == "bce":
        return f"BCE({left}, {right})"
    if use.kind == "bce_logits":
        return f"BCE(σ({left}), {right})"
    if use.kind == "mse":
        return f"‖{left} − {right}‖²{divisor}"
    if use.kind == "cosine":
        return f"(1 − cos({left}, {right}))"
    return _source(use.node)


def _divisor(term: Term) -> str:
    """``/C`` where a KL is averaged over its classes, too; a mean over samples is understood."""
    return "/C" if term.use.kind == "kl_div" and term.use.reduction == "mean" else ""


def _kl(analysis: Analysis, use: LossUse) -> str:
    target = _distribution(analysis, use, target=True)
    if use.target.space is Space.LOG_PROBS and not use.log_target:
        target = f"log {target}"
    if use.input.space is Space.LOG_PROBS and use.target.space in {Space.PROBS, Space.UNKNOWN}:
        return f"KL({target} ‖ {_distribution(analysis, use, target=False)})"
    if use.input.space is Space.UNKNOWN:
        return f"KL({target} ‖ exp({_source(use.input_node)}))"
    prediction = _distribution(analysis, use, target=False)
    prediction = f"log {prediction}" if use.input.space is Space.LOG_PROBS else prediction
    return f"Σ P·(log P − Q)[P = {target}, Q = {prediction}]"


def _distribution(analysis: Analysis, use: LossUse, *, target: bool) -> str:
    """``softmax(t/T)`` behind an argument, as it is written, as far as it is known."""
    node = use.target_node if target else use.input_node
    value = use.target if target else use.input
    if node is None or value.space not in {Space.PROBS, Space.LOG_PROBS, Space.SIGMOID_PROBS}:
        return _source(node)
    node = _under_log(node)
    made = Site(analysis, None, use).producer(node)
    inner = argument(made) if made is not None else None
    if inner is None:
        return _source(node)
    link = "σ" if value.space is Space.SIGMOID_PROBS else "softmax"
    axis = "[dim 0]" if value.axis == 0 else ""
    before = analysis.value_of(inner)
    late = value.class_slice and (before is None or before.class_slice != value.class_slice)
    part = f"[:, {value.class_slice}]" if late and ":" in str(value.class_slice) else ""
    return f"{link}{axis}({_source(inner).replace(' / ', '/')}){part}"


def _under_log(node: ast.expr) -> ast.expr:
    """What a logarithm is taken of, in ``p.log()`` and ``torch.log(p)``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return node
    if node.func.attr != "log":
        return node
    return node.args[0] if node.args else node.func.value


def _patched(analysis: Analysis, use: LossUse, text: str) -> str:
    """The term inside the ``abs`` or ``clamp`` that is put around its loss."""
    node: ast.AST | None = analysis.parent_of(use.node)
    while node is not None and not isinstance(node, ast.stmt):
        if isinstance(node, ast.Call):
            name = last_name(node.func)
            text = f"|{text}|" if name == "abs" else text
            text = f"clamp({text})" if name in {"clamp", "relu"} else text
        node = analysis.parent_of(node)
    return text


def _source(node: ast.expr | None) -> str:
    return "?" if node is None else " ".join(ast.unparse(node).split())


def names(analysis: Analysis) -> list[Text]:
    """What the terms are called, with the paper."""
    found = []
    for term in terms_of(analysis):
        name = term_name(term.use)
        if name is not None and name not in found:
            found.append(name)
    return found
