"""How often the most likely class is the right one, over all samples and class by class."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from didact.metrics._checks import logits_and_labels


def accuracy(logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"]) -> float:
    """The share of samples whose largest logit is the label's: ``mean(argmax_c z_c == y)``.

    Args:
        logits: ``(..., classes)``. A tie goes to the class with the lower number.
        labels: ``(...)``, integers from 0 to ``classes - 1``.

    Returns:
        A fraction from 0 to 1.

    Raises:
        ShapeError: Not one label for each sample, or no sample.
        DtypeError: Integer logits or labels that are not integers.
        RangeError: A label outside the classes.
        NonFiniteError: NaN or infinity among the logits.

    Example:
        >>> import torch
        >>> from didact.metrics import accuracy
        >>> accuracy(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0]))
        0.5
    """
    flat, targets = logits_and_labels(logits, labels)
    return float((flat.argmax(dim=-1) == targets).double().mean())


def confusion_matrix(
    logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"]
) -> Int[Tensor, "classes classes"]:
    """Counts ``M[i, j]`` of samples with label ``i`` that were taken for class ``j``.

    Args:
        logits: ``(..., classes)``.
        labels: ``(...)``, integers from 0 to ``classes - 1``.

    Returns:
        int64, ``(classes, classes)``: rows are labels, columns predictions; it sums to the number
        of samples.

    Raises:
        ShapeError: Not one label for each sample, or no sample.
        DtypeError: Integer logits or labels that are not integers.
        RangeError: A label outside the classes.
        NonFiniteError: NaN or infinity among the logits.

    Example:
        >>> import torch
        >>> from didact.metrics import confusion_matrix
        >>> confusion_matrix(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0])).tolist()
        [[1, 1], [0, 0]]
    """
    flat, targets = logits_and_labels(logits, labels)
    classes = flat.shape[-1]
    pairs = targets * classes + flat.argmax(dim=-1)
    return torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def per_class_accuracy(
    logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"]
) -> Float[Tensor, " classes"]:
    """Accuracy within each class (its recall): ``M[i, i] / sum_j M[i, j]``.

    Args:
        logits: ``(..., classes)``.
        labels: ``(...)``, integers from 0 to ``classes - 1``.

    Returns:
        float64, ``(classes,)``; NaN for a class that no sample has.

    Raises:
        ShapeError: Not one label for each sample, or no sample.
        DtypeError: Integer logits or labels that are not integers.
        RangeError: A label outside the classes.
        NonFiniteError: NaN or infinity among the logits.

    Example:
        >>> import torch
        >>> from didact.metrics import per_class_accuracy
        >>> logits = torch.tensor([[2.0, 1.0], [0.0, 3.0]])
        >>> per_class_accuracy(logits, torch.tensor([0, 0])).tolist()
        [0.5, nan]
    """
    matrix = confusion_matrix(logits, labels).double()
    return matrix.diagonal() / matrix.sum(dim=1)
