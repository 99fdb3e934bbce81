"""Statistics over seeds against textbook numbers, slow references and coverage."""

import itertools
import json

import numpy as np
import pytest
from scipy import stats

from didact import metrics
from didact._core.errors import NonFiniteError, RangeError, ShapeError

# Student's own table of 1908: additional hours of sleep gained by two drugs, ten patients.
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_students_sleep_data():
    found = metrics.paired_test(SECOND, FIRST)
    assert found.mean == pytest.approx(1.58)
    assert found.p_value == pytest.approx(0.002833, abs=1e-6)
    assert (found.low, found.high) == (
        pytest.approx(0.7001142, abs=1e-6),
        pytest.approx(2.4598858, abs=1e-6),
    )
    assert found.test == "paired t-test"
    welch = metrics.welch_test(SECOND, FIRST)
    assert welch.p_value == pytest.approx(0.07939, abs=1e-5)
    outside = stats.ttest_ind(SECOND, FIRST, equal_var=False)
    assert welch.p_value == pytest.approx(outside.pvalue)
    interval = outside.confidence_interval(0.95)
    assert (welch.low, welch.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert welch.test == "Welch's t-test"
    assert welch.differences == ()


def test_interval_by_hand():
    found = metrics.mean_interval([1.0, 2.0, 3.0])
    assert found.half_width == pytest.approx(4.302653 / 3**0.5, rel=1e-6)
    assert found.mean == 2.0
    assert found.count == 3
    narrow = metrics.mean_interval([1.0, 2.0, 3.0], level=0.5)
    assert narrow.half_width < found.half_width


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for sample in rng.normal(0.9, 0.01, (2000, 5)):
        found = metrics.mean_interval(sample.tolist())
        hits += found.low <= 0.9 <= found.high
    assert 0.935 <= hits / 2000 <= 0.965


def test_one_seed_gives_no_interval_and_says_so():
    for found in (metrics.mean_interval([0.9]), metrics.paired_test([0.9], [0.8])):
        assert found.low is None
        assert found.high is None
        assert "one seed" in found.note
    assert metrics.paired_test([0.9], [0.8]).p_value is None
    assert metrics.welch_test([0.9], [0.8, 0.7]).p_value is None


def test_equal_values_give_no_interval():
    assert metrics.mean_interval([0.9, 0.9, 0.9]).half_width is None
    found = metrics.paired_test([0.9, 0.8, 0.7], [0.8, 0.7, 0.6])
    assert found.p_value is None
    assert found.low is None
    assert found.note == "all 3 seeds gave the same difference, which gives no interval"
    assert metrics.welch_test([0.9, 0.9], [0.8, 0.8]).p_value is None
    assert metrics.welch_test([0.9, 0.9], [0.8, 0.7]).p_value is not None


def test_quartiles():
    assert metrics.quartiles([4.0, 1.0, 3.0, 2.0]) == (1.75, 2.5, 3.25)
    assert metrics.quartiles([0.5]).median == 0.5


def test_sign_flip_tries_every_sign():
    differences = [0.3, -0.1, 0.5, 0.2]
    signs = itertools.product((1, -1), repeat=4)
    sums = [abs(sum(s * d for s, d in zip(pattern, differences, strict=True))) for pattern in signs]
    expected = sum(total >= 0.9 - 1e-12 for total in sums) / 16
    assert metrics.sign_flip_p_value(differences) == expected
    assert metrics.sign_flip_p_value([1.0] * 5) == 2 / 32
    assert metrics.sign_flip_p_value([0.0, 0.0]) == 1.0


def test_sign_flip_agrees_with_scipy():
    differences = np.array(SECOND) - np.array(FIRST)
    exact = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    assert metrics.sign_flip_p_value(differences.tolist()) == pytest.approx(exact.pvalue)


def test_a_difference_goes_into_json():
    found = metrics.paired_test([0.9, 0.8], [0.8, 0.75])
    assert json.loads(json.dumps(found.as_dict()))["differences"] == list(found.differences)


def test_wrong_values_are_refused():
    with pytest.raises(ShapeError, match="welch_test"):
        metrics.paired_test([1.0, 2.0], [1.0])
    with pytest.raises(ShapeError, match="at least one"):
        metrics.mean_interval([])
    with pytest.raises(NonFiniteError):
        metrics.quartiles([1.0, float("nan")])
    with pytest.raises(RangeError, match=r"such as 0\.95"):
        metrics.mean_interval([1.0, 2.0], level=95)
    with pytest.raises(RangeError, match="at most 20"):
        metrics.sign_flip_p_value([1.0] * 21)
