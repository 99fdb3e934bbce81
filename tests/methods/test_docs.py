"""The page of the methods is fresh and has them all."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from didact.methods import METHODS

ROOT = Path(__file__).parents[2]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate_methods.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_fresh() -> None:
    written = (ROOT / "docs/methods.md").read_text("utf-8")
    assert written == generator().page(), "run python docs/generate_methods.py"


def test_the_page_has_every_method_of_didact() -> None:
    own = {n for n, e in METHODS.items() if e.method.__module__.startswith("didact.methods.")}
    assert {name for names in generator().GROUPS.values() for name in names} == own
