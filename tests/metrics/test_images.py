"""Statistics over test images against textbook numbers, direct sums and coverage."""

import math

import numpy as np
import pytest
import torch

from didact import metrics
from didact._core.errors import DtypeError, NonFiniteError, RangeError, ShapeError


def right(pattern: str) -> torch.Tensor:
    return torch.tensor([letter == "1" for letter in pattern], dtype=torch.bool)


def test_wilson_is_the_formula_and_has_a_length_at_the_ends():
    z, n, p = 1.959963984540054, 263, 0.7
    found = metrics.wilson_interval(round(p * n), n)
    p = round(p * n) / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert (found.low, found.high) == (pytest.approx(middle - half), pytest.approx(middle + half))
    for hits in (0, 20):
        ends = metrics.wilson_interval(hits, 20)
        assert 0 <= ends.low < ends.high <= 1
        assert ends.high - ends.low > 0.1


def test_wilson_covers_as_often_as_it_says():
    hits = np.random.default_rng(0).binomial(400, 0.93, 3000)
    inside = [
        (found := metrics.wilson_interval(int(k), 400)).low <= 0.93 <= found.high for k in hits
    ]
    assert 0.935 <= np.mean(inside) <= 0.965


def test_poisson_limits_are_where_the_sums_say():
    """Garwood: at the limits, seeing as many or fewer (more) has probability 2.5 %."""
    count, errors = 1000, 4
    found = metrics.poisson_limits(errors, count)

    def at_most(mean: float, k: int) -> float:
        return sum(math.exp(-mean) * mean**i / math.factorial(i) for i in range(k + 1))

    assert at_most(found.high * count, errors) == pytest.approx(0.025)
    assert 1 - at_most(found.low * count, errors - 1) == pytest.approx(0.025)
    assert found.mean == 0.004


def test_no_error_seen_is_below_the_rule_of_three():
    found = metrics.poisson_limits(0, 265)
    assert (found.mean, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(-math.log(0.05) / 265)
    assert metrics.poisson_limits(3, 3).high == 1.0


def test_mcnemar_by_the_binomial_sum():
    for only_a, only_b in ((10, 2), (2, 10), (1, 0), (7, 7), (0, 9)):
        a = right("1" * only_a + "0" * only_b + "1" * 30 + "0" * 4)
        b = right("0" * only_a + "1" * only_b + "1" * 30 + "0" * 4)
        found = metrics.mcnemar_test(a, b)
        n, k = only_a + only_b, min(only_a, only_b)
        assert found.p_value == pytest.approx(
            min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)
        )
        assert (found.only_a, found.only_b, found.both, found.neither) == (only_a, only_b, 30, 4)
        assert found.difference == pytest.approx((only_a - only_b) / len(a))


def test_mcnemar_of_equal_models_and_in_json():
    same = metrics.mcnemar_test(right("1100"), right("1100"))
    assert same.p_value == 1.0
    assert same.as_dict() == {"only_a": 0, "only_b": 0, "both": 2, "neither": 2, "p_value": 1.0}


def test_majorities():
    assert metrics.majority_class(torch.tensor([3, 1, 3, 1])) == (1, 0.5)
    votes = metrics.majority_vote([torch.tensor([2, 0, 1]), torch.tensor([2, 1, 0])])
    assert votes.tolist() == [2, 0, 0]


def test_outlying_seeds():
    assert metrics.outlying([0.9, 0.91, 0.92, 0.93]) == []
    assert metrics.outlying([5.0, 0.9, 0.91, 0.92, 0.9, -3.0]) == [0, 5]
    assert metrics.outlying([0.9]) == []


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: metrics.wilson_interval(3, 2), RangeError, "3 of 2"),
        (lambda: metrics.wilson_interval(0, 0), RangeError, "0 of 0"),
        (lambda: metrics.wilson_interval(1, 2, level=1.0), RangeError, "level"),
        (lambda: metrics.poisson_limits(-1, 2), RangeError, "-1 of 2"),
        (lambda: metrics.mcnemar_test(right("1"), right("10")), ShapeError, r"\(1,\).*\(2,\)"),
        (lambda: metrics.mcnemar_test(right(""), right("")), ShapeError, "same images"),
        (
            lambda: metrics.mcnemar_test(torch.tensor([1, 0]), right("10")),
            DtypeError,
            "torch.int64",
        ),
        (lambda: metrics.majority_class(torch.tensor([], dtype=torch.long)), ShapeError, "label"),
        (lambda: metrics.majority_vote([]), ShapeError, "same images"),
        (lambda: metrics.outlying([float("nan"), 1.0]), NonFiniteError, "finite"),
    ],
)
def test_wrong_input(call, error, says):
    with pytest.raises(error, match=says):
        call()
