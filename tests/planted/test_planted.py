"""The planted faults fit the source as it is."""

from __future__ import annotations

import ast
import shlex
from collections import Counter

import pytest

from tests.planted import PACKAGE, ROOT, Fault, FaultError, all_faults, place_of

FAULTS = all_faults()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.floor}: {fault.name}")
def test_a_fault_can_be_planted(fault: Fault) -> None:
    path, changed = place_of(fault)
    before = ast.dump(ast.parse(path.read_text(encoding="utf-8")))
    compile(changed, str(path), "exec")
    assert ast.dump(ast.parse(changed)) != before, "only the layout changes"
    for argument in shlex.split(fault.tests):
        file = argument.partition("::")[0]
        if file.startswith("tests/"):
            assert (ROOT / file).exists(), file


def test_every_floor_has_faults_of_names_that_differ() -> None:
    times = Counter((fault.floor, fault.name) for fault in FAULTS)
    assert max(times.values()) == 1, times.most_common(1)
    floors = {"_core", "losses", "metrics", "nn", "data", "train", "report", "probe", "check"}
    assert floors <= {fault.floor for fault in FAULTS}
    assert all((PACKAGE / fault.floor).is_dir() for fault in FAULTS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("no such text", "other", "stands 0 times"),
        ("import", "other", "expected exactly once"),
    ],
)
def test_a_text_that_does_not_stand_once_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        place_of(Fault("some", "_core", old, new, ""))
