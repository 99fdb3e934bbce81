"""The page of one rule, by its code."""

from __future__ import annotations

from didact._core.i18n import Language
from didact._core.lookup import choose
from didact.check.explain.own import PAGES, page


def rule_page(code: str, language: Language) -> str:
    """The page of a rule of ``check`` or of a code that only ``explain`` uses.

    Raises:
        UnknownNameError: No rule has this code; the message suggests near ones.
    """
    from didact.check.rules import all_rules

    code = code.upper()
    if code in PAGES:
        return page(code, language)
    rules = all_rules()
    known = {**dict.fromkeys(PAGES, ""), **dict.fromkeys(rules, "")}
    choose(code, known, what="rule")
    return rules[code].page(language)
