"""Random plate texts under the grammar: every province and every letter about equally often."""

from dataclasses import dataclass

import numpy as np

from didact_plates.grammar import DIGITS, LATIN, LETTERS, PROVINCES


@dataclass(frozen=True)
class Kind:
    """What a plate of one kind looks like: colour, rows, and how its text is drawn."""

    colour: str
    rows: int
    share: float
    last: str = ""
    eight: bool = False


KINDS = (
    Kind("blue", 1, 0.50),
    Kind("green", 1, 0.16, eight=True),
    Kind("yellow", 1, 0.08),
    Kind("yellow", 2, 0.08),
    Kind("yellow", 1, 0.03, last="学"),
    Kind("yellow", 2, 0.03, last="挂"),
    Kind("white", 1, 0.05, last="警"),
    Kind("black", 1, 0.025),
    Kind("black", 1, 0.025, last="港澳使领"),
    Kind("black", 1, 0.02, last="使使"),
)
SHARES = np.cumsum([kind.share for kind in KINDS]) / sum(kind.share for kind in KINDS)


def pick(characters: str, rng: np.random.Generator) -> str:
    """One of ``characters``, all equally likely."""
    return characters[int(rng.integers(len(characters)))]


def draw_kind(rng: np.random.Generator) -> Kind:
    """One of the kinds of plates, by its share."""
    return KINDS[int(np.searchsorted(SHARES, rng.random()))]


def draw_text(kind: Kind, rng: np.random.Generator) -> str:
    """A text for a plate of this kind.

    Letters are two in five of the free places, more than on the roads, so that each is seen often.
    """
    if kind.last == "使使":
        return "使" + "".join(pick(DIGITS, rng) for _ in range(6))
    head = pick(PROVINCES, rng) + ("A" if rng.random() < 0.15 else pick(LETTERS, rng))
    if kind.eight:
        digits = "".join(pick(DIGITS, rng) for _ in range(5))
        energy = pick("DFDFDFABCEGHJK", rng)
        if rng.random() < 0.15:
            return head + digits + energy
        return (
            head + energy + (pick(LETTERS, rng) if rng.random() < 0.3 else digits[0]) + digits[1:]
        )
    count = 4 if kind.last else 5
    free = "".join(
        pick(LETTERS, rng)
        if rng.random() < 0.3
        else pick(LATIN, rng)
        if rng.random() < 0.2
        else pick(DIGITS, rng)
        for _ in range(count)
    )
    return head + free + (pick(kind.last, rng) if kind.last else "")
