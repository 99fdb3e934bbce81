"""Products of symbols: what a tensor or a loss has been multiplied by so far."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """``const * prod(symbol ** exponent)``, e.g. ``0.5 * T**2 * alpha``.

    Attributes:
        const: The product of all numbers.
        atoms: Symbols with their exponents, sorted by symbol, no exponent zero.
    """

    const: float = 1.0
    atoms: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, symbol: str) -> Scale:
        """One symbol to the power one."""
        return cls(1.0, ((symbol, 1.0),))

    def times(self, other: Scale) -> Scale:
        """The product of two."""
        powers = dict(self.atoms)
        for symbol, exponent in other.atoms:
            powers[symbol] = powers.get(symbol, 0.0) + exponent
        return Scale(_product(self.const, other.const), _sorted(powers))

    def power(self, exponent: float) -> Scale:
        """Raised to a number."""
        powers = {symbol: e * exponent for symbol, e in self.atoms}
        return Scale(_power(self.const, exponent), _sorted(powers))

    def over(self, other: Scale) -> Scale:
        """The quotient of two."""
        return self.times(other.power(-1))

    def exponent(self, symbol: str) -> float:
        """The power of a symbol, zero if it does not occur."""
        return dict(self.atoms).get(symbol, 0.0)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that occur."""
        return tuple(symbol for symbol, _ in self.atoms)

    @property
    def is_one(self) -> bool:
        """Whether it is exactly the number one."""
        return not self.atoms and self.const == 1.0

    @property
    def text(self) -> str:
        """Readable: ``T**2 * alpha``."""
        parts = [] if self.const == 1.0 and self.atoms else [f"{self.const:g}"]
        for symbol, exponent in self.atoms:
            base = symbol if symbol.replace(".", "").replace("_", "").isalnum() else f"({symbol})"
            parts.append(base if exponent == 1 else f"{base}**{exponent:g}")
        return " * ".join(parts)


ONE = Scale()
UNSURE = Scale.of("?")
"""What a value was multiplied by where two branches differ: equal to nothing that has a name."""


def may_hold_square(number: float, temperature: float) -> bool:
    """Whether a number can be a weight of at most 1 times T²: ``4.5 * kl`` at T = 3 is 0.5 · 9.

    A number of at most 1 is a weight alone.
    """
    share = abs(number) / temperature**2
    return abs(number) > 1 and temperature > 1 and 0.1 - 1e-9 <= share <= 1 + 1e-9


def as_number(value: object) -> float | None:
    """A Python number as a finite float, else nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _sorted(powers: dict[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((symbol, e) for symbol, e in powers.items() if e))


def _product(left: float, right: float) -> float:
    product = left * right
    return product if math.isfinite(product) else 1.0


def _power(base: float, exponent: float) -> float:
    try:
        result = base**exponent
    except (OverflowError, ZeroDivisionError):
        return 1.0
    return result if isinstance(result, float) and math.isfinite(result) else 1.0
