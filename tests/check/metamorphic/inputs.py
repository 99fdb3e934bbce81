"""What the changes are applied to: every rule's two examples, and the inputs that once failed."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib import import_module

from didact.check.rules import RULES


@dataclass(frozen=True)
class Input:
    """One source.

    Attributes:
        name: ``KD101 bad``, or what a small input is about.
        rule: The rule that it is about; ``silent`` where nothing may be found.
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
    """The small inputs that once went wrong: what must be found, and what must not."""
    try:
        module = import_module("tests.check.unseen.test_unseen")
    except ModuleNotFoundError:
        return []
    found = [
        Input(name, codes.replace("+", " ").split()[0], module.TORCH + text)
        for name, (codes, _, text) in module.FOUND.items()
    ]
    found += [Input(name, "silent", module.TORCH + text) for name, text in module.SILENT.items()]
    return [item for item in found if _parses(item.text)]


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
