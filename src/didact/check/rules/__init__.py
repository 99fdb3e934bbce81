"""The rules of ``didact check``: one module each, found by themselves.

How to write a rule. A module ``rules/<bad_pattern>.py`` has:

- a docstring, its page: one summary line, then ``## What it does``, ``## Why is this bad``,
  ``## Measured effect``, ``## Example``, ``## Use instead``, ``## Fix safety``,
  ``## Known false alarms``, ``## References``; then a line ``---`` and the same in Chinese under
  the headings of ``_rule.SECTIONS``. ``Example`` and ``Use instead`` hold one fenced python block
  each in the English half; the Chinese half takes them over. They are run as tests: the first
  must give this code alone, the second nothing at all;
- ``CODE``, ``NAME``, ``SEVERITY``, ``TOPIC``, ``CATALOGUE`` (the kinds of mistakes it finds);
- ``FRAMEWORKS``, if it judges code of another framework than PyTorch (``Index.framework``);
- ``check(analysis) -> Iterator[Found]``, and, for source that cannot be parsed, perhaps
  ``check_source(source) -> Iterator[Finding]``.

What a rule can ask of the ``Analysis``: ``uses`` (losses: kind, both arguments with their inferred
values, reduction, ``log_target``), ``terms_of(use)`` (the factors and reductions on the way),
``totals`` (sums of losses assigned, returned or backpropagated), ``softmaxes``, ``logs``,
``forwards`` (model calls), ``operations_of(kind)``, ``facts`` (eval, train, frozen, optimised,
aliases), ``value_of(expression)``, ``index`` and the tree.

Unknown means silent: a rule speaks only of what was inferred. Where it must ask what the author
has in mind it reads names and declared intent (``_common.mentions``, ``is_declared``), whole words,
never the source text.

This room calls ``engine`` and ``findings``.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from didact.check.findings.finding import Finding
from didact.check.findings.meta import META, RuleInfo
from didact.check.rules._rule import Found, Rule, read_rule

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

__all__ = ["RULES", "Found", "Rule", "all_rules", "check_source", "findings_of"]


@cache
def _load() -> dict[str, Rule]:
    modules = [
        import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.name.startswith("_")
    ]
    rules = sorted((read_rule(module) for module in modules), key=lambda rule: rule.code)
    return {rule.code: rule for rule in rules}


class _Rules(Mapping[str, Rule]):
    """All rules by code, read when first asked for."""

    def __getitem__(self, code: str) -> Rule:
        return _load()[code]

    def __iter__(self) -> Iterator[str]:
        return iter(_load())

    def __len__(self) -> int:
        return len(_load())


RULES: Mapping[str, Rule] = _Rules()
"""Every rule by its code."""


def all_rules() -> dict[str, RuleInfo]:
    """Every code that can be reported, those of the rules and those about a file itself."""
    return {**META, **RULES}


def findings_of(analysis: Analysis) -> list[Finding]:
    """What all rules find in one file: sorted, each place once for each code.

    Columns are as in the tree, in bytes; ``files.columns.in_characters`` counts them anew.
    """
    unique: dict[tuple[object, ...], Finding] = {}
    framework = analysis.index.framework
    for rule in RULES.values():
        for found in rule.check(analysis) if framework in rule.frameworks else ():
            if not analysis.owns(found.node):
                continue
            finding = rule.finding(found)
            unique.setdefault((finding.code, finding.span), finding)
    return sorted(unique.values(), key=lambda f: (f.span, f.code))


def check_source(source: str) -> list[Finding]:
    """What can be said of text that is not Python."""
    return [
        finding
        for rule in RULES.values()
        if rule.check_source is not None
        for finding in rule.check_source(source)
    ]
