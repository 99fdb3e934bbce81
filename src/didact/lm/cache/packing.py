"""Class numbers in as many bits as they need, and logits in eight."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
LARGEST = 25
"""Bits of an id: with the seven before it in a byte they fit in one word."""
_AT_ONCE = 4096


def bits_of(classes: int) -> int:
    """How many bits the number of a class takes."""
    return max(1, (classes - 1).bit_length())


def bytes_of(k: int, bits: int) -> int:
    """How many bytes ``k`` ids take: they are kept in groups of eight."""
    return -(-k // 8) * bits


def pack(ids: NDArray[Any], bits: int) -> Bytes:
    """``(tokens, k)`` class numbers as ``(tokens, bytes)``, the lowest bit first."""
    tokens, k = ids.shape
    padded = -(-k // 8) * 8
    found = np.empty((tokens, bytes_of(k, bits)), np.uint8)
    for first in range(0, tokens, _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        wide = np.zeros((len(some), padded), np.uint32)
        wide[:, :k] = some
        places = np.arange(bits, dtype=np.uint32)
        single = (wide[..., None] >> places).astype(np.uint8) & np.uint8(1)
        found[first : first + _AT_ONCE] = np.packbits(
            single.reshape(len(some), -1), axis=-1, bitorder="little"
        )
    return found


def unpack(packed: Bytes, k: int, bits: int) -> NDArray[np.int64]:
    """The class numbers again, ``(tokens, k)``."""
    tokens, width = packed.shape
    groups = width // bits
    buffer = np.empty(packed.size + 4, np.uint8)  # the last word may end behind the last byte
    buffer[: packed.size] = packed.reshape(-1)
    buffer[packed.size :] = 0
    found = np.empty((tokens * groups, 8), np.int64)
    for place in range(8):
        start, shift = divmod(place * bits, 8)
        words = np.ndarray((tokens * groups,), "<u4", buffer, start, (bits,))
        found[:, place] = (words >> np.uint32(shift)) & np.uint32((1 << bits) - 1)
    return found.reshape(tokens, groups * 8)[:, :k]


def quantise(logits: NDArray[np.float32]) -> tuple[Bytes, NDArray[np.float32]]:
    """Logits as the largest one of a token and 256 steps down, fine near the top.

    A step down of ``(q / 255)^2`` of the way: where the probability is, the steps are small.

    Args:
        logits: ``(tokens, k)``.

    Returns:
        Steps, and largest and span of each token, ``(tokens, 2)``.
    """
    top = logits.max(-1, keepdims=True)
    span = top - logits.min(-1, keepdims=True)
    share = (top - logits) / np.where(span > 0, span, 1)
    steps = np.rint(np.sqrt(share) * 255).astype(np.uint8)
    return steps, np.concatenate([top, span], -1).astype(np.float32)


def restore(steps: Bytes, scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logits of :func:`quantise`, rounded to its steps."""
    down = (np.arange(256, dtype=np.float32) / np.float32(255)) ** 2
    found: NDArray[np.float32] = scale[:, :1] - scale[:, 1:] * down[steps]
    return found
