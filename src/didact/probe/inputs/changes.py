"""What the laws do to inputs: other classes, more samples, some of the samples."""

from __future__ import annotations

import torch
from torch import Tensor

from didact.probe.inputs.inputs import Inputs


def widened(inputs: Inputs, classes: int, *, empty: float = -1e4) -> Inputs:
    """The same distributions over more classes, which get the logit ``empty``.

    The new classes stand last, or last among those that the teacher knows.
    """
    more, place = classes - inputs.classes, _place(inputs)
    moved = inputs.labels >= place if inputs.labelled != "low" else inputs.labels < 0
    return inputs.having(
        student=_inserted(inputs.student, place, more, empty),
        teacher=_inserted(inputs.teacher, place, more, empty),
        labels=torch.where(moved, inputs.labels + more, inputs.labels),
        old=None if inputs.old is None else inputs.old + more,
    )


def _place(inputs: Inputs) -> int:
    return inputs.classes if inputs.old is None else inputs.old


def _inserted(tensor: Tensor, place: int, more: int, value: float) -> Tensor:
    extra = tensor.new_full((*tensor.shape[:-1], more), value)
    return torch.cat([tensor[..., :place], extra, tensor[..., place:]], -1)


def unwidened(tensor: Tensor, inputs: Inputs) -> Tensor:
    """Of a tensor for widened inputs, the columns of the classes that were there before."""
    place, more = _place(inputs), tensor.shape[-1] - inputs.classes
    return torch.cat([tensor[..., :place], tensor[..., place + more :]], -1)


def permuted(inputs: Inputs) -> tuple[Inputs, Tensor]:
    """The classes in another order, old among old and new among new; and that order."""
    place = _place(inputs)
    order = torch.cat([_rolled(0, place), _rolled(place, inputs.classes)])
    labels = torch.argsort(order)[inputs.labels.clamp(min=0)]
    if inputs.labelled == "low":
        labels = torch.argsort(_rolled(0, inputs.classes - place))[inputs.labels.clamp(min=0)]
    return inputs.having(
        student=inputs.student[..., order],
        teacher=inputs.teacher[..., order[: inputs.teacher.shape[-1]]],
        labels=torch.where(inputs.labels >= 0, labels, inputs.labels),
    ), order


def _rolled(first: int, end: int) -> Tensor:
    return torch.arange(first, end).roll(2 if end - first > 2 else 1)


def relabelled(inputs: Inputs) -> Tensor:
    """Other labels: each the next class that may occur; what is ignored stays so."""
    first, end = inputs.label_range
    following = first + (inputs.labels - first + 1) % (end - first)
    return torch.where(inputs.labels >= 0, following, inputs.labels)


def repeated(inputs: Inputs, times: int, *, dim: int = 0) -> Inputs:
    """The same samples (or positions) several times over."""
    mask = inputs.mask
    return inputs.having(
        student=torch.cat([inputs.student] * times, dim),
        teacher=torch.cat([inputs.teacher] * times, dim),
        labels=torch.cat([inputs.labels] * times, dim),
        mask=None if mask is None else torch.cat([mask] * times, dim),
    )


def chosen(inputs: Inputs, rows: slice) -> Inputs:
    """Some of the samples."""
    mask = inputs.mask
    return inputs.having(
        student=inputs.student[rows],
        teacher=inputs.teacher[rows],
        labels=inputs.labels[rows],
        mask=None if mask is None else mask[rows],
    )
