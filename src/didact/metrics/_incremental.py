"""Learning one task after another, read from one accuracy matrix.

``R[t, k]`` is the accuracy on the test set of task ``k`` after task ``t`` was learned, a fraction;
both count from 0. The lower triangle with the diagonal must be filled. What lies above it (tasks
not yet learned) is read by :func:`forward_transfer` alone and may otherwise be NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from didact._core.errors import NonFiniteError, RangeError, ShapeError, UsageError

Vector = npt.NDArray[np.float64]


def average_accuracy(matrix: npt.ArrayLike, *, weights: Sequence[float] | None = None) -> Vector:
    """Accuracy over the tasks seen so far: ``A_t = sum_{k<=t} w_k R[t, k] / sum_{k<=t} w_k``.

    Args:
        matrix: ``(tasks, tasks)``, fractions.
        weights: ``w_k``, the number of test samples of each task; with them ``A_t`` is the accuracy
            over all test samples of the classes seen so far. Without, every task counts the same;
            the two differ when tasks differ in size, as with a large first task.

    Returns:
        ``(tasks,)``: the curve that class-incremental papers plot.

    Raises:
        ShapeError: Not square, or not one weight for each task.
        NonFiniteError: A gap on or below the diagonal.
        RangeError: An accuracy outside 0 to 1, or a weight that is not above 0.

    Paper: Lopez-Paz and Ranzato 2017, arXiv:1706.08840, equation 2 (for the last task).

    Example:
        >>> from didact.metrics import average_accuracy
        >>> average_accuracy([[0.75, 0.0], [0.25, 0.75]]).tolist()
        [0.75, 0.5]
    """
    accuracies = _matrix(matrix)
    tasks = len(accuracies)
    shares = np.ones(tasks) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != (tasks,):
        raise ShapeError(f"weights is {shares.shape}; expected ({tasks},), one for each task")
    if not (np.isfinite(shares).all() and (shares > 0).all()):
        raise RangeError(f"weights is {shares.tolist()}; expected numbers above 0")
    seen = [
        float(np.average(accuracies[t, : t + 1], weights=shares[: t + 1])) for t in range(tasks)
    ]
    return np.array(seen)


def average_incremental_accuracy(
    matrix: npt.ArrayLike, *, weights: Sequence[float] | None = None, skip_first: bool = False
) -> float:
    """The mean of the curve: ``mean_t A_t`` with ``A_t`` from :func:`average_accuracy`.

    Args:
        matrix: ``(tasks, tasks)``, fractions.
        weights: The number of test samples of each task; see :func:`average_accuracy`.
        skip_first: Leave the first task out, as some papers do; say so with the number.

    Returns:
        A fraction from 0 to 1.

    Raises:
        ShapeError: Not square, not one weight for each task, or nothing is left.
        NonFiniteError: A gap on or below the diagonal.
        RangeError: An accuracy outside 0 to 1, or a weight that is not above 0.

    Paper: Rebuffi et al. 2017, iCaRL, arXiv:1611.07725, section 4.1.

    Example:
        >>> from didact.metrics import average_incremental_accuracy
        >>> average_incremental_accuracy([[0.75, 0.0], [0.25, 0.75]])
        0.625
    """
    curve = average_accuracy(matrix, weights=weights)
    if skip_first:
        _at_least_two(curve)
    return float(curve[1 if skip_first else 0 :].mean())


def last_accuracy(matrix: npt.ArrayLike, *, weights: Sequence[float] | None = None) -> float:
    """Accuracy over all tasks at the end: ``A_T`` of :func:`average_accuracy`.

    Example:
        >>> from didact.metrics import last_accuracy
        >>> last_accuracy([[0.75, 0.0], [0.25, 0.75]])
        0.5
    """
    return float(average_accuracy(matrix, weights=weights)[-1])


def forgetting(matrix: npt.ArrayLike, *, since: Literal["best", "learned"] = "best") -> float:
    """What was once known and is lost: ``mean_{k<T} (max_{k<=t<T} R[t, k] - R[T, k])``.

    The best earlier accuracy of a task, not its first, minus the one at the end. It is negative
    where later tasks helped. The last task has had no time to be forgotten and does not count.

    Args:
        matrix: ``(tasks, tasks)``, fractions, at least two tasks.
        since: ``"best"``, or ``"learned"``: from the accuracy right after the task was learned,
            ``R[k, k]``, as Avalanche defines it. That is minus the backward transfer, and at most
            the other one.

    Returns:
        A number from -1 to 1; lower is better.

    Raises:
        ShapeError: Not square, or fewer than two tasks.
        NonFiniteError: A gap on or below the diagonal.
        RangeError: An accuracy outside 0 to 1.
        UsageError: ``since`` is another word.

    Paper: Chaudhry et al. 2018, Riemannian walk, arXiv:1801.10112, equation 3.

    Example:
        >>> from didact.metrics import forgetting
        >>> forgetting([[0.75, 0.0], [0.25, 0.75]])
        0.5
    """
    if since == "learned":
        return -backward_transfer(matrix)
    if since != "best":
        raise UsageError(f"since is {since!r}; expected 'best' or 'learned'")
    accuracies = _at_least_two(_matrix(matrix))
    last = len(accuracies) - 1
    drops = [accuracies[k:last, k].max() - accuracies[last, k] for k in range(last)]
    return float(np.mean(drops))


def backward_transfer(matrix: npt.ArrayLike) -> float:
    """What learning later tasks did to earlier ones: ``mean_{k<T} (R[T, k] - R[k, k])``.

    Args:
        matrix: ``(tasks, tasks)``, fractions, at least two tasks.

    Returns:
        A number from -1 to 1; negative where tasks were forgotten.

    Raises:
        ShapeError: Not square, or fewer than two tasks.
        NonFiniteError: A gap on or below the diagonal.
        RangeError: An accuracy outside 0 to 1.

    Paper: Lopez-Paz and Ranzato 2017, arXiv:1706.08840, equation 3. Other programs average over all
    pairs of tasks, or turn the sign, under the same name.

    Example:
        >>> from didact.metrics import backward_transfer
        >>> backward_transfer([[0.75, 0.0], [0.25, 0.75]])
        -0.5
    """
    accuracies = _at_least_two(_matrix(matrix))
    return float((accuracies[-1] - accuracies.diagonal())[:-1].mean())


def forward_transfer(matrix: npt.ArrayLike, baseline: Sequence[float]) -> float:
    """What earlier tasks did for the next one: ``mean_{k>0} (R[k - 1, k] - b_k)``.

    Args:
        matrix: ``(tasks, tasks)``, fractions, at least two tasks; the first upper diagonal must be
            measured.
        baseline: ``b_k``, the accuracy of a freshly initialised model on each task. It must be
            another model than the one measured a step earlier, or the result is 0 by construction.

    Returns:
        A number from -1 to 1.

    Raises:
        ShapeError: Not square, fewer than two tasks, or not one baseline for each task.
        NonFiniteError: A gap on, below or next to the diagonal.
        RangeError: An accuracy outside 0 to 1.

    Paper: Lopez-Paz and Ranzato 2017, arXiv:1706.08840, equation 4.

    Example:
        >>> from didact.metrics import forward_transfer
        >>> forward_transfer([[0.75, 0.5], [0.25, 0.75]], [0.25, 0.25])
        0.25
    """
    accuracies = _at_least_two(_matrix(matrix))
    ahead = accuracies.diagonal(offset=1)
    _fractions(ahead, "the accuracies next to the diagonal, R[k - 1, k],")
    return float((ahead - _per_task(baseline, len(accuracies), "baseline")[1:]).mean())


def intransigence(matrix: npt.ArrayLike, reference: Sequence[float]) -> Vector:
    """What could not be learned because of what came before: ``I_k = a*_k - R[k, k]``.

    Args:
        matrix: ``(tasks, tasks)``, fractions.
        reference: ``a*_k``, the accuracy on task ``k`` of a model trained on tasks 0 to ``k``
            at once.

    Returns:
        ``(tasks,)``, each from -1 to 1; lower is better. The paper reports the last.

    Raises:
        ShapeError: Not square, or not one reference for each task.
        NonFiniteError: A gap on or below the diagonal.
        RangeError: An accuracy outside 0 to 1.

    Paper: Chaudhry et al. 2018, Riemannian walk, arXiv:1801.10112, equation 4.

    Example:
        >>> from didact.metrics import intransigence
        >>> intransigence([[0.75, 0.0], [0.25, 0.5]], [0.75, 0.75]).tolist()
        [0.0, 0.25]
    """
    accuracies = _matrix(matrix)
    result: Vector = _per_task(reference, len(accuracies), "reference") - accuracies.diagonal()
    return result


def _matrix(matrix: npt.ArrayLike) -> Vector:
    accuracies = np.asarray(matrix, dtype=np.float64)
    if accuracies.ndim != 2 or accuracies.shape[0] != accuracies.shape[1] or accuracies.size == 0:
        raise ShapeError(
            f"the accuracy matrix is {accuracies.shape}; expected (tasks, tasks): one row after "
            "each task, one column for each task, however many classes a task has"
        )
    _fractions(accuracies[np.tril_indices(len(accuracies))], "the lower triangle of the matrix")
    return accuracies


def _fractions(values: Vector, name: str) -> None:
    if not np.isfinite(values).all():
        raise NonFiniteError(f"{name} has NaN or infinity; expected a measured accuracy")
    if values.size and (values.min() < 0 or values.max() > 1):
        raise RangeError(
            f"{name} goes from {values.min():g} to {values.max():g}; "
            "expected fractions from 0 to 1 (divide percentages by 100)"
        )


def _per_task(values: Sequence[float], tasks: int, name: str) -> Vector:
    accuracies = np.asarray(values, dtype=np.float64)
    if accuracies.shape != (tasks,):
        raise ShapeError(f"{name} is {accuracies.shape}; expected ({tasks},), one for each task")
    _fractions(accuracies, name)
    return accuracies


def _at_least_two(accuracies: Vector) -> Vector:
    if len(accuracies) < 2:
        raise ShapeError("there is one task; expected at least two, or nothing can be forgotten")
    return accuracies
