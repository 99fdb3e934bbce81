"""Reservoirs: which place the next of a stream of samples gets, if it is kept at all."""

from __future__ import annotations

import torch
from torch import Tensor


class Reservoir:
    """Counts the samples that come and decides about each; what it decides on is stored elsewhere.

    A budget over all classes is one reservoir: every sample seen so far is kept with the same
    chance (Vitter 1985, algorithm R). ``balanced``: the fullest class gives way to a smaller one
    (Chrysakis and Moens 2020). With a budget of each class, each class has a
    reservoir of its own.

    Args:
        total: Budget over all classes.
        per_class: Budget of each class, instead of ``total``.
        balanced: Whether full classes give way to smaller ones.
    """

    def __init__(self, *, total: int | None, per_class: int | None, balanced: bool) -> None:
        self.total, self.per_class, self.balanced = total or 0, per_class, balanced
        self.observed = 0
        self._observed_of: dict[int, int] = {}

    def place(self, label: int, stored: Tensor, generator: torch.Generator) -> int | None:
        """Where a sample of this class goes: ``len(stored)`` for a new place, None for nowhere.

        Args:
            label: The class of the sample.
            stored: The classes of what is stored, ``(samples,)``.
            generator: Decides.
        """
        self.observed += 1
        self._observed_of[label] = self._observed_of.get(label, 0) + 1
        if self.per_class is not None:
            return self._among_its_class(label, stored, generator)
        if len(stored) < self.total:
            return len(stored)
        if not self.total:
            return None
        if self.balanced:
            return self._instead_of_the_fullest(label, stored, generator)
        drawn = _below(self.observed, generator)
        return drawn if drawn < self.total else None

    def _among_its_class(
        self, label: int, stored: Tensor, generator: torch.Generator
    ) -> int | None:
        mine = (stored == label).nonzero().flatten()
        if len(mine) < (self.per_class or 0):
            return len(stored)
        drawn = _below(self._observed_of[label], generator)
        return int(mine[drawn]) if drawn < len(mine) else None

    def _instead_of_the_fullest(
        self, label: int, stored: Tensor, generator: torch.Generator
    ) -> int | None:
        counts = torch.bincount(stored)
        mine = int(counts[label]) if label < len(counts) else 0
        largest = int(counts.max())
        if mine < largest:
            fullest = (counts == largest).nonzero().flatten()
            candidates = torch.isin(stored, fullest).nonzero().flatten()
            return int(candidates[_below(len(candidates), generator)])
        if _below(self._observed_of[label], generator) >= mine:
            return None
        candidates = (stored == label).nonzero().flatten()
        return int(candidates[_below(len(candidates), generator)])

    def state_dict(self) -> dict[str, Tensor]:
        """The counters: without them, samples after a pause would flood the reservoir."""
        counts = torch.tensor([[k, v] for k, v in self._observed_of.items()], dtype=torch.int64)
        return {"observed": torch.tensor(self.observed), "observed_of": counts.reshape(-1, 2)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """What :meth:`state_dict` gave."""
        self.observed = int(state["observed"])
        self._observed_of = {int(k): int(v) for k, v in state["observed_of"].tolist()}


def _below(bound: int, generator: torch.Generator) -> int:
    return int(torch.randint(bound, (), generator=generator))
