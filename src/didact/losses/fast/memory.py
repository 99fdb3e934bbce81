"""New memory for gradients, in large pages where Linux has some."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable

import torch
from torch import Tensor

LARGE = 32 * 2**20
"""Bytes from which on the C library takes a block from the kernel, and gives it back, each time."""
_PAGE = 2 * 2**20
_WANTS_LARGE_PAGES = 14  # MADV_HUGEPAGE


def new_like(tensor: Tensor) -> Tensor:
    """``torch.empty_like``, in large pages where it is large.

    The kernel hands out and clears new memory page by page as it is first written to: in pages of 4
    kB that takes four times as long as in those of 2 MB, and longer than the loss that is written.
    It is a wish, where the system leaves it to programs, and changes no value.
    """
    made = torch.empty_like(tensor)
    size = made.numel() * made.element_size()
    if made.is_cpu and size >= LARGE and (advise := _advise()) is not None:
        first = -(-made.data_ptr() // _PAGE) * _PAGE
        last = (made.data_ptr() + size) // _PAGE * _PAGE
        advise(first, last - first, _WANTS_LARGE_PAGES)
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
