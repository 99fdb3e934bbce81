"""Working memory that is kept from one call to the next.

A fresh block of a few hundred kilobytes costs more in page faults than the arithmetic done in it.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
from collections.abc import Callable

import torch
from torch import Tensor

FROM_THE_KERNEL = 32 * 2**20
"""Bytes above which glibc never keeps a block that was freed."""
LIMIT = 16 * 2**20
"""Bytes kept for one precision and each thread of PyTorch's; more is made anew each time."""


class _Kept(threading.local):
    def __init__(self) -> None:
        self.blocks: dict[torch.dtype, Tensor] = {}


_KEPT = _Kept()


def _advise() -> Callable[[int, int, int], int] | None:
    """The C library's ``madvise``, where there are huge pages."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return None
    try:
        function = ctypes.CDLL(None).madvise
    except (AttributeError, OSError, TypeError):
        return None
    function.argtypes, function.restype = (
        (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int),
        ctypes.c_int,
    )
    return function


_ADVISE = _advise()


def workspace(size: int, dtype: torch.dtype) -> Tensor:
    """So many numbers of this thread on a CPU, of any value; the next call gives the same memory.

    Args:
        size: How many.
        dtype: Their precision.
    """
    block = _KEPT.blocks.get(dtype)
    if block is None or len(block) < size:
        with torch.inference_mode(False):  # a block made in there could not be written outside
            block = torch.empty(size, dtype=dtype, device="cpu")
        if block.nbytes <= LIMIT * torch.get_num_threads():
            _KEPT.blocks[dtype] = block
    return block[:size]


def fresh_like(tensor: Tensor) -> Tensor:
    """``torch.empty_like``, asking Linux for huge pages where the memory is new from the kernel.

    The first touch of a page of 4 kB costs as much as writing it three times over. The C library
    gives blocks above :data:`FROM_THE_KERNEL` back at once and gets them anew each time.
    """
    made = torch.empty_like(tensor)
    if _ADVISE is not None and made.nbytes > FROM_THE_KERNEL and made.is_cpu:
        page = mmap.PAGESIZE
        start = -(-made.untyped_storage().data_ptr() // page) * page
        end = (made.untyped_storage().data_ptr() + made.nbytes) // page * page
        _ADVISE(start, end - start, mmap.MADV_HUGEPAGE)  # it may be refused: advice, no more
    return made
