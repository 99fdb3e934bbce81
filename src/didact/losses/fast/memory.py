"""New memory for gradients, its pages asked for at once."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable

import torch
from torch import Tensor

LARGE = 32 * 2**20
"""Bytes from which on the C library takes a block from the kernel, and gives it back, each time."""
_PAGE = 4096
_ALL_AT_ONCE = 23  # MADV_POPULATE_WRITE, of Linux 5.14 and later


def new_like(tensor: Tensor) -> Tensor:
    """``torch.empty_like``; a large one is there as soon as it is asked for.

    The kernel else hands out and clears it page by page as each is first written to, which takes
    longer than a loss of a sparse teacher itself. To ask for large pages would be faster yet where
    there are some, and several times slower where the memory is in pieces.
    """
    made = torch.empty_like(tensor)
    size = made.numel() * made.element_size()
    if made.is_cpu and size >= LARGE and (advise := _advise()) is not None:
        first = -(-made.data_ptr() // _PAGE) * _PAGE
        last = (made.data_ptr() + size) // _PAGE * _PAGE
        advise(first, last - first, _ALL_AT_ONCE)  # an older kernel refuses, which changes nothing
    return made


@functools.cache
def _advise() -> Callable[[int, int, int], int] | None:
    """The C library's ``madvise``, on Linux."""
    if sys.platform != "linux":
        return None
    try:
        advise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return None
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return advise
