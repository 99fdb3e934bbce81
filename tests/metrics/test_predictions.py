"""Metrics of predictions against hand-computed numbers and slow references in plain Python."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from didact import metrics
from didact._core.errors import DtypeError, NonFiniteError, RangeError, ShapeError

LOGITS = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.25, 0.25, 0.5]]))
LABELS = torch.tensor([0, 0, 2])


def reference_probabilities(row: list[float]) -> list[float]:
    top = max(row)
    exponentials = [math.exp(z - top) for z in row]
    return [e / sum(exponentials) for e in exponentials]


def reference_ece(logits: list[list[float]], labels: list[int], bins: int) -> float:
    members: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for row, label in zip(logits, labels, strict=True):
        probs = reference_probabilities(row)
        confidence = max(probs)
        predicted = probs.index(confidence)
        for m in range(bins):
            if m / bins < confidence <= (m + 1) / bins or (m == bins - 1 and confidence > 1):
                members[m].append((confidence, predicted == label))
    total = 0.0
    for bin_ in members:
        if bin_:
            confidence = sum(c for c, _ in bin_) / len(bin_)
            right = sum(r for _, r in bin_) / len(bin_)
            total += len(bin_) / len(labels) * abs(right - confidence)
    return total


def test_by_hand():
    assert metrics.accuracy(LOGITS, LABELS) == pytest.approx(2 / 3)
    assert metrics.confusion_matrix(LOGITS, LABELS).tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    per_class = metrics.per_class_accuracy(LOGITS, LABELS).tolist()
    assert per_class[0] == 0.5
    assert math.isnan(per_class[1])
    assert per_class[2] == 1.0
    nll = -(math.log(0.7) + math.log(0.3) + math.log(0.5)) / 3
    assert metrics.negative_log_likelihood(LOGITS, LABELS) == pytest.approx(nll, rel=1e-6)
    brier = ((0.09 + 0.04 + 0.01) + (0.49 + 0.36 + 0.01) + (0.0625 + 0.0625 + 0.25)) / 3
    assert metrics.brier_score(LOGITS, LABELS) == pytest.approx(brier, rel=1e-6)
    ece = (abs(1 - 0.7) + abs(0 - 0.6) + abs(1 - 0.5)) / 3
    found = metrics.expected_calibration_error(LOGITS, LABELS)
    assert found.error == pytest.approx(ece, rel=1e-6)


def test_agreement_by_hand():
    student = torch.log(torch.tensor([[0.5, 0.5], [0.25, 0.75]]))
    teacher = torch.log(torch.tensor([[0.75, 0.25], [0.75, 0.25]]))
    first = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    second = 0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(0.25 / 0.75)
    assert metrics.agreement_kl(student, teacher) == pytest.approx((first + second) / 2, rel=1e-6)
    assert metrics.agreement_top1(student, teacher) == 0.5
    assert metrics.agreement_kl(teacher, student) != pytest.approx(
        metrics.agreement_kl(student, teacher), rel=1e-3
    )


def test_bins_are_closed_above_and_hold_everything():
    logits = torch.log(torch.tensor([[0.5, 0.5], [0.75, 0.25], [0.8, 0.2]], dtype=torch.float64))
    found = metrics.expected_calibration_error(logits, torch.tensor([0, 0, 1]), bins=4)
    assert found.edges == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert found.count == [0, 1, 1, 1]
    assert found.confidence[0] is None
    assert found.accuracy == [None, 1.0, 1.0, 0.0]
    assert set(found.bins()) == {"edges", "confidence", "accuracy", "count"}


def test_certain_predictions_fall_into_the_last_bin():
    found = metrics.expected_calibration_error(
        torch.tensor([[1000.0, 0.0], [0.0, 1000.0]]), torch.tensor([0, 0])
    )
    assert found.count[-1] == 2
    assert found.error == 0.5


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_slow_references_agree(data: st.DataObject):
    samples, classes = data.draw(st.integers(1, 12)), data.draw(st.integers(2, 5))
    number = st.floats(-30, 30, allow_nan=False, width=32)
    rows = data.draw(
        st.lists(
            st.lists(number, min_size=classes, max_size=classes), min_size=samples, max_size=samples
        )
    )
    labels = data.draw(st.lists(st.integers(0, classes - 1), min_size=samples, max_size=samples))
    logits, targets = torch.tensor(rows), torch.tensor(labels)
    probs = [reference_probabilities(row) for row in rows]
    brier = sum(
        sum((p - (c == y)) ** 2 for c, p in enumerate(ps))
        for ps, y in zip(probs, labels, strict=True)
    )
    assert metrics.brier_score(logits, targets) == pytest.approx(brier / samples, abs=1e-9)
    top = [row.index(max(row)) for row in rows]
    right = sum(t == y for t, y in zip(top, labels, strict=True))
    assert metrics.accuracy(logits, targets) == pytest.approx(right / samples)
    confusion = metrics.confusion_matrix(logits, targets)
    assert int(confusion.sum()) == samples
    assert int(confusion.diagonal().sum()) == right
    calibration = metrics.expected_calibration_error(logits, targets)
    assert sum(calibration.count) == samples
    near_edge = any(abs(max(p) * 15 - round(max(p) * 15)) < 1e-9 for p in probs)
    if not near_edge:  # on an edge the last bit of the probability decides
        assert calibration.error == pytest.approx(reference_ece(rows, labels, 15), abs=1e-9)


def test_leading_dimensions_are_samples():
    logits = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[0, 1, 2], [3, 0, 1]])
    for metric in (metrics.accuracy, metrics.brier_score, metrics.negative_log_likelihood):
        assert metric(logits, labels) == metric(logits.reshape(6, 4), labels.reshape(6))


def test_equal_distributions_agree_whatever_the_shift():
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert metrics.agreement_kl(logits, logits + 3) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_reduced_precision_is_measured_in_full(dtype: torch.dtype):
    logits = torch.tensor([[60.0, -60.0]], dtype=dtype)
    assert metrics.negative_log_likelihood(logits, torch.tensor([1])) == pytest.approx(120)


BY_LABEL = [
    metrics.accuracy,
    metrics.brier_score,
    metrics.confusion_matrix,
    metrics.expected_calibration_error,
    metrics.negative_log_likelihood,
    metrics.per_class_accuracy,
]


@pytest.mark.parametrize("metric", BY_LABEL, ids=lambda m: m.__name__)
@pytest.mark.parametrize(
    ("logits", "labels", "error", "says"),
    [
        (torch.zeros(3, 2), torch.tensor([0, 1]), ShapeError, "one class per sample"),
        (torch.zeros(3, 2), torch.zeros(3, 1, dtype=torch.int64), ShapeError, r"\(3, 1\)"),
        (torch.zeros(3, 2), torch.zeros(3), DtypeError, "integers"),
        (torch.zeros(3, 2, dtype=torch.int64), torch.tensor([0, 0, 0]), DtypeError, "floating"),
        (torch.zeros(3, 2), torch.tensor([0, 1, 2]), RangeError, "0 to 1 for 2 classes"),
        (torch.zeros(3, 2), torch.tensor([0, 1, -1]), RangeError, "unlabelled"),
        (torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), ShapeError, "none of them 0"),
        (torch.full((1, 2), math.nan), torch.tensor([0]), NonFiniteError, "diverged"),
    ],
)
def test_wrong_input_is_refused(metric, logits, labels, error, says):
    with pytest.raises(error, match=says):
        metric(logits, labels)


@pytest.mark.parametrize("metric", [metrics.agreement_kl, metrics.agreement_top1])
def test_agreement_refuses_other_shapes(metric):
    with pytest.raises(ShapeError, match=r"\(2, 3\).*\(2, 4\)"):
        metric(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(NonFiniteError, match="teacher_logits"):
        metric(torch.zeros(1, 2), torch.tensor([[math.inf, 0.0]]))


def test_no_bins_is_refused():
    with pytest.raises(RangeError, match="bins is 0"):
        metrics.expected_calibration_error(LOGITS, LABELS, bins=0)
