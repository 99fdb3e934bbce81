"""Whether two sets of runs differ by more than their seeds do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from didact._core.errors import RangeError, ShapeError
from didact.metrics._seeds import check_level, checked_values, mean_interval, no_interval_because

MOST_SEEDS_FOR_EXACT = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of means, how sure it is, and the test that says so.

    Attributes:
        mean: The mean of ``a - b``, or the difference of the means.
        low: The interval's lower end, None where there is no interval.
        high: Its upper end, None where there is no interval.
        level: The interval's confidence level, such as 0.95.
        p_value: Two-sided; None where there is no test.
        test: The test's name.
        differences: ``a - b`` seed by seed; empty for a test of runs that share no seeds.
        note: Why there is no interval; empty where there is one.
    """

    mean: float
    low: float | None
    high: float | None
    level: float
    p_value: float | None
    test: str
    differences: tuple[float, ...] = ()
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {**asdict(self), "differences": list(self.differences)}


def paired_test(a: Sequence[float], b: Sequence[float], *, level: float = 0.95) -> Difference:
    """Student's paired t-test on ``d = a - b``: ``t = mean(d) / (s_d / sqrt(n))``, n - 1 degrees.

    For runs that share their seeds: the same data, split and order, so that what varies with the
    seed cancels. One seed, or differences that are all equal, give no interval and no p-value.

    Args:
        a: One value for each seed.
        b: The same seeds in the same order.
        level: The interval's confidence level.

    Raises:
        ShapeError: No value, or not as many of one as of the other.
        NonFiniteError: NaN or infinity among the values.
        RangeError: ``level`` is not between 0 and 1.

    Paper: Student 1908, The probable error of a mean, section 9.

    Example:
        >>> from didact.metrics import paired_test
        >>> difference = paired_test([0.5, 1.0, 0.75], [0.25, 0.5, 0.5])
        >>> round(difference.mean, 4), round(difference.p_value, 4)
        (0.3333, 0.0572)
    """
    left, right = checked_values(a, "a"), checked_values(b, "b")
    if len(left) != len(right):
        raise ShapeError(
            f"a has {len(left)} values and b has {len(right)}; expected one of each for every "
            "seed. Use welch_test for runs with other seeds."
        )
    differences = left - right
    interval = mean_interval(differences.tolist(), level)
    from scipy import stats

    p_value = None if interval.note else float(stats.ttest_1samp(differences, 0.0).pvalue)
    return Difference(
        mean=interval.mean,
        low=interval.low,
        high=interval.high,
        level=level,
        p_value=p_value,
        test="paired t-test",
        differences=tuple(differences.tolist()),
        note=interval.note.replace("gave the same value", "gave the same difference"),
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P-values of several tests, corrected so that one false alarm among them all stays rare.

    Sorted, ``p_(k)`` becomes ``max_{j <= k} min(1, (m - j + 1) p_(j))``; it needs no assumption of
    how the tests hang together. A test that gave no p-value stays without and does not count.

    Args:
        p_values: In any order.

    Returns:
        In the same order.

    Raises:
        RangeError: One is not within 0 to 1.

    Paper: Holm 1979, A simple sequentially rejective multiple test procedure.

    Example:
        >>> from didact.metrics import holm
        >>> holm([0.01, 0.04, None, 0.03])
        [0.03, 0.06, None, 0.06]
    """
    there = [(value, place) for place, value in enumerate(p_values) if value is not None]
    if any(not 0 <= value <= 1 for value, _ in there):
        raise RangeError(f"p-values are {list(p_values)}; expected numbers from 0 to 1")
    found: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (value, place) in enumerate(sorted(there)):
        largest = max(largest, min(1.0, (len(there) - rank) * value))
        found[place] = largest
    return found


def welch_test(a: Sequence[float], b: Sequence[float], *, level: float = 0.95) -> Difference:
    """Welch's t-test for runs with other seeds: ``t = (mean a - mean b) / sqrt(s_a²/n + s_b²/m)``.

    The variances may differ; the degrees of freedom are Welch and Satterthwaite's.

    Args:
        a: One value for each seed.
        b: One value for each seed, of other seeds or of another number of them.
        level: The interval's confidence level.

    Raises:
        ShapeError: No value.
        NonFiniteError: NaN or infinity among the values.
        RangeError: ``level`` is not between 0 and 1.

    Paper: Welch 1947, The generalization of Student's problem.

    Example:
        >>> from didact.metrics import welch_test
        >>> round(welch_test([1.0, 2.0, 3.0], [5.0, 6.0, 8.0]).p_value, 4)
        0.0199
    """
    check_level(level)
    left, right = checked_values(a, "a"), checked_values(b, "b")
    mean = float(left.mean() - right.mean())
    note = no_interval_because(left) if len(left) == 1 else ""
    note = note or (no_interval_because(right) if len(right) == 1 else "")
    if not note and no_interval_because(left) and no_interval_because(right):
        note = "neither side varies with the seed, which gives no interval"
    if note:
        return Difference(mean, None, None, level, None, "Welch's t-test", note=note)
    errors = [float(side.var(ddof=1)) / len(side) for side in (left, right)]
    error = sum(errors) ** 0.5
    degrees = sum(errors) ** 2 / sum(
        e**2 / (len(side) - 1) for e, side in zip(errors, (left, right), strict=True)
    )
    from scipy import stats

    half = float(stats.t.ppf((1 + level) / 2, degrees)) * error
    return Difference(
        mean=mean,
        low=mean - half,
        high=mean + half,
        level=level,
        p_value=float(2 * stats.t.sf(abs(mean) / error, degrees)),
        test="Welch's t-test",
    )


def sign_flip_p_value(differences: Sequence[float]) -> float:
    """Exact two-sided p-value of Fisher's sign-flip test: ``#{|sum ±d| >= |sum d|} / 2^n``.

    It assumes only that without an effect each difference is as likely to be positive as negative.
    With n seeds it cannot be below ``2 / 2^n``: 0.0625 for 5, 0.002 for 10.

    Args:
        differences: One for each seed, at most 20.

    Raises:
        ShapeError: No value.
        NonFiniteError: NaN or infinity among the values.
        RangeError: More than 20 values: the signs are all tried.

    Paper: Fisher 1935, The design of experiments, section 21.

    Example:
        >>> from didact.metrics import sign_flip_p_value
        >>> sign_flip_p_value([1.0, 2.0, 3.0])
        0.25
    """
    array = checked_values(differences, "differences")
    if len(array) > MOST_SEEDS_FOR_EXACT:
        raise RangeError(
            f"there are {len(array)} differences; expected at most {MOST_SEEDS_FOR_EXACT}: "
            "every pattern of signs is tried. Use paired_test."
        )
    sums = np.zeros(1)
    for value in array:
        sums = np.concatenate([sums + value, sums - value])
    slack = 1e-9 * float(np.abs(array).sum())
    return float((np.abs(sums) >= abs(float(array.sum())) - slack).mean())
