"""Changes that keep the meaning of a program keep what it computes, and what is found in it.

A seventh of the changes of each rule is tried here; ``benchmarks/check_metamorphic.py`` tries all.
"""

from __future__ import annotations

import pytest
import torch
from tests.check.metamorphic.changes import CHANGES
from tests.check.metamorphic.inputs import Input, examples, unseen
from tests.check.metamorphic.running import (
    arguments,
    callable_of,
    namespace,
    outcome,
    runnables,
    shape_that_runs,
)
from tests.check.metamorphic.table import exceptions, is_excepted, outcomes, program_of

from didact.check.engine.engine import analyse
from didact.check.rules import RULES, findings_of

INPUTS = [*examples(), *unseen()]
EVERY = 7
each = pytest.mark.parametrize("item", INPUTS, ids=[item.name for item in INPUTS])


def some_changes(item: Input) -> list[str]:
    """Every seventh change, beginning elsewhere for each input."""
    return list(CHANGES)[INPUTS.index(item) % EVERY :: EVERY]


@each
def test_findings_stay_the_same(item: Input) -> None:
    differing = [o for o in outcomes([item], some_changes(item)) if not o.same]
    assert [str(o) for o in differing if not is_excepted(o)] == []


@each
def test_another_layout_changes_nothing(item: Input) -> None:
    program, found = program_of(item)
    assert {code for code, _ in found} == {f.code for f in findings_of(analyse(item.text))}
    assert all(origins for _, origins in found)
    assert program.text.count("#") == item.text.count("#")


@each
def test_what_is_computed_stays_the_same(item: Input) -> None:
    program, _ = program_of(item)
    for function in runnables(program):
        shape = shape_that_runs(program, function)
        if shape is None:
            continue
        given = arguments(function.needed, shape)
        wanted = outcome(callable_of(namespace(program), function, given), given)
        for name in some_changes(item):
            changed = CHANGES[name].apply(program)
            if changed is None:
                continue
            given = arguments(function.needed, shape)
            call = callable_of(namespace(changed), function, given)
            if call is not None:  # a helper may have been folded into its caller
                torch.testing.assert_close(outcome(call, given), wanted, equal_nan=True)


def test_every_change_applies_somewhere() -> None:
    applied = {
        name
        for name, change in CHANGES.items()
        if any(change.apply(program_of(item)[0]) for item in INPUTS)
    }
    needs_a_helper = {"inlined", "functional-form"} if not unseen() else set()
    assert applied | needs_a_helper == set(CHANGES)
    assert len(CHANGES) >= 15


def test_every_rule_is_tried_with_many_changes() -> None:
    for item in examples():
        if item.name.endswith("bad"):
            program, found = program_of(item)
            assert item.rule in {code for code, _ in found}
            assert sum(change.apply(program) is not None for change in CHANGES.values()) >= 4
    assert {item.rule for item in examples()} == set(RULES)


def test_exceptions_name_changes_and_inputs_that_exist() -> None:
    inputs = {item.name for item in INPUTS}
    for (change, item), reason in exceptions().items():
        assert change in CHANGES
        assert item == "*" or item in inputs or not unseen()
        assert len(reason) > 20
