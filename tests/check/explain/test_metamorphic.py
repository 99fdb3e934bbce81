"""Another form of a paste changes nothing in roles, verdict and findings.

A sixtieth of the forms and changes of every paste is tried here; ``EVERY = 1`` tries all.
"""

from __future__ import annotations

import pytest
from tests.check.explain.metamorphic import differences, exceptions, is_excepted, parses, sources

EVERY = 60
SOURCES = [(name, code) for name, code in sources().items() if code.strip() and parses(code)]


@pytest.mark.parametrize("number", range(len(SOURCES)), ids=[name for name, _ in SOURCES])
def test_another_form_changes_nothing(number: int) -> None:
    name, code = SOURCES[number]
    found = differences(name, code, slice(number * 7 % EVERY, None, EVERY))
    assert [str(d) for d in found if not is_excepted(d)] == []


def test_exceptions_name_pastes_that_exist() -> None:
    names = {name for name, _ in SOURCES}
    for (_, paste), reason in exceptions().items():
        assert paste == "*" or paste in names
        assert len(reason) > 20
