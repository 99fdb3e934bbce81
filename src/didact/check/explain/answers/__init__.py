"""Questions about a thing that stands in the code: one module each, found by themselves.

A module has

- ``ASKS``: the words of both languages by which such a question is known;
- ``answer(question, code)``: what the tree proves of it, or None where it proves nothing;
- ``PLACE`` (0 if it has none): of two that fit, the one with the smaller number answers.

The sentences of an idea stand in its module, both languages side by side.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code

__all__ = ["Code", "answer_from_code"]


@cache
def _modules() -> tuple[ModuleType, ...]:
    names = [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]
    modules = [import_module(f"{__name__}.{name}") for name in sorted(names)]
    return tuple(sorted(modules, key=lambda m: getattr(m, "PLACE", 0)))


def answer_from_code(question: str, code: Code) -> Text | None:
    """The answer to one question that the code itself proves, or None.

    Args:
        question: One sentence as it was written, in either language.
        code: What is known of the code.
    """
    for module in _modules():
        if module.ASKS.search(question):
            found: Text | None = module.answer(question, code)
            if found is not None:
                return found
    return None
