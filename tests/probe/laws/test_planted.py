"""Every planted mistake is diagnosed by name, and the laws that it must break break."""

import pytest
from tests.probe.laws.support import PLANTED, Planted
from tests.probe.output.languages import both_languages

from didact.probe import probe


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.mistake}-{p.loss.__name__}")
def test_a_planted_mistake_is_named(planted: Planted):
    report = probe(planted.loss, **planted.options)
    assert planted.mistake in [m.key for m in report.mistakes], report.match.en
    assert set(planted.breaks) <= {r.law for r in report.broken}
    said = [report.match, *report.notes, *(text for _, text in report.binding)]
    said += [r.outcome.text for r in report.results]
    assert all(map(both_languages, said)), [t for t in said if not both_languages(t)]


def test_at_least_25_kinds_are_planted():
    assert len({p.mistake for p in PLANTED}) >= 25
