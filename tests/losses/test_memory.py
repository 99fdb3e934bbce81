"""New memory for large gradients: what it holds is nobody's matter, how it came is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from didact.losses import kd
from didact.losses.fast.memory import LARGE, new_like


@pytest.mark.parametrize("rows", [1, LARGE // 4 // 1000 + 7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_like_the_other(rows: int, dtype: torch.dtype) -> None:
    other = torch.empty(1000, rows, dtype=dtype).T
    made = new_like(other)
    assert (made.shape, made.dtype, made.stride()) == (other.shape, dtype, other.stride())
    made.fill_(3)
    assert bool((made == 3).all())


@pytest.mark.skipif(sys.platform != "linux", reason="large pages are asked of Linux")
def test_a_large_gradient_lies_in_large_pages_where_there_are_any() -> None:
    allowed = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not allowed.is_file() or "[never]" in allowed.read_text():
        pytest.skip("the kernel gives none")
    student = torch.zeros(2 * LARGE // 4 // 1000, 1000, requires_grad=True)
    kd(student, torch.ones_like(student)).backward()
    assert student.grad is not None
    wanted = [line for line in _areas(student.grad.data_ptr()) if "hg" in line.split()]
    assert wanted, "nobody asked for large pages"


def _areas(address: int) -> list[str]:
    """The flags of the memory around an address."""
    found, inside = [], False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, _, rest = line.partition(" ")
        if "-" in first and not first.endswith(":"):
            low, high = (int(n, 16) for n in first.split("-"))
            inside = high > address and low < address + 2 * LARGE
        elif inside and first == "VmFlags:":
            found.append(rest)
    return found
