"""Checks of hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from didact._core.errors import RangeError, UsageError

Classes = Literal["new", "seen"]


def one_of(name: str, value: str, choices: Sequence[str]) -> None:
    """Refuse a word that is none of the choices.

    Raises:
        UsageError: That; the message names the choices.
    """
    if value not in choices:
        raise UsageError(f"{name} is {value!r}; expected one of {', '.join(choices)}")


def at_least(name: str, value: float, lowest: float) -> None:
    """Refuse a number below ``lowest``, and NaN.

    Raises:
        RangeError: That.
    """
    if not value >= lowest:
        raise RangeError(f"{name} is {value}; expected at least {lowest}")


def above_zero(name: str, value: float) -> None:
    """Refuse a number that is not above 0.

    Raises:
        RangeError: That.
    """
    if not value > 0:
        raise RangeError(f"{name} is {value}; expected a number above 0")
