"""A number that may change over a run: a temperature, a weight."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ramp:
    """``start`` alone is constant; with ``end`` the value goes linearly from one to the other."""

    start: float
    end: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """The first and the last value."""
        return self.start, self.start if self.end is None else self.end

    def at(self, fraction: float) -> float:
        """The value when ``fraction`` of the run, 0 to 1, is done."""
        start, end = self.ends
        return start + (end - start) * fraction

    @classmethod
    def read(cls, text: str | float) -> Ramp:
        """Read ``4`` or ``8:2``.

        Raises:
            ValueError: Neither a number nor two numbers with a colon between.
        """
        parts = str(text).split(":")
        try:
            numbers = [float(part) for part in parts]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 2) or not all(map(math.isfinite, numbers)):
            raise ValueError(f"is {text!r}; expected a number, or two as in 8:2 (from 8 to 2)")
        return cls(*numbers)

    def write(self) -> float | str:
        """What :meth:`read` reads."""
        return self.start if self.end is None else f"{self.start}:{self.end}"

    def __str__(self) -> str:
        return str(self.write())
