"""Class-incremental metrics against numbers computed by hand."""

import math

import numpy as np
import pytest

from didact import metrics
from didact._core.errors import NonFiniteError, RangeError, ShapeError, UsageError

NAN = math.nan
MATRIX = [
    [0.90, 0.10, 0.05],
    [0.60, 0.80, 0.20],
    [0.70, 0.50, 0.75],
]
GAPS = [[0.90, NAN, NAN], [0.60, 0.80, NAN], [0.70, 0.50, 0.75]]


def test_averages_by_hand():
    expected = [0.90, (0.60 + 0.80) / 2, (0.70 + 0.50 + 0.75) / 3]
    assert metrics.average_accuracy(GAPS).tolist() == pytest.approx(expected)
    assert metrics.average_incremental_accuracy(GAPS) == pytest.approx(sum(expected) / 3)
    assert metrics.last_accuracy(GAPS) == pytest.approx(0.65)
    without_first = metrics.average_incremental_accuracy(GAPS, skip_first=True)
    assert without_first == pytest.approx((0.70 + 0.65) / 2)


def test_weights_make_it_the_accuracy_over_all_test_samples():
    weighted = metrics.average_accuracy(GAPS, weights=[500, 100, 100])
    assert weighted[1] == pytest.approx((500 * 0.6 + 100 * 0.8) / 600)
    assert weighted[2] == pytest.approx((500 * 0.7 + 100 * 0.5 + 100 * 0.75) / 700)


def test_forgetting_takes_the_best_not_the_first():
    assert metrics.forgetting(GAPS) == pytest.approx(((0.90 - 0.70) + (0.80 - 0.50)) / 2)
    later_is_best = [[0.5, NAN, NAN], [0.9, 0.8, NAN], [0.6, 0.8, 0.7]]
    assert metrics.forgetting(later_is_best) == pytest.approx(((0.9 - 0.6) + 0.0) / 2)


def test_forgetting_counts_every_old_task_and_not_the_last():
    rng = np.random.default_rng(0)
    matrix = rng.uniform(size=(6, 6))
    slow = []
    for k in range(5):
        best = max(matrix[t, k] for t in range(k, 5))
        slow.append(best - matrix[5, k])
    assert metrics.forgetting(matrix) == pytest.approx(sum(slow) / 5)


def test_forgetting_is_negative_where_later_tasks_helped():
    assert metrics.forgetting([[0.5, NAN], [0.75, 0.5]]) == pytest.approx(-0.25)


def test_backward_transfer_is_that_of_gem():
    assert metrics.backward_transfer(GAPS) == pytest.approx(((0.7 - 0.9) + (0.5 - 0.8)) / 2)


def test_forward_transfer_is_against_the_given_baseline():
    found = metrics.forward_transfer(MATRIX, [0.08, 0.06, 0.04])
    assert found == pytest.approx(((0.10 - 0.06) + (0.20 - 0.04)) / 2)


def test_intransigence_by_hand():
    found = metrics.intransigence(GAPS, [0.9, 0.85, 0.8])
    assert found.tolist() == pytest.approx([0.0, 0.05, 0.05])


def test_twenty_tasks_of_five_classes_all_count():
    matrix = np.tril(np.full((20, 20), 0.25)) + 0.5 * np.eye(20)
    assert metrics.forgetting(matrix) == pytest.approx(0.5)
    assert metrics.last_accuracy(matrix) == pytest.approx((19 * 0.25 + 0.75) / 20)


@pytest.mark.parametrize("metric", [metrics.forgetting, metrics.backward_transfer])
def test_one_task_has_nothing_to_forget(metric):
    with pytest.raises(ShapeError, match="at least two"):
        metric([[0.5]])


def test_wrong_matrices_are_refused():
    with pytest.raises(ShapeError, match=r"\(2, 3\)"):
        metrics.average_accuracy(np.zeros((2, 3)))
    with pytest.raises(NonFiniteError, match="lower triangle"):
        metrics.average_accuracy([[0.5, 0.0], [NAN, 0.5]])
    with pytest.raises(RangeError, match="divide percentages by 100"):
        metrics.average_accuracy([[50.0, 0.0], [40.0, 60.0]])
    with pytest.raises(ShapeError, match="one for each task"):
        metrics.average_accuracy(GAPS, weights=[1, 2])
    with pytest.raises(RangeError, match="above 0"):
        metrics.average_accuracy(GAPS, weights=[1, 2, 0])
    with pytest.raises(NonFiniteError, match="next to the diagonal"):
        metrics.forward_transfer(GAPS, [0.1, 0.1, 0.1])
    with pytest.raises(ShapeError, match="baseline"):
        metrics.forward_transfer(MATRIX, [0.1])
    with pytest.raises(ShapeError, match="reference"):
        metrics.intransigence(MATRIX, [0.1])
    with pytest.raises(ShapeError, match="at least two"):
        metrics.average_incremental_accuracy([[0.5]], skip_first=True)


def test_forgetting_since_a_task_was_learned_is_minus_the_backward_transfer() -> None:
    matrix = [[0.5, 0, 0], [0.75, 0.5, 0], [0.25, 0.5, 1.0]]
    assert metrics.forgetting(matrix, since="learned") == pytest.approx((0.25 + 0.0) / 2)
    assert metrics.forgetting(matrix) == pytest.approx((0.5 + 0.0) / 2)
    assert metrics.forgetting(matrix, since="learned") == -metrics.backward_transfer(matrix)
    with pytest.raises(UsageError, match="'first'"):
        metrics.forgetting(matrix, since="first")  # type: ignore[arg-type]
