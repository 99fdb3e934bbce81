"""The page of the methods is fresh and has them all."""

from __future__ import annotations

from pathlib import Path

from tests.docs_support import generator

from didact.methods import METHODS

ROOT = Path(__file__).parents[2]


def test_the_page_is_fresh() -> None:
    written = (ROOT / "docs/methods.md").read_text("utf-8")
    assert written == generator("methods").page(), "run python docs/generate_methods.py"


def test_the_page_has_every_method_of_didact() -> None:
    own = {n for n, e in METHODS.items() if e.method.__module__.startswith("didact.methods.")}
    groups = generator("methods").groups()
    assert {entry.name for entries in groups.values() for entry in entries} == own, (
        f"each method has group=, one of {', '.join(groups)}"
    )
