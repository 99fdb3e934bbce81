"""Working memory that is kept from one call to the next.

A fresh block of a few hundred kilobytes costs more in page faults than the arithmetic done in it.
"""

from __future__ import annotations

import threading

import torch
from torch import Tensor

LIMIT = 16 * 2**20
"""Bytes kept for one precision and each thread of PyTorch's; more is made anew each time."""


class _Kept(threading.local):
    def __init__(self) -> None:
        self.blocks: dict[torch.dtype, Tensor] = {}


_KEPT = _Kept()


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
