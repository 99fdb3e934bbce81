"""The laws catch planted faults; the table of them is fresh."""

from __future__ import annotations

import re

import pytest
from tests.losses import mutants as planted
from tests.losses.families import FAMILIES, applies, faulty
from tests.losses.support import make_case

from didact.losses import CARDS

EVERY = 12
"""Every twelfth mutant is run here; ``python docs/generate_loss_mutations.py`` runs them all."""


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(m, id=f"{m.file}-{m.fault}") for m in list(planted.mutants())[::EVERY]],
)
def test_a_planted_fault_is_caught(mutant: planted.Mutant) -> None:
    assert planted.caught_by(mutant) or planted.changes_no_number(mutant), (
        f"{mutant.file}.py with '{mutant.fault}' in the line {mutant.line!r} breaks no law"
    )


def _committed() -> dict[tuple[str, str], str]:
    """The laws that the page names, by loss and fault."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", planted.TABLE.read_text("utf-8"), re.MULTILINE)
    return {
        (name, family): law.replace(" ", "_")
        for name, laws in rows
        for family, law in zip(FAMILIES, laws.split(" | "), strict=True)
    }


def test_the_table_of_losses_is_fresh() -> None:
    table = _committed()
    places = {(name, family) for name in CARDS for family in FAMILIES}
    assert set(table) == places, "run python docs/generate_loss_mutations.py"
    for (name, family), law in table.items():
        assert (law == planted.NOT_BY_IT) != applies(name, family), (
            "run python docs/generate_loss_mutations.py"
        )


@pytest.mark.parametrize("name", sorted(CARDS))
def test_each_fault_that_a_loss_commits_is_caught(name: str) -> None:
    for (loss, family), law in _committed().items():
        if loss == name and law != planted.NOT_BY_IT:
            assert planted.breaks(faulty(name, family), law), f"{family} breaks no law"
            assert not planted.breaks(make_case(name), law)


def test_the_table_of_faults_is_fresh() -> None:
    rows = re.findall(
        r"^\| `([\w.]+)\.py` \| ([^|]+) \| (\d+) \|", planted.TABLE.read_text("utf-8"), re.MULTILINE
    )
    written = {(file, fault): int(count) for file, fault, count in rows}
    assert written == planted.places(), "run python docs/generate_loss_mutations.py"


@pytest.mark.parametrize("file", planted.WAYS)
def test_the_laws_hold_on_every_way_of_a_file(file: str) -> None:
    for mutant, way in planted.untouched(file):
        for loss in mutant.losses:
            assert (
                planted.broken_law(make_case(loss, function=planted.load(mutant, loss, way)))
                is None
            )


def test_the_real_losses_are_back_after_a_faulty_import() -> None:
    import didact.losses

    before = dict(didact.losses.CARDS), didact.losses.kd
    planted.load(next(planted.mutants()), "kd", {})
    assert (dict(didact.losses.CARDS), didact.losses.kd) == before
