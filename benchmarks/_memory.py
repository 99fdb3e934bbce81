"""Memory in the benchmarks: what a step takes at its peak, huge pages, the speed of a copy."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import torch
from torch import Tensor

from _timing import Step, interleave


def settle_heap() -> None:
    """Bring the allocator to where it is in a process that has trained for a while.

    glibc fetches every block above a threshold from the kernel and gives it back at once, until a
    block of up to 32 MB was freed; from then on such blocks stay. Which state a benchmark is in
    would otherwise hang on what ran before it.
    """
    torch.ones(7 * 2**20)


def peak_bytes(step: Step) -> int:
    """Rise of the high-water mark of the resident memory during one step."""
    step()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = _high_water()
    step()
    return _high_water() - before


def _high_water() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]


def copy_bandwidth(like: Tensor) -> float:
    """Bytes read and written in a second by a copy into memory that is already there."""
    source, target = torch.ones_like(like), torch.ones_like(like)
    seconds = interleave({"copy": lambda: target.copy_(source)}, 9)["copy"]
    return 2 * source.numel() * source.element_size() / seconds


def huge_pages() -> int:
    """Bytes of this process that lie in huge pages now."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return 1024 * int(re.search(r"AnonHugePages:\s+(\d+)", rollup)[1])  # type: ignore[index]
