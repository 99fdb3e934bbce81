"""What a loss says of itself: the entry of ``didact list losses`` and what its tests expect."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Family = Literal["logits", "teachers", "features", "relations", "incremental"]
Kind = Literal["divergence", "match", "objective"]
Layers = Literal["one", "pairs", "any"]
T = TypeVar("T", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Card:
    """One public loss.

    Attributes:
        name: The public name, ``didact.losses.<name>``.
        function: The function, or the ``nn.Module`` class of a loss with parameters or memory.
        family: Which section of the documentation it stands in.
        kind: ``"divergence"``: non-negative, zero with zero gradient where student equals
            teacher, blind to a constant added to the logits. ``"match"``: non-negative and zero
            where student equals teacher, nothing more. ``"objective"``: anything else.
        formula: The formula on one line, in plain text.
        paper: Authors, year, venue and identifier; an equation where its number is certain.
        layers: Whose features it takes: ``"one"`` layer of each network, ``"pairs"`` of layers as
            two lists of one length, or lists of ``"any"`` length.
    """

    name: str
    function: Callable[..., Any]
    family: Family
    kind: Kind
    formula: str
    paper: str
    layers: Layers = "one"

    @property
    def per_sample(self) -> bool:
        """Whether samples do not interact, so that ``reduction="none"`` makes sense."""
        return "reduction" in inspect.signature(self.function).parameters

    @property
    def defaults(self) -> dict[str, Any]:
        """The keyword parameters that have a default."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


CARDS: dict[str, Card] = {}
"""Every public loss by name, filled by :func:`register_loss` when ``didact.losses`` is imported."""


def register_loss(
    *, family: Family, kind: Kind, formula: str, paper: str, layers: Layers = "one"
) -> Callable[[T], T]:
    """Register the decorated function or module class as a public loss."""

    def register(function: T) -> T:
        name: str = function.__name__
        CARDS[name] = Card(name, function, family, kind, formula, paper, layers)
        return function

    return register
