"""A large gradient in huge pages: the first touch of memory, a page at a time, outweighs the rest.

glibc gives every block of more than 32 MB back to Linux at once and gets it anew each time. In
pages of 4 kB the first touch takes five times as long as in pages of 2 MB. Not so in a virtual
machine that hands its free huge pages to the host ("free page reporting"): if more than two
seconds have passed, the host must find and clear them again, and the small pages are the faster.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

FROM_THE_KERNEL = 32 * 2**20
"""Bytes above which glibc keeps no block that was freed."""
DRIVERS = Path("/sys/bus")
"""Where Linux lists the drivers of virtual devices."""
_REPORTING = 5  # the bit of virtio's balloon: free pages are reported to the host

Advise = Callable[[int, int, int], int]


def fresh_like(tensor: Tensor) -> Tensor:
    """``torch.empty_like``, which asks for huge pages where the memory is new and they are fast."""
    made = torch.empty_like(tensor)
    if _ADVISE is not None and made.nbytes > FROM_THE_KERNEL and made.is_cpu:
        page, start = mmap.PAGESIZE, made.data_ptr()
        first, end = -(-start // page) * page, (start + made.nbytes) // page * page
        _ADVISE(first, end - first, mmap.MADV_HUGEPAGE)  # advice: it does not matter if refused
    return made


def hands_free_pages_to_a_host() -> bool:
    """Whether this is a virtual machine whose free memory goes back to the host by itself."""
    if any((DRIVERS / "vmbus/drivers/hv_balloon").glob("*-*-*")):
        return True
    for features in (DRIVERS / "virtio/drivers/virtio_balloon").glob("*/features"):
        try:
            bits = features.read_text(encoding="ascii")
        except (OSError, UnicodeError):
            continue
        if bits[_REPORTING : _REPORTING + 1] == "1":
            return True
    return False


def _advise() -> Advise | None:
    """The C library's ``madvise``, where huge pages can be asked for and are worth it."""
    if not hasattr(mmap, "MADV_HUGEPAGE") or hands_free_pages_to_a_host():
        return None
    try:
        function = ctypes.CDLL(None).madvise
    except (AttributeError, OSError, TypeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    function.restype = ctypes.c_int
    return function


_ADVISE = _advise()
