"""The generated pages of the rules: one for each rule and language, and an index of all."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from tests.docs_support import generator

from didact.check.rules import RULES


@pytest.fixture
def rules() -> ModuleType:
    return generator("rules")


def test_every_rule_has_its_two_pages(rules: ModuleType, tmp_path: Path) -> None:
    paths = rules.write(tmp_path)
    assert len(paths) == 2 * len(RULES) + 2
    for code, rule in RULES.items():
        assert (tmp_path / f"{code}.md").read_text(encoding="utf-8") == rule.page("en")
        assert (tmp_path / f"{code}.zh.md").read_text(encoding="utf-8") == rule.page("zh")


@pytest.mark.parametrize("name", ["index.md", "index.zh.md"])
def test_the_index_lists_every_rule_once(rules: ModuleType, tmp_path: Path, name: str) -> None:
    rules.write(tmp_path)
    text = (tmp_path / name).read_text(encoding="utf-8")
    for code in RULES:
        assert text.count(f"| [{code}](") == 1


def test_every_topic_has_a_title(rules: ModuleType) -> None:
    assert {rule.topic for rule in RULES.values()} == set(rules.TOPICS)
