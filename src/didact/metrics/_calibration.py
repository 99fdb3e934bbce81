"""Whether the probabilities mean what they say: NLL, Brier score, calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from didact._core.errors import RangeError
from didact.metrics._checks import logits_and_labels


def negative_log_likelihood(
    logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"]
) -> float:
    """How surprised the model is by the labels: ``mean(-log softmax(z)_y)``, in nats.

    Args:
        logits: ``(..., classes)``.
        labels: ``(...)``, integers from 0 to ``classes - 1``.

    Returns:
        Nats, at least 0; ``log(classes)`` for a uniform guess.

    Raises:
        ShapeError: Not one label for each sample, or no sample.
        DtypeError: Integer logits or labels that are not integers.
        RangeError: A label outside the classes.
        NonFiniteError: NaN or infinity among the logits.

    Paper: Gneiting and Raftery 2007, Strictly proper scoring rules, section 4.1.

    Example:
        >>> import torch
        >>> from didact.metrics import negative_log_likelihood
        >>> round(negative_log_likelihood(torch.zeros(1, 2), torch.tensor([0])), 4)
        0.6931
    """
    flat, targets = logits_and_labels(logits, labels)
    return float(F.cross_entropy(flat, targets))


def brier_score(logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"]) -> float:
    """Squared distance of the probabilities from the truth: ``mean(sum_c (p_c - [c = y])^2)``.

    This is Brier's own form, summed over the classes: 0 is perfect and 2 the worst. Some programs
    divide it by the number of classes, or by 2 for two classes.

    Args:
        logits: ``(..., classes)``.
        labels: ``(...)``, integers from 0 to ``classes - 1``.

    Returns:
        A number from 0 to 2.

    Raises:
        ShapeError: Not one label for each sample, or no sample.
        DtypeError: Integer logits or labels that are not integers.
        RangeError: A label outside the classes.
        NonFiniteError: NaN or infinity among the logits.

    Paper: Brier 1950, Verification of forecasts expressed in terms of probability.

    Example:
        >>> import torch
        >>> from didact.metrics import brier_score
        >>> brier_score(torch.zeros(1, 2), torch.tensor([0]))
        0.5
    """
    flat, targets = logits_and_labels(logits, labels)
    error = F.softmax(flat, dim=-1) - F.one_hot(targets, flat.shape[-1])
    return float(error.square().sum(dim=-1).mean())


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibration error and the bins it was computed from, one entry for each bin.

    Attributes:
        error: The expected calibration error, from 0 to 1.
        edges: ``bins + 1`` edges from 0 to 1; bin ``m`` is ``(edges[m], edges[m + 1]]``.
        confidence: Mean probability of the predicted class in the bin; None where it is empty.
        accuracy: Share of right predictions in the bin; None where it is empty.
        count: Samples in the bin.
    """

    error: float
    edges: list[float]
    confidence: list[float | None]
    accuracy: list[float | None]
    count: list[int]

    def bins(self) -> dict[str, Sequence[float | None]]:
        """What a reliability diagram draws, as plain lists ready for JSON."""
        return {
            "edges": self.edges,
            "confidence": self.confidence,
            "accuracy": self.accuracy,
            "count": self.count,
        }


def expected_calibration_error(
    logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"], *, bins: int = 15
) -> Calibration:
    """How far confidence is from accuracy: ``sum_m (n_m / n) |accuracy_m - confidence_m|``.

    Samples are sorted by the probability of their predicted class into bins of equal width;
    ``n_m`` is the number in bin ``m``. A sample on an edge belongs to the lower bin.

    Args:
        logits: ``(..., classes)``.
        labels: ``(...)``, integers from 0 to ``classes - 1``.
        bins: How many; the value depends on it, 15 is the paper's.

    Returns:
        The error from 0 to 1, with the bins for a reliability diagram.

    Raises:
        ShapeError: Not one label for each sample, or no sample.
        DtypeError: Integer logits or labels that are not integers.
        RangeError: A label outside the classes, or fewer than one bin.
        NonFiniteError: NaN or infinity among the logits.

    Paper: Guo et al. 2017, On calibration of modern neural networks, arXiv:1706.04599, equation 3.

    Example:
        >>> import torch
        >>> from didact.metrics import expected_calibration_error
        >>> calibration = expected_calibration_error(torch.zeros(2, 2), torch.tensor([0, 1]))
        >>> calibration.error, sum(calibration.count)
        (0.0, 2)
    """
    if bins < 1:
        raise RangeError(f"bins is {bins}; expected at least 1 (15 is usual)")
    flat, targets = logits_and_labels(logits, labels)
    confidences, predictions = F.softmax(flat, dim=-1).max(dim=-1)
    edges = torch.arange(bins + 1, dtype=torch.float64) / bins
    index = torch.bucketize(confidences, edges[1:-1])
    right = (predictions == targets).double()
    count = torch.bincount(index, minlength=bins)
    confidence = torch.bincount(index, confidences, minlength=bins) / count
    accuracy = torch.bincount(index, right, minlength=bins) / count
    gap = ((accuracy - confidence).abs() * count / len(targets))[count > 0]
    return Calibration(
        error=float(gap.sum()),
        edges=edges.tolist(),
        confidence=_where_filled(confidence, count),
        accuracy=_where_filled(accuracy, count),
        count=count.tolist(),
    )


def _where_filled(values: Tensor, count: Tensor) -> list[float | None]:
    return [
        value if n > 0 else None for value, n in zip(values.tolist(), count.tolist(), strict=True)
    ]
