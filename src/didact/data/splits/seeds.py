"""Independent random streams from one seed."""

from __future__ import annotations

import hashlib

import torch


def derived_seed(seed: int, *purpose: str | int) -> int:
    """A seed in ``0..2**63 - 1`` for one purpose; other purposes get unrelated ones.

    It depends on its arguments alone, not on the machine, the process or the Python version.
    """
    text = repr((seed, *purpose)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def generator_for(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator whose stream is :func:`derived_seed` of the arguments."""
    return torch.Generator().manual_seed(derived_seed(seed, *purpose))
