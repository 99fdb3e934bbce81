"""Several labels for each sample: how well they are ranked, and how well decided."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from didact.metrics._targets import scores_and_targets


def mean_average_precision(
    logits: Float[Tensor, "samples labels"], targets: Float[Tensor, "samples labels"]
) -> float:
    """The mean over labels of the average precision of the samples ranked by their logit.

    ``AP_c = sum_n (R_n - R_{n-1}) P_n`` with precision and recall at each threshold; labels that no
    sample has are left out.

    Args:
        logits: ``(samples, labels)``.
        targets: Of the same shape, 0 or 1.

    Returns:
        A fraction from 0 to 1; NaN where no sample has any label.

    Raises:
        ShapeError: Not two-dimensional and of one shape, or no sample.
        NonFiniteError: NaN or infinity.

    Example:
        >>> import torch
        >>> from didact.metrics import mean_average_precision
        >>> logits = torch.tensor([[2.0], [1.0], [0.0]])
        >>> round(mean_average_precision(logits, torch.tensor([[1.0], [0.0], [1.0]])), 4)
        0.8333
    """
    from sklearn.metrics import average_precision_score

    scores, wanted = scores_and_targets(logits, targets)
    there = [label for label in range(wanted.shape[1]) if bool(wanted[:, label].any())]
    found = [
        average_precision_score(wanted[:, label].numpy(), scores[:, label].numpy())
        for label in there
    ]
    return float(np.mean(found)) if found else float("nan")


def multilabel_f1(
    logits: Float[Tensor, "samples labels"],
    targets: Float[Tensor, "samples labels"],
    *,
    average: str = "macro",
) -> float:
    """``2 TP / (2 TP + FP + FN)``, where a label is said to be there if its logit is above 0.

    Args:
        logits: ``(samples, labels)``.
        targets: Of the same shape, 0 or 1.
        average: ``"macro"``: the mean over the labels that some sample has or is said to have;
            ``"micro"``: all decisions together.

    Returns:
        A fraction from 0 to 1.

    Raises:
        ShapeError: Not two-dimensional and of one shape, or no sample.
        NonFiniteError: NaN or infinity.

    Example:
        >>> import torch
        >>> from didact.metrics import multilabel_f1
        >>> multilabel_f1(torch.tensor([[1.0, -1.0], [1.0, 1.0]]), torch.tensor([[1.0, 0], [0, 1]]))
        0.8333333333333333
    """
    scores, wanted = scores_and_targets(logits, targets)
    said, true = scores > 0, wanted > 0.5
    axes: tuple[int, ...] = (0, 1) if average == "micro" else (0,)
    right = (said & true).sum(dim=axes).double()
    wrong = (said != true).sum(dim=axes).double()
    total = 2 * right + wrong
    if not bool((total > 0).any()):
        return 1.0  # nothing is there and nothing is said to be
    return float((2 * right / total)[total > 0].mean())


def binary_negative_log_likelihood(
    logits: Float[Tensor, "samples labels"], targets: Float[Tensor, "samples labels"]
) -> float:
    """``-mean log p`` of each sample's yes or no to each label, in nats.

    Raises:
        ShapeError: Not two-dimensional and of one shape, or no sample.
        NonFiniteError: NaN or infinity.

    Example:
        >>> import torch
        >>> from didact.metrics import binary_negative_log_likelihood
        >>> round(binary_negative_log_likelihood(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]])), 4)
        0.6931
    """
    scores, wanted = scores_and_targets(logits, targets)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, wanted)
    return float(loss)
