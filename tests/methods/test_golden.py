"""A small run of each method on real images ends where it ended when ``golden.json`` was made.

The networks are in float64, so that the numbers are the same on every processor to four digits. A
change that is meant to change a method's numbers makes the file anew, and says so::

    python tests/methods/test_golden.py            all methods
    python tests/methods/test_golden.py lwf bic    these alone
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.methods.state import (
    Loop,
    build,
    normalised,
    one_thread,
    scores,
    tasks_of,
    tiny_transformer,
)

from didact.data import Memory, Split, load
from didact.methods import METHODS

GOLDEN = Path(__file__).with_name("golden.json")
SIZES, EACH, ASKED = (3, 2, 3), 8, 5
OPTIONS: dict[str, dict[str, Any]] = {
    "der": {"classifier_epochs": 2},
    "dualprompt": {"general": 1},
    "podnet": {"proxies": 2},
    "ranpac": {"width": 40},
}


@cache
def digits() -> tuple[list[Split], list[Split]]:
    """The first images of eight digits, from 0 to 1: by task, for training and for testing."""
    data = load("digits")
    parts = []
    for split, each in ((data.train, EACH), (data.test, ASKED)):
        splits, first = [], 0
        for size in SIZES:
            columns = range(first, first + size)
            places = [(split.labels == column).nonzero().flatten()[:each] for column in columns]
            chosen = split.subset(torch.cat(places))
            images = chosen.take(torch.arange(len(chosen))).float() / 255
            splits.append(Split(images, chosen.labels))
            first += size
        parts.append(splits)
    return parts[0], parts[1]


def outcome(name: str) -> dict[str, Any]:
    """How many images of each task are right after each task, and some of the last scores."""
    trains, tests = digits()
    exemplars = METHODS[name].method.exemplars
    memory = Memory(exemplars or "herding", per_class=3 if exemplars else 0)
    of_tokens = METHODS[name].method.needs_tokens or name == "aper"
    given = {"build_network": lambda classes: tiny_transformer(classes, 8)} if of_tokens else {}
    method = build(name, OPTIONS.get(name, {}), memory=memory, **given)
    loop = Loop(method, rate=0.1, size=12)
    right = []
    for task in tasks_of(trains, with_earlier=method.sees_all_tasks):
        loop.learn(task)
        row = []
        for test in tests[: task.index + 1]:
            answers = scores(method, normalised(test.images)).argmax(1)
            row.append(int((answers == test.labels).sum()))
        right.append(row)
    asked = normalised(torch.cat([test.images[::7] for test in tests]))
    return {"right": right, "scores": scores(method, asked).tolist()}


def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text())
    return found


def test_every_method_has_its_numbers() -> None:
    without = sorted(set(METHODS) ^ set(golden()))
    assert not without, f"run python -m tests.methods.test_golden {' '.join(without)}"


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_run_ends_where_it_did(name: str) -> None:
    with one_thread():
        found = outcome(name)
    wanted = golden().get(name)
    assert wanted, f"run python -m tests.methods.test_golden {name}"
    size = max(abs(value) for row in wanted["scores"] for value in row)
    torch.testing.assert_close(
        torch.tensor(found["scores"]), torch.tensor(wanted["scores"]), rtol=1e-4, atol=1e-4 * size
    )
    for row, expected in zip(found["right"], wanted["right"], strict=True):
        assert row == pytest.approx(expected, abs=1)


def make(names: list[str]) -> None:
    """Write the numbers of some methods, or of all, to ``golden.json``."""
    kept = golden() if GOLDEN.exists() and names else {}
    for name in names or sorted(METHODS):
        with one_thread():
            made = outcome(name)
        made["scores"] = [[float(f"{value:.6g}") for value in row] for row in made["scores"]]
        kept[name] = made
    lines = [f"  {json.dumps(name)}: {json.dumps(kept[name])}" for name in sorted(kept)]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    make(sys.argv[1:])
