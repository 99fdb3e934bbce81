"""What is inferred of a value is what torch computes on random tensors."""

from __future__ import annotations

import pytest
from tests.check.metamorphic.changes import CHANGES
from tests.check.metamorphic.inputs import Input, examples, unseen
from tests.check.metamorphic.numbers import watch
from tests.check.metamorphic.program import read
from tests.check.metamorphic.running import runnables
from tests.check.metamorphic.table import numbers_pending, program_of

INPUTS = [*examples(), *unseen()]
each = pytest.mark.parametrize("item", INPUTS, ids=[item.name for item in INPUTS])


@each
def test_spaces_ranks_and_temperatures_are_those_of_the_numbers(item: Input) -> None:
    program, _ = program_of(item)
    watched = [watch(program, function) for function in runnables(program)]
    assert [wrong for w in watched if w for wrong in w.wrong] == [] or numbers_pending(item)


@each
def test_they_are_so_after_a_change(item: Input) -> None:
    program, _ = program_of(item)
    names = list(CHANGES)
    for name in names[INPUTS.index(item) % 12 :: 12]:
        changed = CHANGES[name].apply(program)
        if changed is not None and len(changed.trees) == 1:
            watched = [watch(changed, function) for function in runnables(changed)]
            wrong = [wrong for w in watched if w for wrong in w.wrong]
            assert wrong == [] or numbers_pending(item), name


def test_most_examples_run_and_are_compared() -> None:
    watched = [watch(program_of(i)[0], f) for i in INPUTS for f in runnables(program_of(i)[0])]
    ran = [w for w in watched if w is not None]
    assert len(ran) >= 0.75 * len(watched)
    assert sum(w.checks for w in ran) >= 500


@pytest.mark.parametrize(
    ("computed", "claimed", "complaint"),
    [
        ("torch.tanh(student_logits)", "torch.softmax(student_logits, 1)", "sums to one"),
        ("torch.softmax(student_logits, 0)", "torch.softmax(student_logits, 1)", "sums to one"),
        ("torch.softmax(student_logits / 3, 1)", "torch.softmax(student_logits, 1)", "temperature"),
    ],
)
def test_a_false_inference_would_be_seen(computed: str, claimed: str, complaint: str) -> None:
    source = "import torch\n\n\ndef f(student_logits):\n    p = {}\n    return p\n"
    honest, told = read(source.format(computed)), read(source.format(claimed))
    (function,) = runnables(told)
    assert watch(told, function).wrong == []
    watched = watch(told, function, instead=honest)
    assert any(complaint in wrong for wrong in watched.wrong)
