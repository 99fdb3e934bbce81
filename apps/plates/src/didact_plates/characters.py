"""Single characters, 20 x 20 and black and white, as data for didact: drawn ones and EasyPR's.

65 classes: 34 letters and digits, 31 provinces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from didact.data import Data, Split
from didact_plates.errors import PlatesError
from didact_plates.grammar import ALPHABET, LATIN, PROVINCES
from didact_plates.synthetic import cut_characters
from didact_plates.texts import say

CLASSES = tuple(LATIN + PROVINCES)
FIRST_PROVINCES = 10
STEP = 7

Characters = tuple[np.ndarray, np.ndarray]
"""uint8 ``[n, 20, 20]`` and the place of each in ``CLASSES``."""


def provinces_in_turn() -> tuple[tuple[str, ...], ...]:
    """The tasks of the story: letters, digits and ten provinces, then seven provinces at a time."""
    first = tuple(LATIN + PROVINCES[:FIRST_PROVINCES])
    rest = PROVINCES[FIRST_PROVINCES:]
    return (first, *(tuple(rest[i : i + STEP]) for i in range(0, len(rest), STEP)))


def drawn_characters(each: int, seed: int) -> Characters:
    """``each`` drawn characters of every class; the same for the same seed."""
    rng = np.random.default_rng((seed, 20))
    wanted = dict.fromkeys(CLASSES, each)
    images, labels = [], []
    while any(wanted.values()):
        drawn, places = cut_characters(500, rng)
        for image, place in zip(drawn, places, strict=True):
            character = ALPHABET[int(place)]
            if wanted.get(character, 0):
                wanted[character] -= 1
                images.append(image)
                labels.append(CLASSES.index(character))
    return np.stack(images), np.array(labels, dtype=np.int64)


def easypr_characters(path: Path) -> tuple[Characters, Characters]:
    """EasyPR's characters for training and for testing.

    Args:
        path: An ``.npz`` file with ``x`` uint8 ``[n, 20, 20]``, ``y``, ``is_test`` and ``glyph``,
            the character of each class.

    Raises:
        PlatesError: The file is missing or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            images, labels, is_test, glyphs = (file[k] for k in ("x", "y", "is_test", "glyph"))
        places = np.array([CLASSES.index(str(glyph)) for glyph in glyphs], dtype=np.int64)
        labels = places[labels.astype(np.int64)]
        images = images.astype(np.uint8).reshape(len(labels), 20, 20)
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise PlatesError(
            say("{path} is no file of characters: expected x, y, is_test and glyph", path=path)
        ) from error
    train = ~is_test.astype(bool)
    return (images[train], labels[train]), (images[~train], labels[~train])


def at_most(characters: Characters, each: int, seed: int = 0) -> Characters:
    """No more than ``each`` of every class, drawn by chance."""
    images, labels = characters
    order = np.random.default_rng(seed).permutation(len(labels))
    kept = np.concatenate([order[labels[order] == label][:each] for label in np.unique(labels)])
    return images[np.sort(kept)], labels[np.sort(kept)]


def character_data(
    name: str, train: Characters, test: Characters, *, validation: float = 0.0
) -> Data:
    """What ``didact.train.learn`` and ``distill`` take, in memory.

    Args:
        name: What results call it.
        train: For training.
        test: For testing.
        validation: The part of ``train``, drawn by chance, that becomes the validation split.
    """
    first, second = _split(train), _split(test)
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(first)))
    aside = round(validation * len(first))
    pixels = train[0].astype(np.float32) / 255
    return Data(
        name,
        train=first.subset(order[aside:].sort().values),
        validation=first.subset(order[:aside].sort().values),
        test=second,
        class_names=CLASSES,
        mean=(float(pixels.mean()),),
        std=(float(pixels.std()),),
        labelled=torch.ones(len(first) - aside, dtype=torch.bool),
    )


def both(one: Characters, other: Characters) -> Characters:
    """The characters of both."""
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])


def _split(characters: Characters) -> Split:
    images, labels = characters
    return Split(torch.from_numpy(images[:, None].copy()), torch.from_numpy(labels))
