"""The generated pages of the rules: one for each rule and language, and an index of all."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from didact.check.rules import RULES

GENERATOR = Path(__file__).parents[3] / "docs" / "generate_rules.py"


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_rules", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_rule_has_its_two_pages(generator: ModuleType, tmp_path: Path) -> None:
    paths = generator.write(tmp_path)
    assert len(paths) == 2 * len(RULES) + 2
    for code, rule in RULES.items():
        assert (tmp_path / f"{code}.md").read_text(encoding="utf-8") == rule.page("en")
        assert (tmp_path / f"{code}.zh.md").read_text(encoding="utf-8") == rule.page("zh")


@pytest.mark.parametrize("name", ["index.md", "index.zh.md"])
def test_the_index_lists_every_rule_once(generator: ModuleType, tmp_path: Path, name: str) -> None:
    generator.write(tmp_path)
    text = (tmp_path / name).read_text(encoding="utf-8")
    for code in RULES:
        assert text.count(f"| [{code}](") == 1


def test_every_topic_has_a_title(generator: ModuleType) -> None:
    assert {rule.topic for rule in RULES.values()} == set(generator.TOPICS)
