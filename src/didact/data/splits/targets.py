"""What a sample is labelled with: a class, a distribution over classes, several labels, numbers."""

from __future__ import annotations

from typing import Literal, cast, get_args

import torch
from torch import Tensor

from didact._core.errors import DataError

TaskName = Literal["single-label", "soft-label", "multi-label", "regression"]
TASKS: tuple[TaskName, ...] = get_args(TaskName)
AUTO = "auto"
_SURE = 1e-3


def task_of(labels: Tensor) -> TaskName:
    """What labels of this form are for, where nobody has said it.

    Whole numbers ``[N]`` are classes. Of numbers ``[N, K]``: all 0 or 1 and in each row exactly one
    of several 1, or rows that sum to 1 and lie in 0..1, are distributions over classes; other
    zeros and ones are several labels; anything else is numbers to predict.
    """
    if not labels.is_floating_point():
        return "single-label"
    within = bool(((labels >= 0) & (labels <= 1)).all())
    one = labels.shape[1] > 1 and bool(((labels.sum(dim=1) - 1).abs() < _SURE).all())
    if within and one:
        return "soft-label"
    return "multi-label" if bool(((labels == 0) | (labels == 1)).all()) else "regression"


def as_targets(labels: Tensor, task: str, where: str) -> tuple[Tensor, TaskName]:
    """Labels in the form that a task has them, and the task.

    Args:
        labels: int64 ``[N]``, or float32 ``[N, K]``.
        task: A name of ``TASKS``, or ``"auto"``: what the labels look like.
        where: What messages call them.

    Raises:
        DataError: The labels are not of that task.
    """
    if task == AUTO:
        return labels, task_of(labels)
    if task == "regression" and not labels.is_floating_point():
        return labels.to(torch.float32).unsqueeze(1), "regression"
    if task != "regression" and labels.is_floating_point() != (task != "single-label"):
        got = "numbers [N, K]" if labels.is_floating_point() else "one class number per sample"
        wanted = {
            "single-label": "one class number per sample",
            "soft-label": "a probability for each class [N, K]",
            "multi-label": "0 or 1 for each label [N, K]",
        }[task]
        raise DataError(f"{where}: the labels are {got} and task is {task}; expected {wanted}")
    return labels, cast("TaskName", task)


def strata_of(labels: Tensor, task: TaskName) -> tuple[Tensor, int]:
    """By what samples are set aside in proportion, and how many kinds of it there are.

    The classes; one kind for all where there are several labels, or numbers.
    """
    if task == "single-label":
        return labels, int(labels.max()) + 1 if len(labels) else 1
    if task == "soft-label":
        return labels.argmax(dim=1), labels.shape[1]
    return torch.zeros(len(labels), dtype=torch.int64), 1


def is_labelled(labels: Tensor) -> Tensor:
    """Bool ``[N]``: which samples have a label that may be used; -1 and NaN stand for none."""
    return labels[:, 0].isfinite() if labels.is_floating_point() else labels >= 0


def without_label(labels: Tensor, labelled: Tensor) -> Tensor:
    """The labels, with -1 or NaN where they may not be used."""
    if labels.is_floating_point():
        return labels.masked_fill(~labelled.unsqueeze(1), float("nan"))
    return labels.masked_fill(~labelled, -1)


def check_targets(labels: Tensor, outputs: int, task: TaskName, where: str) -> None:
    """Refuse labels that are not of the task.

    Raises:
        DataError: There is such a label; the message says which and where.
    """
    if task == "single-label":
        _check_classes(labels, outputs, where)
        return
    if not labels.is_floating_point() or labels.shape[1:] != (outputs,):
        raise DataError(
            f"{where}: labels are {labels.dtype} {tuple(labels.shape)}; expected float32 "
            f"(N, {outputs}) for {task}"
        )
    wrong = ~labels.isfinite().all(dim=1)
    expected = "finite numbers"
    if task == "multi-label":
        wrong |= ((labels != 0) & (labels != 1)).any(dim=1)
        expected = "0 or 1 for each label"
    elif task == "soft-label":
        wrong |= (labels < 0).any(dim=1) | ((labels.sum(dim=1) - 1).abs() >= _SURE)
        expected = "a probability for each class, which sum to 1"
    if bool(wrong.any()):
        index = int(wrong.nonzero()[0])
        raise DataError(
            f"{where}: sample {index} has {labels[index].tolist()[:8]}; expected {expected} "
            f"({task}; {int(wrong.sum())} samples are not of that form)"
        )


def _check_classes(labels: Tensor, num_classes: int, where: str) -> None:
    if labels.is_floating_point():
        raise DataError(f"{where}: labels are {labels.dtype}; expected class numbers")
    outside = ((labels < 0) | (labels >= num_classes)).nonzero().flatten()
    if len(outside):
        index = int(outside[0])
        raise DataError(
            f"{where}: image {index} has label {int(labels[index])}; expected 0..{num_classes - 1} "
            f"({num_classes} classes; {len(outside)} labels are outside)"
        )
