"""Pastes in other forms: what keeps their meaning keeps roles, verdict and findings.

The forms are those of a web page (prompts, numbers, entities, one line, glued comments) and the
changes of code that the checker's own harness makes (other names, helpers, classes, loops of one).
"""

from __future__ import annotations

import ast
import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.check.metamorphic.changes import CHANGES
from tests.check.metamorphic.program import read
from tests.check.snippets.support import LOSSLESS, LOSSY, shape, without_comments

from didact.check.explain import Explanation, explain
from didact.check.snippet import recover

FOLDER = Path(__file__).parent / "pastes"
CHECK = Path(__file__).parents[1]
EXCEPTIONS = FOLDER / "metamorphic.csv"
"""Where they cannot stay, or do not yet: change, paste (``*`` for every one), reason."""
SIDES = ("student", "teacher", "labels", "temperature")
RENAMING = ("telling-names", "blank-names")


@dataclass(frozen=True)
class Difference:
    """One paste that is explained otherwise in another form."""

    paste: str
    change: str
    before: object
    after: object

    def __str__(self) -> str:
        return f"{self.paste}, {self.change}: {self.before} became {self.after}"


@cache
def sources() -> dict[str, str]:
    """The code of every paste, by its name."""
    rows = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    found = {row["file"]: row["recovered"] for row in rows}
    for row in json.loads((FOLDER / "more.json").read_text("utf-8")):
        found[row["file"]] = recover((CHECK / row["file"]).read_text("utf-8")).source
    return found


@cache
def explained(text: str) -> Explanation:
    """An explanation, kept."""
    return explain(text)


def told(found: Explanation, *, named: bool) -> tuple[object, ...]:
    """What must stay: the verdict, the method, the findings and the roles."""
    roles = {line.name: line.role for line in found.roles if line.role in SIDES}
    codes = Counter(f.code for f in found.findings)
    sides = roles if named else set(roles.values())
    return found.verdict.outcome, found.verdict.method_key, dict(codes), sides


def forms(source: str) -> Iterator[tuple[str, str]]:
    """The paste in each form of a page from which its code can be had back."""
    code = source.rstrip("\n")
    for name, change in LOSSLESS.items():
        yield name, change(code)
    bare = without_comments(source).rstrip("\n")
    for name, change in LOSSY.items():
        text = change(bare)
        if shape(recover(text).source) == shape(bare):
            yield name, text


def changed(source: str) -> Iterator[tuple[str, str]]:
    """The code after each change that applies to it and leaves it in one file."""
    program = read(source)
    for name, change in CHANGES.items():
        after = change.apply(program)
        if after is not None and len(after.texts) == 1:
            yield name, after.text


def differences(paste: str, source: str, wanted: slice = slice(None)) -> Iterator[Difference]:
    """Each form and change that makes a difference; ``wanted`` takes some of them."""
    ways = [*forms(source), *changed(source)]
    for name, text in ways[wanted]:
        named = name in LOSSLESS or name in LOSSY
        before = told(explained(source), named=named)
        after = told(explained(text), named=named)
        if before != after:
            yield Difference(paste, name, before, after)


@cache
def exceptions() -> dict[tuple[str, str], str]:
    """The reasons of the listed exceptions, by change and paste."""
    with EXCEPTIONS.open(encoding="utf-8", newline="") as file:
        return {(row["change"], row["paste"]): row["reason"] for row in csv.DictReader(file)}


def is_excepted(found: Difference) -> bool:
    """Whether a difference is listed."""
    known = exceptions()
    return (found.change, found.paste) in known or (found.change, "*") in known


def parses(source: str) -> bool:
    """Whether a paste's code is Python."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
