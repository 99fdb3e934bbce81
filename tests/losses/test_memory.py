"""New memory for large gradients: what it holds is nobody's matter, how it came is."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest
import torch

from didact.losses.fast.memory import LARGE, new_like


@pytest.mark.parametrize("rows", [1, LARGE // 4 // 1000 + 7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_like_the_other(rows: int, dtype: torch.dtype) -> None:
    other = torch.empty(1000, rows, dtype=dtype).T
    made = new_like(other)
    assert (made.shape, made.dtype, made.stride()) == (other.shape, dtype, other.stride())
    made.fill_(3)
    assert bool((made == 3).all())


@pytest.mark.skipif(sys.platform != "linux", reason="pages are asked of Linux")
def test_a_large_one_is_there_before_it_is_written_to() -> None:
    if tuple(map(int, platform.release().split(".")[:2])) < (5, 14):
        pytest.skip("the kernel does not know the wish")
    before = _resident()
    made = new_like(torch.empty(2 * LARGE // 4))
    assert _resident() - before > LARGE, made.shape


def _resident() -> int:
    """Bytes of this process in memory."""
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])
