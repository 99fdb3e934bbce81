"""What several seeds say about one number: its mean, how sure it is, and how it spreads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from didact._core.errors import NonFiniteError, RangeError, ShapeError


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds and where the true mean may lie.

    Attributes:
        mean: The mean of the values.
        low: The interval's lower end, None where there is no interval.
        high: Its upper end, None where there is no interval.
        level: The interval's confidence level, such as 0.95.
        count: How many values.
        note: Why there is no interval; empty where there is one.
    """

    mean: float
    low: float | None
    high: float | None
    level: float
    count: int
    note: str = ""

    @property
    def half_width(self) -> float | None:
        """Half the interval's length, the number behind "±"; None where there is no interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


class Quartiles(NamedTuple):
    """The three numbers that cut the sorted values into four parts."""

    q1: float
    median: float
    q3: float


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean and its Student t interval: ``mean ± t_{n-1, (1+level)/2} * s / sqrt(n)``.

    ``s`` is the standard deviation with ``n - 1``. One value gives no interval. Neither do equal
    values: a spread of zero in a few seeds is no proof that there is none.

    Args:
        values: One for each seed.
        level: The confidence level, between 0 and 1.

    Raises:
        ShapeError: No value.
        NonFiniteError: NaN or infinity among the values.
        RangeError: ``level`` is not between 0 and 1.

    Paper: Student 1908, The probable error of a mean.

    Example:
        >>> from didact.metrics import mean_interval
        >>> interval = mean_interval([1.0, 2.0, 3.0])
        >>> round(interval.low, 3), interval.mean, round(interval.high, 3)
        (-0.484, 2.0, 4.484)
    """
    array = checked_values(values, "values")
    check_level(level)
    mean = float(array.mean())
    note = no_interval_because(array)
    if note:
        return Interval(mean, None, None, level, len(array), note)
    from scipy import stats  # half a second, which a run of one seed need not pay

    half = float(stats.t.ppf((1 + level) / 2, len(array) - 1) * stats.sem(array))
    return Interval(mean, mean - half, mean + half, level, len(array))


def quartiles(values: Sequence[float]) -> Quartiles:
    """First quartile, median, third quartile, with linear interpolation between values.

    Args:
        values: One for each seed.

    Raises:
        ShapeError: No value.
        NonFiniteError: NaN or infinity among the values.

    Paper: Hyndman and Fan 1996, Sample quantiles in statistical packages, definition 7.

    Example:
        >>> from didact.metrics import quartiles
        >>> quartiles([1.0, 2.0, 3.0, 4.0])
        Quartiles(q1=1.75, median=2.5, q3=3.25)
    """
    q1, median, q3 = np.quantile(checked_values(values, "values"), [0.25, 0.5, 0.75])
    return Quartiles(float(q1), float(median), float(q3))


def checked_values(values: Sequence[float], name: str) -> npt.NDArray[np.float64]:
    """The values as an array of at least one finite number."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ShapeError(f"{name} is {array.shape}; expected at least one number for each seed")
    if not np.isfinite(array).all():
        raise NonFiniteError(f"{name} is {array.tolist()}; expected finite numbers")
    return array


def check_level(level: float) -> None:
    """A confidence level lies between 0 and 1."""
    if not 0 < level < 1:
        raise RangeError(f"level is {level}; expected a number between 0 and 1, such as 0.95")


def no_interval_because(array: npt.NDArray[np.float64]) -> str:
    """Why these values give no interval; empty where they do."""
    if len(array) == 1:
        return "one seed gives no interval"
    if _is_constant(array):
        return f"all {len(array)} seeds gave the same value, which gives no interval"
    return ""


def _is_constant(array: npt.NDArray[np.float64]) -> bool:
    """Equal up to rounding: differences of equal pairs may not be equal to the last bit."""
    return bool(np.ptp(array) <= 1e-12 * max(1.0, float(np.abs(array).max())))
