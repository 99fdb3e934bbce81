"""What glibc is told about freed memory, and that it is told the opposite afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from didact.train.loop import heap as _heap
from didact.train.loop.heap import heap_kept

MIB = 1024**2
glibc = pytest.mark.skipif(_heap._glibc() is None, reason="needs glibc and its own settings")


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@glibc
def test_freed_memory_stays_while_asked_for() -> None:
    with heap_kept():
        blocks = [torch.ones(2 * MIB) for _ in range(24)]  # 8 MiB each
        full = resident()
        del blocks
        assert resident() > full - 32 * MIB
    assert resident() < full - 64 * MIB


def test_an_error_inside_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []

    class Library:
        def mallopt(self, what: int, value: int) -> int:
            told.append((what, value))
            return 1

        def malloc_trim(self, pad: int) -> None:
            told.append((0, pad))

    monkeypatch.setattr(_heap, "_glibc", Library)
    with pytest.raises(KeyError), heap_kept():
        raise KeyError
    assert told == [(-3, 2**31 - 1), (-1, 2**31 - 1), (-3, 32 * MIB), (-1, 64 * MIB), (0, 0)]


def test_the_users_choice_and_other_systems_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    assert _heap._glibc() is None
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _heap._glibc() is None
    with heap_kept():
        pass
