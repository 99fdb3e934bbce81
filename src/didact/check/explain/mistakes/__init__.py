"""Mistakes that only ``explain`` looks for: one module each, found by themselves.

A module has ``CODES``, its codes with the kinds of mistakes that they stand for, and one or both of

- ``in_code(tree)``: what the statements alone show;
- ``in_formulas(look)``: what the formulas show that were followed through them.

The sentences stand in ``words/findings.py``, both languages side by side.
"""

from __future__ import annotations

import ast
import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from didact.check.explain.formula.judge import Judged
from didact.check.explain.mistakes._look import look_at
from didact.check.findings.finding import Finding

__all__ = ["code_findings", "formula_findings", "kinds_of_mistakes"]


@cache
def _modules() -> tuple[ModuleType, ...]:
    names = [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]
    return tuple(import_module(f"{__name__}.{name}") for name in names)


@cache
def kinds_of_mistakes() -> dict[str, tuple[str, ...]]:
    """The kinds of mistakes that each code stands for."""
    return {code: kinds for module in _modules() for code, kinds in module.CODES.items()}


def code_findings(tree: ast.Module) -> list[Finding]:
    """What the code alone shows."""
    return [f for m in _modules() if hasattr(m, "in_code") for f in m.in_code(tree)]


def formula_findings(judged: Judged, known: frozenset[str], words: str) -> list[Finding]:
    """What the formulas show; ``known`` are the kinds that were found already."""
    look = look_at(judged, known, words)
    found = [f for m in _modules() if hasattr(m, "in_formulas") for f in m.in_formulas(look)]
    return list({(f.code, f.span): f for f in found}.values())
