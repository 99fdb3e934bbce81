"""What another program has kept of a text, row by row, whatever its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Row(Protocol):
    """A text and what was said of each token's successor."""

    @property
    def tokens(self) -> list[int]:
        """Its ids."""

    @property
    def least(self) -> int | None:
        """The fewest classes that are known of a token of which anything is; None of none."""

    def kept(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Class numbers and log-probabilities of the k likeliest, and of which tokens.

        Returns:
            ``(tokens, k)`` twice, and ``(tokens,)``, True where something is known.
        """


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A row whose classes were written one by one.

    Attributes:
        tokens: Its ids.
        said: For each token, log-probabilities by class, the likeliest first; nothing where it is
            not known, as behind the last.
    """

    tokens: list[int]
    said: list[list[tuple[int, float]]]

    @property
    def least(self) -> int | None:
        """See :class:`Row`."""
        return min((len(one) for one in self.said if one), default=None)

    def kept(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """See :class:`Row`."""
        ids, values = torch.arange(k).repeat(len(self.said), 1), torch.zeros(len(self.said), k)
        known = torch.tensor([bool(one) for one in self.said])
        for place, one in enumerate(self.said):
            if one:
                numbers, log_probs = zip(*one[:k], strict=True)
                ids[place], values[place] = torch.tensor(numbers), torch.tensor(log_probs)
        return ids, values, known
