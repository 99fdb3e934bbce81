"""Apply every change to every input, and count what stays the same."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.check.metamorphic.changes import CHANGES
from tests.check.metamorphic.inputs import Input
from tests.check.metamorphic.program import Place, Program, findings, kept, read

EXCEPTIONS = Path(__file__).with_name("exceptions.csv")
"""Where the findings cannot be the same: change, input, reason. ``*`` stands for every input."""
PENDING = Path(__file__).with_name("pending.csv")
"""Where they are not the same yet: change, input."""


@dataclass(frozen=True)
class Outcome:
    """What became of the findings of one input under one change.

    Attributes:
        item: The input.
        change: The name of the change.
        before: What was found.
        after: What is found.
    """

    item: Input
    change: str
    before: frozenset[Place]
    after: frozenset[Place]

    @property
    def counts(self) -> tuple[int, int]:
        """How many findings are kept, of how many."""
        return kept(set(self.before), set(self.after))

    @property
    def same(self) -> bool:
        """Whether all are."""
        return self.counts[0] == self.counts[1]

    def __str__(self) -> str:
        """One line for people."""
        before, after = (sorted(code for code, _ in s) for s in (self.before, self.after))
        return f"{self.item.name}, {self.change}: {before} became {after}"


@cache
def program_of(item: Input) -> tuple[Program, frozenset[Place]]:
    """An input's program and what is found in it."""
    program = read(item.text)
    return program, frozenset(findings(program))


def outcomes(items: list[Input], wanted: list[str] | None = None) -> Iterator[Outcome]:
    """Every change that applies to an input, with what became of its findings."""
    for item in items:
        program, before = program_of(item)
        for name in CHANGES if wanted is None else wanted:
            changed = CHANGES[name].apply(program)
            if changed is not None:
                yield Outcome(item, name, before, frozenset(findings(changed)))


@cache
def exceptions() -> dict[tuple[str, str], str]:
    """The reasons of the listed exceptions, by change and input."""
    with EXCEPTIONS.open(encoding="utf-8", newline="") as file:
        return {(row["change"], row["input"]): row["reason"] for row in csv.DictReader(file)}


@cache
def pending() -> list[tuple[str, str]]:
    """The differences that are still to be mended, by change and input."""
    if not PENDING.exists():
        return []
    with PENDING.open(encoding="utf-8", newline="") as file:
        return [(row["change"], row["input"]) for row in csv.DictReader(file)]


def numbers_pending(item: Input) -> bool:
    """Whether what is inferred of an input's values is not what they are yet."""
    return ("numbers", item.name) in pending()


def is_excepted(outcome: Outcome) -> bool:
    """Whether a difference is listed."""
    known = exceptions() | dict.fromkeys(pending(), "")
    return (outcome.change, outcome.item.name) in known or (outcome.change, "*") in known


class Shares:
    """The share of findings kept: of all, by rule, by change and by both."""

    def __init__(self, found: list[Outcome]):
        self._same: Counter[tuple[str, str]] = Counter()
        self._all: Counter[tuple[str, str]] = Counter()
        for outcome in found:
            same, total = outcome.counts
            for key in self._keys(outcome):
                self._same[key] += same
                self._all[key] += total

    @staticmethod
    def _keys(outcome: Outcome) -> list[tuple[str, str]]:
        rule, change = outcome.item.rule, outcome.change
        return [(rule, change), (rule, ""), ("", change), ("", "")]

    def count(self, rule: str = "", change: str = "") -> int:
        """How many findings, or silences, were looked at."""
        return self._all[rule, change]

    def of(self, rule: str = "", change: str = "") -> float | None:
        """The share kept; nothing if there was nothing to keep."""
        total = self._all[rule, change]
        return self._same[rule, change] / total if total else None
