"""What the changes are applied to: every rule's two examples, and the inputs that once failed."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from didact.check.rules import RULES

UNSEEN = Path(__file__).parents[1] / "unseen"


@dataclass(frozen=True)
class Input:
    """One source.

    Attributes:
        name: ``KD101 bad`` or a file's name.
        rule: The rule that it is about.
        text: The source.
    """

    name: str
    rule: str
    text: str


def examples() -> list[Input]:
    """The examples of the rules; what is no Python on purpose is left out."""
    found = [
        Input(f"{code} {kind}", code, text)
        for code, rule in RULES.items()
        for kind, text in (("bad", rule.bad), ("good", rule.good))
    ]
    return [item for item in found if _parses(item.text)]


def unseen() -> list[Input]:
    """The inputs in ``tests/check/unseen``; each names the rules in its first line."""
    found = []
    for path in sorted(UNSEEN.rglob("*.py")) if UNSEEN.is_dir() else ():
        text = path.read_text(encoding="utf-8")
        codes = re.findall(r"KD\d{3}", text.partition("\n")[0])
        if codes and codes[0] in RULES and _parses(text):
            found.append(Input(path.stem, codes[0], text))
    return found


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
