"""Whatever a disk does and whenever a process dies, a run goes on to the same bits.

A few operations are tried in the suite; all of them where ``DIDACT_ATTACK`` is set (``make
attack``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.attack.disk import ERRORS
from tests.attack.run import process
from tests.train.distilling.run_process import names as distill_names
from tests.train.killing import Killer, finish, rows
from tests.train.learning.support import names as learn_names

from didact.train import verify_run
from didact.train.record.files import read_tensors

THOROUGH = bool(os.environ.get("DIDACT_ATTACK"))
TRIED = 4
KINDS = ("distill", "learn")

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux")


@pytest.fixture(scope="module")
def killer() -> Killer:
    return Killer(process, "tests.attack.run")


@pytest.fixture(scope="module", params=KINDS)
def whole(
    request: pytest.FixtureRequest, killer: Killer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any], Path, int]:
    """A run that nothing happened to, and how many file operations it took."""
    place = tmp_path_factory.mktemp(request.param)
    parts = distill_names(place) if request.param == "distill" else learn_names(place, plain=True)
    finish(killer.begin(place / "run", request.param, parts, "count"))
    return request.param, parts, place / "run", int((place / "count.txt").read_text())


def moments(count: int) -> Iterator[int]:
    """All operations, or a few that are spread over the run."""
    step = 1 if THOROUGH else max(1, count // TRIED)
    chosen = range(step // 2, count, step)
    yield from chosen
    print(f"{len(chosen)} of {count} file operations")


def same(folder: Path, whole: Path) -> None:
    """The same numbers, and every file as it was written."""
    assert rows(folder) == rows(whole)
    for path in sorted(whole.rglob("*.safetensors")):
        expected, got = read_tensors(path)[0], read_tensors(folder / path.relative_to(whole))[0]
        assert expected.keys() == got.keys()
        for name, value in expected.items():
            assert value.equal(got[name]) or value.isnan().any(), (path, name)
    ours, theirs = (json.loads((f / "result.json").read_text()) for f in (folder, whole))
    for key in ("seeds", "data", "paired", "reliability", "protocol"):
        assert ours.get(key) == theirs.get(key)
    assert not [entry for entry in verify_run(folder) if entry.problem]
    assert not list(folder.rglob("*.tmp"))


def test_killed_at_a_file_operation(
    killer: Killer, whole: tuple[str, dict[str, Any], Path, int], tmp_path: Path
) -> None:
    kind, parts, expected, count = whole
    for at in moments(count):
        folder = tmp_path / f"killed-{at}"
        first = killer.begin(folder, kind, parts, "kill", at)
        first.join(120)
        assert first.exitcode == 9
        finish(killer.begin(folder, kind, parts))
        same(folder, expected)


def test_the_power_is_cut(
    killer: Killer, whole: tuple[str, dict[str, Any], Path, int], tmp_path: Path
) -> None:
    kind, parts, expected, count = whole
    for at in moments(count):
        folder = tmp_path / f"cut-{at}"
        first = killer.begin(folder, kind, parts, "power", at)
        first.join(120)
        assert first.exitcode == 9
        image = tmp_path / f"cut-{at}-image"
        finish(killer.begin(image, kind, parts))
        same(image, expected)


def test_an_operation_fails(
    killer: Killer, whole: tuple[str, dict[str, Any], Path, int], tmp_path: Path
) -> None:
    """One message, nothing lost: the run goes on when the disk does."""
    kind, parts, expected, count = whole
    for at in moments(count):
        place = tmp_path / str(at)
        place.mkdir()
        first = killer.begin(place / "run", kind, parts, "error", at, ERRORS[at % len(ERRORS)])
        first.join(120)
        assert first.exitcode in (0, 2), at
        if first.exitcode:
            assert str(place / "run") in (place / "error.txt").read_text()
        finish(killer.begin(place / "run", kind, parts))
        same(place / "run", expected)
