"""Which images go where: stratified picks and label noise, all a function of the seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from didact._core.errors import DataError, RangeError
from didact.data.splits.seeds import generator_for

FIXED_TEST_SEED = 0
FIXED_TEST_FRACTION = 0.2


def counts_per_class(labels: Tensor, num_classes: int, total: int, minimum: int) -> list[int]:
    """How many images of each class make ``total`` with the classes' own proportions.

    Largest remainders: the counts add up to ``total`` exactly, and each is within one of its
    proportional share unless ``minimum`` (or the size of the class) says otherwise.
    """
    sizes = torch.bincount(labels, minlength=num_classes).tolist()
    shares = [total * size / max(len(labels), 1) for size in sizes]
    counts = [min(size, max(math.floor(s), minimum)) for size, s in zip(sizes, shares, strict=True)]
    while (missing := total - sum(counts)) != 0:
        step = 1 if missing > 0 else -1
        movable = [
            c
            for c, (count, size) in enumerate(zip(counts, sizes, strict=True))
            if (count < size if step > 0 else count > minimum)
        ]
        if not movable:
            break
        counts[max(movable, key=lambda c: (step * (shares[c] - counts[c]), -c))] += step
    return counts


def stratified_pick(
    labels: Tensor, num_classes: int, total: int, generator: torch.Generator, *, minimum: int = 0
) -> Tensor:
    """Sorted indices of ``total`` images, the classes in proportion, at random inside a class."""
    counts = counts_per_class(labels, num_classes, total, minimum)
    picked = [torch.empty(0, dtype=torch.int64)]
    for class_index, count in enumerate(counts):
        members = (labels == class_index).nonzero().flatten()
        picked.append(members[torch.randperm(len(members), generator=generator)[:count]])
    return torch.cat(picked).sort().values


def complement(indices: Tensor, size: int) -> Tensor:
    """The sorted indices in ``0..size - 1`` that are not in ``indices``."""
    rest = torch.ones(size, dtype=torch.bool)
    rest[indices] = False
    return rest.nonzero().flatten()


def fixed_test_indices(labels: Tensor, num_classes: int) -> Tensor:
    """The test images of data that come without a test split: one fifth, rounded up, stratified.

    They do not depend on the run's seed: every run of everybody is tested on the same images.
    """
    total = math.ceil(len(labels) * FIXED_TEST_FRACTION)
    return stratified_pick(labels, num_classes, total, generator_for(FIXED_TEST_SEED, "test"))


def fixed_test_indices_by_class(labels: Tensor, class_names: Sequence[str]) -> Tensor:
    """The same, drawn for each class by its name alone: another class moves no image of it.

    One fifth of each class, rounded, at least one where it has two.
    """
    picked = [torch.empty(0, dtype=torch.int64)]
    for label, name in enumerate(class_names):
        members = (labels == label).nonzero().flatten()
        count = max(round(len(members) * FIXED_TEST_FRACTION), int(len(members) > 1))
        generator = generator_for(FIXED_TEST_SEED, "test", name)
        picked.append(members[torch.randperm(len(members), generator=generator)[:count]])
    return torch.cat(picked).sort().values


def validation_indices(
    labels: Tensor, num_classes: int, validation: float, seed: int, name: str
) -> Tensor:
    """The training images that are set aside for validation; each class keeps one to learn from.

    Raises:
        RangeError: ``validation`` is neither in ``[0, 1)`` nor a whole number of images.
        DataError: Nothing would be left to train on.
    """
    total = _amount(validation, len(labels), "validation", zero_allowed=True)
    learnable = int((torch.bincount(labels, minlength=num_classes) - 1).clamp(min=0).sum())
    if total > learnable and validation >= 1:
        raise DataError(
            f"{name}: validation={validation:g} of {len(labels)} training images leaves some "
            f"class without any; at most {learnable} can be set aside"
        )
    # The first of each class, in an order that the seed draws, stays with the training images.
    shuffled = torch.randperm(len(labels), generator=generator_for(seed, "validation"))
    kept = torch.tensor(
        [i for c in range(num_classes) for i in shuffled[labels[shuffled] == c][:1].tolist()],
        dtype=torch.int64,
    )
    free = complement(kept, len(labels))
    generator = generator_for(seed, "validation", "pick")
    minimum = 1 if total >= num_classes else 0
    picked = stratified_pick(labels[free], num_classes, total, generator, minimum=minimum)
    return free[picked]


def labelled_mask(
    labels: Tensor, num_classes: int, labelled: float, seed: int, name: str
) -> Tensor:
    """Which training labels may be used: stratified, at least one of each class.

    Args:
        labels: int64 ``[N]``, of the training images.
        num_classes: How many classes there are.
        labelled: A fraction in ``(0, 1]``, or a whole number of images above 1.
        seed: Decides which.
        name: Of the data set, for messages.

    Raises:
        RangeError: ``labelled`` is neither, or more than there are.
        DataError: Fewer images than classes.
    """
    if labelled == 1:
        return torch.ones(len(labels), dtype=torch.bool)
    total = _amount(labelled, len(labels), "labelled", zero_allowed=False)
    if labelled < 1 and labelled * len(labels) < 1 - 1e-9:
        raise RangeError(
            f"{name}: labelled={labelled:g} of {len(labels)} images is less than one image; "
            f"expected {num_classes / len(labels):.2g} or more, one of each class"
        )
    if total < num_classes and labelled > 1:
        raise DataError(
            f"{name}: labelled={labelled:g} images are fewer than the {num_classes} classes; "
            f"each class needs at least one"
        )
    picked = stratified_pick(
        labels, num_classes, max(total, num_classes), generator_for(seed, "labelled"), minimum=1
    )
    mask = torch.zeros(len(labels), dtype=torch.bool)
    mask[picked] = True
    return mask


def noisy_labels(
    labels: Tensor, labelled: Tensor, num_classes: int, label_noise: float, seed: int
) -> Tensor:
    """Symmetric label noise on the labels that may be used.

    Exactly ``round(label_noise * labelled.sum())`` of them are replaced, each by one of the other
    ``num_classes - 1`` classes with equal chance, so that none of those is right by accident.

    Raises:
        RangeError: ``label_noise`` is outside ``[0, 1)``, or there is only one class.
    """
    if not 0 <= label_noise < 1:
        raise RangeError(f"label_noise is {label_noise}; expected a fraction in [0, 1)")
    if label_noise == 0:
        return labels
    if num_classes < 2:
        raise RangeError("label_noise needs at least two classes")
    generator = generator_for(seed, "label noise")
    usable = labelled.nonzero().flatten()
    chosen = usable[torch.randperm(len(usable), generator=generator)]
    chosen = chosen[: round(label_noise * len(usable))]
    shift = torch.randint(1, num_classes, (len(chosen),), generator=generator)
    noisy = labels.clone()
    noisy[chosen] = (labels[chosen] + shift) % num_classes
    return noisy


def _amount(value: float, size: int, what: str, *, zero_allowed: bool) -> int:
    """A fraction of ``size`` or a whole number of images, as a number of images."""
    if isinstance(value, bool) or value == 1 or not (value > 0 or (zero_allowed and value == 0)):
        allowed = "[0, 1)" if zero_allowed else "(0, 1]"
        raise RangeError(
            f"{what} is {value}; expected a fraction in {allowed}, or a whole number of images "
            "above 1"
        )
    if value < 1:
        return round(value * size)
    if value > size or value != int(value):
        raise RangeError(
            f"{what} is {value:g}; expected a fraction below 1, or a whole number of images "
            f"up to {size}"
        )
    return int(value)
