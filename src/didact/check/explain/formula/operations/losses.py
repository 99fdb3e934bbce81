"""The losses of ``torch.nn.functional``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from didact.check.explain.formula.arrays import (
    Array,
    EvaluationError,
    Number,
    as_array,
    elementwise,
)
from didact.check.explain.formula.operations.distributions import log_softmax
from didact.check.explain.formula.operations.elementwise import (
    divided,
    exp_of,
    log_of,
    smooth_of,
    softplus_of,
)
from didact.check.explain.formula.operations.matrices import cosine_similarity
from didact.check.explain.formula.operations.reductions import mean, sum_
from didact.check.explain.formula.operations.registry import OPERATIONS, operation


def _finish(losses: Array, reduction: Any, batch: int | None = None) -> Array:
    if reduction == "none":
        return losses
    if reduction in {"mean", "elementwise_mean"}:
        return mean(losses)
    if reduction == "sum":
        return as_array(sum_(losses))
    if reduction == "batchmean" and batch:
        return elementwise(divided, sum_(losses), batch)
    raise EvaluationError(f"reduction {reduction!r}")


def _legacy(size_average: Any, reduce: Any, reduction: str) -> str:
    if size_average is None and reduce is None:
        return reduction
    if reduce is not None and not reduce:
        return "none"
    return "mean" if size_average is None or size_average else "sum"


def _xlogx(p: Number) -> float:
    return 0.0 if p == 0 else p * log_of(p)


@operation()
def kl_div(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None,  # noqa: A002
    reduction: str = "mean", log_target: bool = False,
) -> Array:  # fmt: skip
    """Σ P·(log P − log Q), element by element."""
    if log_target:
        losses = elementwise(lambda q, p: exp_of(p) * (p - q), input, target)
    else:
        losses = elementwise(lambda q, p: _xlogx(p) - (p * q if p else 0.0), input, target)
    first = as_array(input)
    return _finish(
        losses, _legacy(size_average, reduce, reduction), first.shape[0] if first.rank else 1
    )


@operation("cross_entropy")
def cross_entropy(
    input: Array, target: Array, weight: Any = None, size_average: Any = None,  # noqa: A002
    ignore_index: Any = -100, reduce: Any = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:  # fmt: skip
    """−log softmax(input)[target], or −Σ target·log softmax(input)."""
    array = as_array(input)
    return nll_loss(
        log_softmax(array, 0 if array.rank == 1 else 1), target, weight, size_average,
        ignore_index, reduce, reduction, label_smoothing,
    )  # fmt: skip


@operation("nll_loss")
def nll_loss(
    input: Array, target: Array, weight: Any = None, size_average: Any = None,  # noqa: A002
    ignore_index: Any = -100, reduce: Any = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:  # fmt: skip
    """−input[target]."""
    if weight is not None:
        raise EvaluationError("class weights")
    reduction = _legacy(size_average, reduce, reduction)
    array, wanted = as_array(input), as_array(target)
    axis = 0 if array.rank == 1 else 1
    classes = array.shape[axis]
    if wanted.shape == array.shape and wanted.kind == "float":
        if label_smoothing:
            s = label_smoothing
            wanted = elementwise(lambda p: (1 - s) * p + s / classes, wanted)
        rows = sum_(elementwise(lambda q, p: -p * q if p else 0.0, array, wanted), axis)
        return _finish(as_array(rows), reduction)
    order = [*(a for a in range(array.rank) if a != axis), axis]
    moved = array.permute(order).reshape((-1, classes))
    if wanted.shape != tuple(n for a, n in enumerate(array.shape) if a != axis):
        raise EvaluationError(f"labels {wanted.shape} do not fit {array.shape}")
    if wanted.kind == "float":
        raise EvaluationError("labels must be whole numbers")
    losses, kept = [], 0
    for row, label in enumerate(wanted.data):
        if label == ignore_index:
            losses.append(0.0)
            continue
        if not 0 <= label < classes:
            raise EvaluationError("a label is out of range")
        kept += 1
        scores = moved.data[row * classes : (row + 1) * classes]
        smooth = -sum(scores) / classes
        losses.append(-(1 - label_smoothing) * scores[int(label)] + label_smoothing * smooth)
    if reduction == "mean":
        return as_array(divided(float(sum(losses)), kept))
    return _finish(Array(wanted.shape, tuple(losses)), reduction)


@operation("binary_cross_entropy")
def binary_cross_entropy(
    input: Array, target: Array, weight: Any = None, size_average: Any = None,  # noqa: A002
    reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """−t·log p − (1−t)·log(1−p), element by element."""
    if weight is not None:
        raise EvaluationError("weights")
    if any(not 0 <= p <= 1 for p in as_array(input).data):
        raise EvaluationError("binary_cross_entropy needs probabilities")
    losses = elementwise(
        lambda p, t: -t * max(log_of(p), -100.0) - (1 - t) * max(log_of(1 - p), -100.0),
        input,
        target,
    )
    return _finish(losses, _legacy(size_average, reduce, reduction))


@operation("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    input: Array, target: Array, weight: Any = None, size_average: Any = None,  # noqa: A002
    reduce: Any = None, reduction: str = "mean", pos_weight: Any = None,
) -> Array:  # fmt: skip
    """The same of sigmoid(input)."""
    if weight is not None or pos_weight is not None:
        raise EvaluationError("weights")
    if as_array(input).shape != as_array(target).shape:
        raise EvaluationError("shapes differ")
    losses = elementwise(lambda z, t: softplus_of(z) - z * t, input, target)
    return _finish(losses, _legacy(size_average, reduce, reduction))


def _regression(function: Callable[[Number], Number]) -> Callable[..., Array]:
    def apply(
        input: Array, target: Array, size_average: Any = None, reduce: Any = None,  # noqa: A002
        reduction: str = "mean",
    ) -> Array:  # fmt: skip
        losses = elementwise(lambda a, b: function(a - b), input, target)
        return _finish(losses, _legacy(size_average, reduce, reduction))

    return apply


OPERATIONS["mse_loss"] = _regression(lambda d: d * d)
OPERATIONS["l1_loss"] = _regression(abs)


@operation("smooth_l1_loss")
def smooth_l1_loss(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None,  # noqa: A002
    reduction: str = "mean", beta: float = 1.0,
) -> Array:  # fmt: skip
    """Squared near 0, absolute beyond beta."""
    losses = elementwise(lambda a, b: smooth_of(a - b, beta), input, target)
    return _finish(losses, _legacy(size_average, reduce, reduction))


@operation("huber_loss")
def huber_loss(
    input: Array, target: Array, reduction: str = "mean", weight: Any = None,  # noqa: A002
    delta: float = 1.0,
) -> Array:  # fmt: skip
    """Delta times the smooth absolute difference."""
    if weight is not None:
        raise EvaluationError("weights")
    return _finish(
        elementwise(lambda a, b: delta * smooth_of(a - b, delta), input, target), reduction
    )


@operation("cosine_embedding_loss")
def cosine_embedding_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0.0,
    size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """1 − cos where the target is 1."""
    cosine = cosine_similarity(input1, input2, -1)
    losses = elementwise(lambda c, y: 1 - c if y == 1 else max(0.0, c - margin), cosine, target)
    return _finish(losses, _legacy(size_average, reduce, reduction))


@operation("margin_ranking_loss")
def margin_ranking_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0.0,
    size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """max(0, margin − target·(input1 − input2))."""
    losses = elementwise(lambda a, b, y: max(0.0, margin - y * (a - b)), input1, input2, target)
    return _finish(losses, _legacy(size_average, reduce, reduction))
