"""What may stand on a Chinese licence plate (GA 36), as sets of characters for each place.

A *form* is a sequence of such sets: ordinary plates with seven characters, plates that end in a
special character, embassy plates, and new-energy plates with eight. Letters I and O are not used.
"""

import math
from dataclasses import dataclass

import numpy as np

PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
SPECIAL = "使领警学挂港澳"
HANZI = PROVINCES + SPECIAL
DIGITS = "0123456789"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
LATIN = DIGITS + LETTERS
ALPHABET = LATIN + HANZI
COLOURS = ("blue", "yellow", "green", "white", "black")
INDEX = {character: index for index, character in enumerate(ALPHABET)}
NEW_ENERGY = "ABCDEFGHJK"
SURELY_BLANK = math.log(0.999)
HOPELESS = math.log(1e-4)

Prefix = tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """One kind of plate: a name, and for each place the characters that may stand there."""

    name: str
    places: tuple[str, ...]

    def accepts(self, text: str) -> bool:
        """Whether ``text`` has this form."""
        return len(text) == len(self.places) and all(
            character in allowed for character, allowed in zip(text, self.places, strict=True)
        )


FORMS = (
    Form("ordinary", (PROVINCES, LETTERS, *([LATIN] * 5))),
    Form("special", (PROVINCES, LETTERS, *([LATIN] * 4), "警学挂港澳使领")),
    Form("embassy", ("使", *([DIGITS] * 6))),
    Form("new energy, small", (PROVINCES, LETTERS, NEW_ENERGY, LATIN, *([DIGITS] * 4))),
    Form("new energy, large", (PROVINCES, LETTERS, *([DIGITS] * 5), NEW_ENERGY)),
)

FIRST = frozenset(character for form in FORMS for character in form.places[0])


def form_of(text: str) -> Form | None:
    """The first form that ``text`` has, or None."""
    return next((form for form in FORMS if form.accepts(text)), None)


def is_valid(text: str) -> bool:
    """Whether ``text`` could stand on a plate.

    >>> is_valid("京A12345"), is_valid("京AD12345"), is_valid("AA12345"), is_valid("京AO2345")
    (True, True, False, False)
    """
    return form_of(text) is not None


def _automaton() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All places of all forms one after another: allowed characters, first places, last places."""
    allowed, first, last = [], [], []
    for form in FORMS:
        for place, characters in enumerate(form.places):
            row = np.zeros(len(ALPHABET), dtype=bool)
            row[[INDEX[character] for character in characters]] = True
            allowed.append(row)
            first.append(place == 0)
            last.append(place == len(form.places) - 1)
    return np.stack(allowed), np.array(first), np.array(last)


ALLOWED, IS_FIRST, IS_LAST = _automaton()


def best_text(log_probabilities: np.ndarray, beam: int = 10) -> tuple[str, float]:
    """The most probable text that has one of the forms, by CTC beam search.

    Prefixes that no form begins with are never kept, so that the probability of a prefix goes to
    plates alone: ``0`` at the second place becomes ``D`` if that is what is left of it.

    Args:
        log_probabilities: ``[frames, 1 + len(ALPHABET)]``; column 0 is the blank.
        beam: How many prefixes are kept after each frame.

    Returns:
        Text and its log-probability; ``("", -inf)`` where no plate is possible.

    Paper: Graves et al., Connectionist Temporal Classification (2006); the search of Hannun et al.,
    First-Pass Large Vocabulary Continuous Speech Recognition (2014), without a language model.
    """
    blanks = log_probabilities[:, 0] > SURELY_BLANK
    again = np.concatenate([[False], blanks[1:] & blanks[:-1]])  # one is needed between two equal
    log_probabilities = log_probabilities[~again]
    states: dict[Prefix, np.ndarray] = {(): IS_FIRST}  # the places that may come next
    dead: set[Prefix] = set()
    blank: dict[Prefix, float] = {(): 0.0}
    other: dict[Prefix, float] = {(): -math.inf}
    for row in log_probabilities:
        frame = row.tolist()
        choices = [int(k) for k in np.argsort(-row[1:])[:5] if row[1 + k] > HOPELESS]
        new_blank: dict[Prefix, float] = {}
        new_other: dict[Prefix, float] = {}
        for prefix in blank:
            total = _sum(blank[prefix], other[prefix])
            new_blank[prefix] = _sum(new_blank.get(prefix, -math.inf), total + frame[0])
            if prefix:
                held = other[prefix] + frame[1 + prefix[-1]]
                new_other[prefix] = _sum(new_other.get(prefix, -math.inf), held)
            for character in choices:
                longer = (*prefix, character)
                if longer not in states and longer not in dead:
                    places = states[prefix] & ALLOWED[:, character]
                    if places.any():
                        states[longer] = _after(places)
                    else:
                        dead.add(longer)
                if longer in dead:
                    continue
                repeated = bool(prefix) and prefix[-1] == character
                new = (blank[prefix] if repeated else total) + frame[1 + character]
                new_other[longer] = _sum(new_other.get(longer, -math.inf), new)
        scores = {
            key: _sum(new_blank.get(key, -math.inf), new_other.get(key, -math.inf))
            for key in new_blank | new_other
        }
        kept = sorted(scores, key=lambda key: -scores[key])[:beam]
        blank = {key: new_blank.get(key, -math.inf) for key in kept}
        other = {key: new_other.get(key, -math.inf) for key in kept}
    best, score = "", -math.inf
    for prefix in blank:
        text = "".join([ALPHABET[index] for index in prefix])
        total = _sum(blank[prefix], other[prefix])
        if total > score and is_valid(text):
            best, score = text, total
    return best, score


def _sum(a: float, b: float) -> float:
    """``log(exp(a) + exp(b))`` of two Python numbers, many times quicker than numpy's."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def _after(places: np.ndarray) -> np.ndarray:
    """The places that follow those just filled."""
    following = np.zeros_like(places)
    following[1:] = (places & ~IS_LAST)[:-1]
    return following
