"""Characters by gradients and a support vector machine, kept as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from didact_plates.errors import ModelFileError
from didact_plates.locate import Image
from didact_plates.texts import say

CELL, BINS = 5, 9
_CLIP, _SMALL = 0.2, 1e-3
FIELDS = ("vectors", "coefficients", "intercepts", "counts", "characters", "gamma")


def gradients(characters: Sequence[Image] | Image) -> NDArray[np.float32]:
    """Histograms of oriented gradients of ``[n, 20, 20]`` characters, ``[n, 324]``.

    Cells of 5 x 5 pixels, nine directions without sign, blocks of 2 x 2 cells that overlap by one,
    each normalised twice with its values clipped between; OpenCV 5 has no such descriptor.

    Paper: Dalal and Triggs, Histograms of Oriented Gradients for Human Detection (2005).
    """
    images = np.asarray(characters, np.float32)
    count, side, _ = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    x = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    y = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    place = np.mod(np.arctan2(y, x), np.pi) * (BINS / np.pi) - 0.5
    lower = np.floor(place)
    part = place - lower
    size = np.hypot(x, y)
    cells = side // CELL
    histograms = np.empty((count, cells, cells, BINS), np.float32)
    for number in range(BINS):
        weight = np.where(lower % BINS == number, 1 - part, 0)
        weight += np.where((lower + 1) % BINS == number, part, 0)
        each = (size * weight).reshape(count, cells, CELL, cells, CELL)
        histograms[..., number] = each.sum((2, 4))
    blocks = np.concatenate(
        [histograms[:, i : cells - 1 + i, j : cells - 1 + j] for i in (0, 1) for j in (0, 1)],
        axis=3,
    )
    for _ in range(2):
        norm = np.sqrt(np.square(blocks).sum(3, keepdims=True) + _SMALL)
        blocks = np.minimum(blocks / norm, _CLIP)
    return (blocks / _CLIP).reshape(count, -1).astype(np.float32)


class Recogniser:
    """An RBF support vector machine, one against one, on gradients.

    Args:
        arrays: What :meth:`fitted` makes and :meth:`load` reads: ``vectors`` ``[v, 324]``,
            ``coefficients`` ``[classes - 1, v]``, ``intercepts`` of each pair of classes,
            ``counts`` of vectors for each class, ``characters`` and ``gamma``.

    Paper: Cortes and Vapnik, Support-Vector Networks (1995).
    """

    def __init__(self, arrays: dict[str, NDArray[np.generic]]) -> None:
        self.arrays = arrays
        self._vectors = np.asarray(arrays["vectors"], np.float32)
        self._squares = np.square(self._vectors).sum(1)
        self._gamma = float(np.asarray(arrays["gamma"]))
        self._pairs = _pair_matrix(arrays)

    @classmethod
    def fitted(
        cls, characters: Image, names: Sequence[str], penalty: float = 10.0, gamma: float = 0.03
    ) -> Recogniser:
        """A machine learned from ``[n, 20, 20]`` characters, white on black, and what they are."""
        from sklearn.svm import SVC

        machine = SVC(C=penalty, gamma=gamma, cache_size=500)
        machine.fit(gradients(characters), np.asarray(names))
        return cls(
            {
                "vectors": machine.support_vectors_.astype(np.float32),
                "coefficients": machine.dual_coef_.astype(np.float32),
                "intercepts": machine.intercept_.astype(np.float32),
                "counts": machine.n_support_.astype(np.int32),
                "characters": machine.classes_.astype("<U1"),
                "gamma": np.array(gamma),
            }
        )

    @classmethod
    def load(cls, path: Path) -> Recogniser:
        """The machine in a file that :meth:`save` wrote.

        Raises:
            ModelFileError: It is missing, damaged or of something else.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls({name: file[name] for name in FIELDS})
        except (OSError, ValueError, KeyError, EOFError) as error:
            text = say("{file} has no recogniser of characters: {reason}", file=path, reason=error)
            raise ModelFileError(text) from None

    def save(self, path: Path) -> None:
        """Write the machine as arrays."""
        np.savez_compressed(path, **self.arrays)  # type: ignore[arg-type]

    def recognise(self, characters: Sequence[Image]) -> tuple[list[str], NDArray[np.float64]]:
        """What each character is, and how large a part of the other classes lost against it."""
        if not len(characters):
            return [], np.zeros(0)
        values = gradients(characters)
        apart = np.square(values).sum(1)[:, None] + self._squares - 2 * values @ self._vectors.T
        kernel = np.exp(-self._gamma * np.maximum(apart, 0))
        won = (self._pairs @ kernel.T).T + np.asarray(self.arrays["intercepts"]) > 0
        names = self.arrays["characters"]
        votes = np.zeros((len(values), len(names)))
        for place, (one, other) in enumerate(combinations(range(len(names)), 2)):
            votes[:, one] += won[:, place]
            votes[:, other] += ~won[:, place]
        best = votes.argmax(1)
        return [str(names[k]) for k in best], votes.max(1) / max(len(names) - 1, 1)


def _pair_matrix(arrays: dict[str, NDArray[np.generic]]) -> csr_matrix:
    """``[pairs, vectors]``: the coefficients that decide between two classes.

    As libsvm keeps them, a vector of class ``a`` has in row ``b - 1`` (``b > a``) or ``b``
    (``b < a``) its coefficient against class ``b``.
    """
    ends = np.cumsum(np.asarray(arrays["counts"], np.int64))
    starts = ends - np.asarray(arrays["counts"], np.int64)
    coefficients = np.asarray(arrays["coefficients"])
    rows, columns, values = [], [], []
    for pair, (one, other) in enumerate(combinations(range(len(ends)), 2)):
        for own, row in ((one, other - 1), (other, one)):
            span = np.arange(starts[own], ends[own])
            rows.append(np.full(len(span), pair))
            columns.append(span)
            values.append(coefficients[row, span])
    shape = (len(ends) * (len(ends) - 1) // 2, len(np.asarray(arrays["vectors"])))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return csr_matrix(entries, shape=shape)
