"""The page of the methods is fresh and has them all."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from tests.docs_support import generator

from didact.methods import METHODS

ROOT = Path(__file__).parents[2]


def test_the_page_is_fresh() -> None:
    written = (ROOT / "docs/methods.md").read_text("utf-8")
    assert written == generator("methods").page(), "run python docs/generate_methods.py"


@pytest.mark.parametrize("name", sorted(METHODS))
def test_each_method_says_what_its_paper_and_its_authors_code_have(name: str) -> None:
    """``Compared:`` in its docstring, lines of ``what: paper | authors' code | here``."""
    text = inspect.getdoc(METHODS[name].method) or ""
    found = generator("methods").rows(text.partition("\nCompared:\n")[2])
    assert len(found) > 1, f"{name} has no section Compared: of two rows or more"
    for row in found:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        assert len(cells) == 4, row
        assert all(cells), row


def test_the_page_has_every_method_of_didact() -> None:
    own = {n for n, e in METHODS.items() if e.method.__module__.startswith("didact.methods.")}
    groups = generator("methods").groups()
    assert {entry.name for entries in groups.values() for entry in entries} == own, (
        f"each method has group=, one of {', '.join(groups)}"
    )
