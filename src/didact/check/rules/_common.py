"""What several rules ask of a loss: its arguments in words, its temperature, its factors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Term, Total
from didact.check.engine.names import (
    dotted,
    is_batch_count,
    is_class_count,
    is_temperature,
    is_weight,
    words,
)
from didact.check.engine.nodes import nodes_of
from didact.check.engine.scale import UNSURE, Scale
from didact.check.engine.spaces import RAW, Evidence, Role, Space
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

_WHOSE = {
    Role.TEACHER: Text("the teacher's ", "教师的"),
    Role.STUDENT: Text("the student's ", "学生的"),
    Role.UNKNOWN: Text("", ""),
}
SOFT = ("kl_div", "soft_cross_entropy", "kl_by_hand")


CONTRASTIVE = re.compile(
    r"contrast\w*|(info)?nce|sims?|simi\w*|simclr|moco|queue|pos|neg|positives?|negatives?|ij|cl"
)
"""A cross-entropy over similarities has a temperature of its own."""


def describe(value: Value) -> Text:
    """A value in words: whose it is, its space, its temperature."""
    temperature = value.temperature
    suffix = Text("", "")
    if temperature is not None and temperature.symbols != UNSURE.symbols and not temperature.is_one:
        text = temperature.text if not temperature.atoms else f"`{temperature.text}`"
        suffix = Text(f" at temperature {text}", f"（温度 {text}）")
    return Text("{whose}{space}{suffix}", "{whose}{space}{suffix}").format(
        whose=_WHOSE[value.role], space=value.space.text, suffix=suffix
    )


def arguments(use: LossUse) -> Text:
    """Both arguments in words."""
    if use.target.space is Space.UNKNOWN and use.input.space is not Space.UNKNOWN:
        return Text("[input: {a}]", "[input：{a}]").format(a=describe(use.input))
    return Text("[input: {a}; target: {b}]", "[input：{a}；target：{b}]").format(
        a=describe(use.input), b=describe(use.target)
    )


def rank_of(use: LossUse) -> tuple[int, Evidence]:
    """How many dimensions a loss's input has at least, and why that is believed."""
    if use.input.exact and use.input.rank and use.input.rank_from is not Evidence.NAME:
        return use.input.rank, use.input.rank_from
    sides = [side for side in (use.input, use.target) if side.rank]
    known = [side for side in sides if side.rank_from is not Evidence.NAME]
    rank = max((side.rank or 0 for side in known), default=0)
    if rank >= 3 or not sides:
        return rank, Evidence.OPERATION
    best = max(sides, key=lambda side: side.rank or 0)
    return best.rank or 0, best.rank_from


def sure(*values: Value) -> Severity | None:
    """The severity of a rule, but a warning at most where a space is told by a name alone."""
    return Severity.WARNING if any(value.by_name for value in values) else None


def uses(analysis: Analysis, *kinds: str) -> Iterator[LossUse]:
    """The losses of some kinds."""
    return (use for use in analysis.uses if use.kind in kinds)


def is_raw(analysis: Analysis, use: LossUse, value: Value) -> bool:
    """Whether a value certainly has not been normalised.

    What a model returns counts only if it is put through softmax or cross-entropy elsewhere.
    """
    if value.space in (Space.LOGITS, Space.FEATURES):
        return True
    if value.space is not Space.OUTPUT or value.origin is None:
        return False
    origin = value.origin
    normalised = any(
        s.argument.space in RAW and _same_scores(s.argument.origin, origin)
        for s in analysis.softmaxes
    )
    return normalised or any(
        u.kind == "cross_entropy" and u.input.origin is origin and u is not use
        for u in analysis.uses
    )


def _same_scores(one: ast.expr | None, other: ast.expr) -> bool:
    """Whether two values are one output of a model, or two outputs of it."""
    if one is other:
        return True
    if not (isinstance(one, ast.Call) and isinstance(other, ast.Call)):
        return False
    return bool(dotted(one.func)) and dotted(one.func) == dotted(other.func)


def temperature_of(use: LossUse) -> Scale | None:
    """The temperature that both sides share, if it is not one."""
    own = use.input.temperature
    if use.kind == "cross_entropy" and use.input.space is not Space.PROBS:
        own = use.input.scale.power(-1)  # its softmax is inside
    sides = [side for side in (own, use.target.temperature) if side is not None]
    if not sides or sides[0].is_one or any(side != sides[0] for side in sides):
        return None
    return sides[0]


def soft_uses(analysis: Analysis) -> Iterator[LossUse]:
    """The losses between two distributions, cross_entropy with probabilities as target included."""
    for use in analysis.uses:
        soft = use.kind == "cross_entropy" and use.target.space is Space.PROBS
        if use.kind in SOFT or (soft and not use.is_hard):
            yield use


def temperature_symbol(scale: Scale) -> str | None:
    """The one symbol of a temperature."""
    if len(scale.atoms) != 1 or scale.atoms[0][1] != 1:
        return None
    return scale.atoms[0][0]


def power_of(term: Term, symbol: str) -> float:
    """The power of a temperature in a factor, with ``T**2`` written in any way."""
    total = term.scale.exponent(symbol)
    for other, exponent in term.scale.atoms:
        if (
            other != symbol
            and is_temperature(other)
            and symbol.rsplit(".", 1)[-1] == other.rsplit(".", 1)[-1]
        ):
            total += exponent
    return total


def has_factor(analysis: Analysis, use: LossUse) -> bool:
    """Whether a factor may stand in for the classes: x C, x B, a large weight, a "scale"."""
    return any(_makes_up(analysis, term.scale) for term in trained_terms(analysis, use))


def trained_terms(analysis: Analysis, use: LossUse) -> list[Term]:
    """The forms of a loss that are trained on; what ``.item()`` was taken of is for the log."""
    terms = analysis.terms_of(use)
    return [term for term in terms if not term.cut] or terms


def _makes_up(analysis: Analysis, scale: Scale) -> bool:
    if abs(scale.const) >= 10:
        return True
    for symbol, exponent in scale.atoms:
        if exponent <= 0 or is_temperature(symbol):
            continue
        if (
            is_class_count(symbol)
            or (is_batch_count(symbol) and not _is_bare_mask(symbol))
            or analysis.defaults.get(symbol, 0) >= 10
        ):
            return True
        if not is_weight(symbol) and "scale" in symbol.lower():
            return True
    return False


def _is_bare_mask(symbol: str) -> bool:
    """``mask.float()`` chooses entries; ``mask.sum()`` counts them."""
    return "mask" in symbol and "sum" not in symbol and "numel" not in symbol


def totals_with(analysis: Analysis, use: LossUse) -> Iterator[tuple[Total, Term]]:
    """Every sum that a loss is part of, with its own term."""
    known = _TOTALS.get(analysis)
    if known is None or known[0] != len(analysis.totals):
        by_loss: dict[object, list[tuple[Total, Term]]] = {}
        for total in analysis.totals:
            for term in total.value.terms:
                by_loss.setdefault(term.use.identity, []).append((total, term))
        known = _TOTALS[analysis] = len(analysis.totals), by_loss
    yield from known[1].get(use.identity, ())


_TOTALS: WeakKeyDictionary[Analysis, tuple[int, dict[object, list[tuple[Total, Term]]]]] = (
    WeakKeyDictionary()
)
"""The sums of an analysis by the losses in them, and how many sums there were."""


def beside_hard_term(analysis: Analysis, use: LossUse) -> bool:
    """Whether the loss is added to a loss on true labels anywhere."""
    return any(
        other.use.node is not use.node and other.use.is_hard
        for total, term in totals_with(analysis, use)
        if (total.scope.node is not use.scope.node and bool(use.scope.calls))
        or (total.scope.node is use.scope.node and total.scope.calls == use.scope.calls)
        for other in total.value.terms
        if not term.excludes(other)
    )


def place_of(analysis: Analysis, use: LossUse) -> ast.AST:
    """Where to report a wrong sum: at the call of a helper, if its caller makes the sum."""
    own = [total for total, _ in totals_with(analysis, use) if total.scope == use.scope]
    if any(other.use.is_hard for total in own for other in total.value.terms):
        return use.node
    for total, _ in totals_with(analysis, use):
        if (
            use.scope.calls
            and total.scope.node is not use.scope.node
            and len(total.value.terms) > 1
        ):
            return use.scope.calls[-1]
    return use.node


def identifiers(node: ast.AST) -> Iterator[str]:
    """The names that a piece of code uses: variables, attributes, keywords, functions it defines.

    A parameter counts where it is used, not where it is declared.
    """
    for part in nodes_of(node):
        yield from names_at(part)


def names_at(node: ast.AST) -> Iterator[str]:
    """The names in one node, not in those inside it."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg is not None:
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name


def mentions(node: ast.AST, vocabulary: re.Pattern[str]) -> bool:
    """Whether a name in the code has a word of the vocabulary: each word is compared as a whole.

    ``mask`` is mentioned by ``attention_mask`` and ``batchMask``, not by ``unmasked``.
    """
    return any(has_word(name, vocabulary) for name in identifiers(node))


def around(analysis: Analysis, use: LossUse) -> ast.AST:
    """The function that computes a loss, outside of functions the statement."""
    scope = use.scope.node
    return analysis.statement_of(use.node) if isinstance(scope, ast.Module) else scope


def is_declared(analysis: Analysis, use: LossUse, vocabulary: re.Pattern[str]) -> bool:
    """Whether the author says so: in a name in the function, its docstring, a comment beside it.

    Names are those that the function uses, its own and that of its class; comments are those on
    the lines of the statement and the line above.
    """
    place, owner = around(analysis, use), use.scope.owner
    if mentions(place, vocabulary):
        return True
    texts = [owner.name, ast.get_docstring(owner) or ""] if owner is not None else []
    if isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef):
        texts.append(ast.get_docstring(place) or "")
    statement = analysis.statement_of(use.node)
    first, last = getattr(statement, "lineno", 1), getattr(statement, "end_lineno", 1)
    texts += [analysis.index.comments.get(line, "") for line in range(first - 1, last + 1)]
    return any(has_word(text, vocabulary) for text in texts)


def has_word(text: str, vocabulary: re.Pattern[str]) -> bool:
    """Whether a text has a word of the vocabulary."""
    return any(vocabulary.fullmatch(word) for word in words(text))


def is_without_grad(analysis: Analysis, node: ast.AST) -> bool:
    """Whether a node stands in a ``with torch.no_grad()``."""
    around = analysis.parent_of(node)
    while around is not None:
        if isinstance(around, ast.With) and any(
            "no_grad" in ast.unparse(item.context_expr) for item in around.items
        ):
            return True
        around = analysis.parent_of(around)
    return False
