"""How far a formula is from the named definitions, by numbers: equal, off by a factor, unknown.

Both are evaluated on random numbers. A term is equal to a definition if the numbers are; it departs
by a factor if their quotient is the same for all numbers and depends on sizes and the temperature
alone. Anything else is not recognised, and nothing is said of it.
"""

from didact.check.explain.formula.verdict.factors import addends, is_same
from didact.check.explain.formula.verdict.laboratory import Laboratory, laboratory
from didact.check.explain.formula.verdict.law import Law
from didact.check.explain.formula.verdict.solve import by_form, solve
from didact.check.explain.formula.verdict.term import Term

__all__ = [
    "Laboratory",
    "Law",
    "Term",
    "addends",
    "by_form",
    "is_same",
    "laboratory",
    "solve",
]
