"""Padding among the labels, where the labels are the tokens that the model reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.mistakes._positions import cuts
from didact.check.explain.mistakes.unmasked_padding import attention_masks
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE211": ("PAD-UNMASKED",)}

_LEFT_OUT = Text("Leave padding out of the labels", "标签中忽略填充位置")


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where an attention mask tells that there is padding."""
    masks = attention_masks(look.judged.tracer.tree) if look.is_torch else set()
    if not masks:
        return
    for term in look.judged.terms:
        tokens = _tokens(look.judged, term)
        call = next((look.places[p] for p in walk(term.body) if isinstance(p, Call)
                     and p.name == "cross_entropy" and p in look.places), None)  # fmt: skip
        if tokens is not None and isinstance(call, ast.Call):
            fix = _fix(masks, call, term)
            yield finding("KE211", Severity.WARNING, call, fix, labels=tokens.text)
            return


def _tokens(judged: Judged, term: Term) -> Given | None:
    """The model's own input, where it is the labels of a term that ignores nothing."""
    hard = term.definition is not None and term.definition.key == "ce"
    if not hard or term.labels is None:
        return None
    label: Node = term.labels
    while isinstance(label, Call) and label.name in _PLAIN:
        label = label.args[0]
    models = (g for loss in judged.losses for g in walk(loss.entry.value)
              if isinstance(g, Given) and g.model)  # fmt: skip
    fed = isinstance(label, Given) and any(label in g.inputs for g in models)
    return label if fed and isinstance(label, Given) else None


_PLAIN = frozenset({"index", "view", "reshape", "flatten", "contiguous", "to", "identity"})


def _fix(masks: set[str], call: ast.Call, term: Term) -> Fix | None:
    """The labels with -100 where the mask is 0, cut as they are cut."""
    if len(masks) != 1 or len(call.args) != 2 or term.labels is None:
        return None
    (mask,), target = masks, call.args[1]
    cut = {c for _, c in cuts(term.labels)}
    flat = isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute)
    if cut not in ({""}, {"1:"}) or not flat or not isinstance(target, ast.Call):
        return None
    mask += "[:, 1:]" if cut == {"1:"} else ""
    form = target.func.attr if isinstance(target.func, ast.Attribute) else ""
    if form not in {"view", "reshape", "flatten"}:
        return None
    arguments = ", ".join(map(ast.unparse, target.args))
    form = "reshape" if form == "view" else form
    shown = f"{ast.unparse(target)}.masked_fill({mask}.{form}({arguments}) == 0, -100)"
    return Fix((Edit(span(target), shown),), "unsafe", _LEFT_OUT)
