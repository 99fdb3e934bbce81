"""Exemplars: a few images of old tasks, uint8, never more than the budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from didact._core.errors import RangeError, UsageError
from didact.data.memory.herding import herding
from didact.data.memory.reservoir import Reservoir
from didact.data.splits.joined import joined
from didact.data.splits.labels import distinct, places_of
from didact.data.splits.split import AnySplit, Split

Choice = Literal["herding", "random", "reservoir", "balanced"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
STREAMING = ("reservoir", "balanced")


class Memory:
    """Images with labels, and whatever else a method stores with each of them.

    Two ways of choosing look at a whole task at once (:meth:`fill`): ``"herding"`` and
    ``"random"``. Each class has the same share, ``total // classes seen`` or ``per_class``, and
    keeps the first ones of its ranking when the share shrinks. Two look at one sample after
    another (:meth:`observe`) and never need a task's end: ``"reservoir"`` (Vitter 1985: every
    sample seen so far is kept with the same chance) and ``"balanced"`` (Chrysakis and Moens 2020:
    the fullest class gives way to a smaller one); with a budget of each class, both are one
    reservoir for each class. :meth:`fill` works for these too: it observes the task once.

    Args:
        choice: One of ``CHOICES``.
        total: Budget over all classes.
        per_class: Budget of each class, instead of ``total``.

    Raises:
        RangeError: A budget is negative.
        UsageError: Both budgets, or a choice that is not known.
    """

    def __init__(
        self, choice: Choice = "herding", *, total: int | None = None, per_class: int | None = None
    ) -> None:
        if choice not in CHOICES:
            raise UsageError(f"exemplars are chosen by {choice!r}; expected one of {CHOICES}")
        if total is not None and per_class is not None:
            raise UsageError("the memory has a total and a budget per class; give one of them")
        if min(total or 0, per_class or 0) < 0:
            raise RangeError(f"the memory is {total or per_class}; expected at least 0")
        self.choice = choice
        self.total, self.per_class = total, per_class
        balanced = choice == "balanced"
        self._reservoir = Reservoir(total=total, per_class=per_class, balanced=balanced)
        self._images = torch.empty(0, 1, 1, 1, dtype=torch.uint8)
        self._labels = torch.empty(0, dtype=torch.int64)
        self._extras: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def enabled(self) -> bool:
        """Whether it may hold anything."""
        return bool(self.total or self.per_class)

    @property
    def streams(self) -> bool:
        """Whether it looks at one sample after another."""
        return self.choice in STREAMING

    @property
    def labels(self) -> Tensor:
        """int64 ``[N]``, columns; classes in the order in which they were stored."""
        return self._labels

    @property
    def nbytes(self) -> int:
        """Bytes of images, labels and what is stored with them."""
        stored = (self._images, self._labels, *self._extras.values())
        return sum(tensor.nbytes for tensor in stored) if len(self) else 0

    def share(self, classes: int) -> int:
        """The exemplars that each of ``classes`` classes may have.

        Raises:
            RangeError: The total is less than one for each class.
        """
        if self.per_class is not None:
            return self.per_class
        total = self.total or 0
        if 0 < total < classes:
            raise RangeError(
                f"a memory of {total} has not one exemplar for each of {classes} classes; "
                f"expected at least {classes}, or the choice 'reservoir'"
            )
        return total // classes

    def split(self) -> Split:
        """All exemplars."""
        return Split(self._images, self._labels)

    def images_of(self, label: int) -> Tensor:
        """The exemplars of one class, best first where they are ranked."""
        return self._images[self._labels == label]

    def take(self, indices: Tensor) -> tuple[Split, dict[str, Tensor]]:
        """Some of the exemplars, and what was stored with them."""
        chosen = Split(self._images[indices], self._labels[indices])
        return chosen, {name: values[indices] for name, values in self._extras.items()}

    def fill(
        self,
        split: AnySplit,
        *,
        seen: int,
        generator: torch.Generator,
        features: Callable[[AnySplit], Tensor] | None = None,
    ) -> None:
        """Store exemplars of a task that has just been learned.

        A class that is stored already (it came back) is chosen anew from its old exemplars and
        the new images.

        Args:
            split: The task's training data; labels are columns.
            seen: The number of classes seen so far.
            generator: For ``"random"`` and the streaming choices.
            features: From images to ``[N, width]``; for ``"herding"``.
        """
        if not self.enabled:
            return
        if self.streams:
            order = torch.randperm(len(split), generator=generator)
            self.observe(split.subset(order), generator=generator)
            return
        share, present = self.share(seen), distinct(split.labels)
        old = [c for c in distinct(self._labels) if c not in present]
        kept = [(self._labels == label).nonzero().flatten()[:share] for label in old]
        again = self.split().subset(places_of(self._labels, present))
        pool = joined(split, again) if len(again) else split
        points = features(pool).cpu() if features is not None else None
        chosen = [
            where[self._rank(points, where, share, generator)]
            for where in ((pool.labels == label).nonzero().flatten() for label in present)
        ]
        new = torch.cat(chosen)
        parts = [self.split().subset(torch.cat(kept))] if kept else []
        parts.append(Split(pool.take(new).cpu(), pool.labels[new].cpu()))
        self._images = torch.cat([part.images for part in parts])
        self._labels = torch.cat([part.labels for part in parts])

    def _rank(
        self, points: Tensor | None, where: Tensor, share: int, generator: torch.Generator
    ) -> Tensor:
        if self.choice == "random":
            return torch.randperm(len(where), generator=generator)[:share]
        if points is None:
            raise UsageError("herding needs features; pass features=network.features")
        return herding(points[where], share)

    def observe(
        self,
        split: AnySplit,
        *,
        generator: torch.Generator,
        extras: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Look at samples one after another and keep some.

        Args:
            split: The samples in the order in which they come.
            generator: Decides which are kept.
            extras: Further tensors, one row for each sample. A row that is longer than those
                stored makes them longer, filled with NaN.
        """
        if not self.enabled or not len(split):
            return
        rows = {name: values.detach().cpu() for name, values in (extras or {}).items()}
        places = [self._put_label(label, generator) for label in split.labels.tolist()]
        last = {place: sample for sample, place in enumerate(places) if place is not None}
        if not last:
            return
        targets, samples = torch.tensor(list(last)), torch.tensor(list(last.values()))
        self._images = _put(self._images, targets, split.take(samples).cpu())
        for name, values in rows.items():
            self._extras[name] = _put(
                self._extras.get(name, values[:0]), targets, values[samples], length=len(self)
            )

    def _put_label(self, label: int, generator: torch.Generator) -> int | None:
        """Where the next sample goes; its label is there already. None if it is not kept."""
        place = self._reservoir.place(label, self._labels, generator)
        if place is None:
            return None
        if place == len(self):
            self._labels = torch.cat([self._labels, torch.tensor([label])])
        self._labels[place] = label
        return place

    def state_dict(self) -> dict[str, Tensor]:
        """Everything, counters included, as tensors."""
        return {
            "images": self._images,
            "labels": self._labels,
            **self._reservoir.state_dict(),
            **{f"extras.{name}": values for name, values in self._extras.items()},
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """What :meth:`state_dict` gave."""
        self._images, self._labels = state["images"], state["labels"]
        self._reservoir.load_state_dict(dict(state))
        self._extras = {
            name.removeprefix("extras."): values
            for name, values in state.items()
            if name.startswith("extras.")
        }


def _put(stored: Tensor, places: Tensor, rows: Tensor, length: int | None = None) -> Tensor:
    """``stored`` with ``rows`` at ``places``, made longer (and wider, with NaN) where needed."""
    size = max(length or 0, len(stored), int(places.max()) + 1)
    if not len(stored):
        stored = rows.new_empty(0, *rows.shape[1:])
    if stored.ndim == 2 and stored.shape[1] < rows.shape[1]:
        wider = stored.new_full((len(stored), rows.shape[1]), torch.nan)
        wider[:, : stored.shape[1]] = stored
        stored = wider
    if len(stored) < size:
        fill = torch.nan if stored.is_floating_point() else 0
        longer = stored.new_full((size - len(stored), *stored.shape[1:]), fill)
        stored = torch.cat([stored, longer])
    stored[places] = rows.to(stored.dtype)
    return stored
