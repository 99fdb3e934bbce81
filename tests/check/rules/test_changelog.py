"""The changelog names exactly the rules that there are."""

from __future__ import annotations

import re
from pathlib import Path

from didact.check.rules import RULES

CHANGELOG = Path(__file__).parents[3] / "CHANGELOG.md"


def test_codes_are_those_of_the_changelog() -> None:
    named: set[str] = set()
    ranges = re.findall(r"KD(\d{3})(?:-KD(\d{3}))?", CHANGELOG.read_text(encoding="utf-8"))
    for first, last in ranges:
        named |= {f"KD{number}" for number in range(int(first), int(last or first) + 1)}
    assert named == set(RULES), "the line on didact check in CHANGELOG.md names other codes"
