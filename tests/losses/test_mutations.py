"""The laws catch planted faults; the table of them is fresh."""

from __future__ import annotations

import re

import pytest

import losses_mutants as planted

EVERY = 12
"""Every twelfth mutant is run here; ``python tests/losses_mutants.py`` runs them all."""


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(m, id=f"{m.file}-{m.fault}") for m in list(planted.mutants())[::EVERY]],
)
def test_a_planted_fault_is_caught(mutant: planted.Mutant) -> None:
    assert planted.caught_by(mutant) or planted.changes_no_number(mutant), (
        f"{mutant.file}.py with '{mutant.fault}' in the line {mutant.line!r} breaks no law"
    )


def test_the_table_of_faults_is_fresh() -> None:
    rows = re.findall(
        r"^\| `(\w+)\.py` \| ([^|]+) \| (\d+) \|", planted.TABLE.read_text("utf-8"), re.MULTILINE
    )
    written = {(file, fault): int(count) for file, fault, count in rows}
    assert written == planted.places(), "run python tests/losses_mutants.py"


def test_the_real_losses_are_back_after_a_faulty_import() -> None:
    import didact.losses

    before = dict(didact.losses.CARDS), didact.losses.kd
    planted.load(next(planted.mutants()), "kd")
    assert (dict(didact.losses.CARDS), didact.losses.kd) == before
