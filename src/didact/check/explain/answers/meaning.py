"""How a whole loss is to be understood: what each of its terms does, by its formula."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both
from didact.check.explain.answers.temperature_square import _power
from didact.check.explain.formula.tree import Constant, Given
from didact.check.explain.formula.verdict import Term
from didact.check.explain.words import meanings as words

PLACE = 99
ASKS = re.compile(r"(?!)")
"""Asked for by what wants the meaning of the whole, not by the words of a question."""
_MOST = 4
_SOFT = frozenset({"kd", "soft_ce", "kd_masked", "soft_ce_masked", "kd_average", "soft_ce_average"})
__all__ = ["ASKS", "PLACE", "answer", "meaning_of"]


def answer(_question: str, _code: Code) -> Text | None:
    """Nothing by itself."""
    return None


def meaning_of(code: Code) -> Text | None:
    """What the terms do, in the order of the code; None where one of them is not known."""
    terms = sorted(code.terms, key=lambda t: code.place(t.body) or (0, 0))
    if not terms or len(terms) > _MOST:
        return None
    said: list[Text] = []
    keys: set[str] = set()
    for term in terms:
        key = term.definition.key if term.definition is not None else ""
        if not key and code.verdict.method_key in {"ewc", "l2_sp"} and len(terms) == 1:
            key = code.verdict.method_key
        if key not in words.DOES:
            return None
        if key not in keys:
            said.append(_of(code, term, key))
        keys.add(key)
    soft = [t for t in terms if t.definition is not None and t.definition.key in _SOFT]
    warm = [t for t in soft if _is_warm(t)]
    if warm:
        said.append(words.SOFTENED)
        if all(_power(t) == 2 for t in warm):
            said.append(words.SQUARED)
    if soft and code.verdict.method_key == "lwf":
        said.append(words.OLD_OUTPUTS)
    return both(*said)


def _of(code: Code, term: Term, key: str) -> Text:
    name = code.name_of(term)
    named = [code.written(w) for w, p in term.weights
             if p == 1 and isinstance(w, Given) and w is not term.temperature]  # fmt: skip
    if named:
        name = words.WEIGHTED.format(weight=f"`{named[0]}`", name=name)
    form = words.BY_DEFINITION if term.status == "departs" else words.DOES_IT
    told = form.format(name=name, does=words.DOES[key])
    return Text(told.en[0].upper() + told.en[1:], told.zh.strip())


def _is_warm(term: Term) -> bool:
    told = term.temperature
    if told is None or (isinstance(told, Constant) and told.value == 1):
        return False
    return not (isinstance(told, Given) and told.default == 1)
