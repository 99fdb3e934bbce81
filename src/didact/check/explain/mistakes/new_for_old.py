"""The new classes compared with what the old model says of the old ones."""

from __future__ import annotations

from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.mistakes._classes import class_slices, is_of_old_model, slices_in_code
from didact.check.explain.mistakes._look import Look
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE173": ("NEW-FOR-OLD",)}
_PAIRS = frozenset({"kl_div", "mse_loss", "l1_loss", "smooth_l1_loss", "mul", "sub",
                    "binary_cross_entropy_with_logits", "binary_cross_entropy"})  # fmt: skip


def in_formulas(look: Look) -> Iterator[Finding]:
    """Comparison by comparison."""
    if not look.is_torch:
        return
    done: set[Node] = set()
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if isinstance(part, Call) and part.name in _PAIRS and len(part.args) >= 2:
                for one, other in (part.args[:2], part.args[1::-1]):
                    yield from _pair(look, one, other, done)


def _pair(look: Look, new: Node, old: Node, done: set[Node]) -> Iterator[Finding]:
    if not is_of_old_model(look, old) or is_of_old_model(look, new):
        return
    cut, other = list(class_slices(new)), list(class_slices(old))
    kinds = [[kind for _, kind, _ in found] for found in (cut, other)]
    code = "KE173"
    if kinds == [["first"], ["rest"]]:
        cut, code = other, "KE173-OTHER"
    elif kinds[0] != ["rest"] or "rest" in kinds[1]:
        return
    part = cut[0][0]
    if part in done:
        return
    done.add(part)
    for node, key in slices_in_code(look.judged.tracer.tree):
        if look.judged.tracer.values.get(id(node)) is part and key.lower is not None:
            name = cut[0][2].text
            fix = Fix((Edit(span(key), f":{name}"),), "unsafe", Text("The old classes", "取旧类"))
            message = OWN[code].format(name=name)
            yield Finding("KE173", Severity.ERROR, span(node), message, fix)
            return
