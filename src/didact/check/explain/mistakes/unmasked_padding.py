"""Padding that no term leaves out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.mistakes._look import Look
from didact.check.explain.mistakes._positions import HEAD, TAIL, cuts
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE146": ("PAD-UNMASKED",)}


def _unmasked_padding(look: Look) -> Iterator[Finding]:
    """A mean over all positions where the models are given an attention mask."""
    judged = look.judged
    text = ast.unparse(judged.tracer.tree)
    told = re.search(r"attention_mask=\w", text) is not None
    if not (told or _is_padded(text, look.words)) or judged.ranks.order[0] != 3:
        return
    masks = attention_masks(judged.tracer.tree) if told else {_OF_LABELS}
    for loss in judged.losses:
        for term in loss.terms:
            soft = term.definition is not None and term.definition.key in {"kd", "soft_ce"}
            if not soft or term.rank != 3 or not _is_mean_or_sum(term):
                continue
            names = [g.text for g in leaves(term.body) if not g.model]
            masked = any(("mask" in n and "(" not in n) or n in masks for n in names)
            chosen = any(isinstance(p, Call) and p.name in {"masked_select", "ne", "where"}
                         for p in walk(term.body))  # fmt: skip
            if not masked and not chosen:
                node = next((look.places[p] for p in walk(term.body)
                             if isinstance(p, Call) and p.name == "kl_div" and p in look.places),
                            loss.entry.node)  # fmt: skip
                cut = {c for _, c in cuts(term.body) if c}
                fix = _fix(masks, node, cut)
                message = OWN["KE146" if told else "KE146-LABELS"]
                yield Finding("KE146", Severity.WARNING, span(node), message, fix)
                return


_OF_LABELS = 'inputs["labels"]'


def _is_padded(text: str, words: str) -> bool:
    """Whether the reader says that the batches of a Trainer, which hold labels, are padded."""
    said = re.search(r"padded|padding|pad token|填充", words, re.IGNORECASE)
    held = re.search(r"model\(\*\*inputs\)", text) and re.search(r"\w\.loss\b", text)
    return said is not None and held is not None and "labels" not in text.replace(".labels", "")


def attention_masks(tree: ast.Module) -> set[str]:
    """What models are given as ``attention_mask``."""
    return {ast.unparse(k.value) for n in nodes_of(tree) if isinstance(n, ast.Call)
            for k in n.keywords if k.arg == "attention_mask"}  # fmt: skip


def _fix(masks: set[str], node: ast.AST, cut: set[str]) -> Fix | None:
    """The mean over what the mask selects; ``cut`` is how the scores are cut."""
    if not isinstance(node, ast.Call) or len(node.args) != 2 or len(masks) != 1:
        return None
    (mask,) = masks
    told = {k.arg: ast.unparse(k.value) for k in node.keywords}
    if last_name(node.func) != "kl_div" or told != {"reduction": "'batchmean'"} or cut - {HEAD}:
        return None
    function, (one, other) = ast.unparse(node.func), node.args
    mask += f"[:, {TAIL}]" if cut else ""
    mask = f"({mask} != -100)" if mask.startswith(_OF_LABELS) else mask
    each = f"{function}({ast.unparse(one)}, {ast.unparse(other)}, reduction='none').sum(-1)"
    edit = Edit(span(node), f"(({each} * {mask}).sum() / {mask}.sum())")
    return Fix((edit,), "unsafe", Text("Average over the tokens", "只对有效词元取平均"))


def _is_mean_or_sum(term: Term) -> bool:
    """Whether it is its definition, up to the sum over positions."""
    return term.status == "equal" or (
        term.law is not None and {"S"} <= dict(term.law.powers).keys() <= {"S", "T"}
    )


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if look.is_torch and not {"PAD-UNMASKED", "MASKED-MEAN"} & look.known:
        yield from _unmasked_padding(look)
