"""The kinds that the probe names are those of the checker, with codes that exist."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from didact.check.rules import all_rules
from didact.probe import MISTAKES, probe
from didact.probe.forms.label_forms import HEAD_FORMS, LABEL_FORMS
from didact.probe.forms.old_classes import MIXED_FORMS, OLD_FORMS, SQUARE_FORMS, WIDE_FORMS
from didact.probe.forms.wrong import FORMS

SEVERAL = {
    "ABS/CLAMP-HIDES-NEGATIVE": {"ABS-HIDES-NEGATIVE", "CLAMP-HIDES-NEGATIVE"},
    "T-POW1 / T²-TWICE": {"T-POW1", "T2-TWICE"},
    "GRAPH-CUT": {"GRAPH-CUT", "ITEM-IN-GRAPH", "STUDENT-NO-GRAD"},
}
"""Kinds that are one to the probe, since numbers cannot tell them apart."""
NO_RULE = {
    *("KL-OF-SIGMOIDS", "T-UNUSED", "BATCH-SUM", "BATCH-TWICE", "MASK-DIVISOR"),
    *("ITEMS-UNUSED", "TEACHER-SHIFTED", "LABELS-SHIFTED", "VOCABULARY-FILLED"),
}
"""Kinds that only a run can see."""
PROBED = (
    *(f"KD10{n}" for n in range(1, 8)),
    *("KD111", "KD112", "KD115", "KD116", "KD117", "KD118", "KD120", "KD201", "KD202", "KD203"),
    *("KD206", "KD301", "KD303", "KD304", "KD305", "KD308", "KD509", "KD601", "KD602", "KD603"),
)
"""Rules whose bad example is a loss that can be called."""


@pytest.mark.parametrize("key", MISTAKES)
def test_each_code_is_a_rule_of_the_same_kind(key: str):
    codes, rules = MISTAKES[key].codes, all_rules()
    assert (not codes) == (key in NO_RULE)
    for code in codes:
        assert SEVERAL.get(key, {key}) & set(rules[code].catalogue), code
    found = {c for c, rule in rules.items() if key in getattr(rule, "catalogue", ())}
    assert found <= set(codes), "a rule finds this kind and is not named"


def test_every_kind_that_a_form_names_is_known():
    forms = (*FORMS, *OLD_FORMS, *WIDE_FORMS, *MIXED_FORMS, *SQUARE_FORMS)
    named = {m for form in forms for m in form.mistakes}
    named |= {f.mistake for f in (*LABEL_FORMS, *HEAD_FORMS) if f.mistake}
    assert named <= set(MISTAKES)


def functions(source: str) -> Iterator[Callable[..., Any]]:
    names: dict[str, Any] = {"__name__": "bad_example"}
    exec(source, names)
    yield from (
        v for v in names.values() if callable(v) and getattr(v, "__module__", "") == "bad_example"
    )


@pytest.mark.parametrize("code", PROBED)
def test_the_bad_example_of_a_rule_is_diagnosed_as_that_kind(code: str):
    bad = all_rules()[code].bad
    loss = next(functions(bad if isinstance(bad, str) else bad[0]))
    assert {code} & {c for mistake in probe(loss).mistakes for c in mistake.codes}
