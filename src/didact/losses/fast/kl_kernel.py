"""Whether a kernel can do what ``kl_rows`` does: on a GPU, with the Triton that PyTorch brings.

Nothing depends on it: without Triton, and on a device on which the kernel does not give the right
numbers, the operations of ``kl_rows`` serve.
"""

from __future__ import annotations

import functools
import os
import warnings
from importlib.util import find_spec

import torch
from torch import Tensor

_KINDS = (torch.float32, torch.bfloat16, torch.float16)


def can_run(student: Tensor, teacher: Tensor) -> bool:
    """Whether the kernel serves: logits of a GPU, in rows that lie in one piece each."""
    if not (student.is_cuda or _interpreted()):
        return False
    fits = all(x.dtype in _KINDS and x.stride(-1) == 1 for x in (student, teacher))
    return fits and _is_right(student.device)


def _interpreted() -> bool:
    """Whether Triton runs its programs as Python, on any device: for tests."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@functools.cache
def _is_right(device: torch.device) -> bool:
    """Whether there is a kernel and it gives the right gradient, tried once on a few rows."""
    if find_spec("triton") is None:
        return False
    draw = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(3, 301, generator=draw).to(device) for _ in range(2))
    try:
        from didact.losses.fast.kl_triton import kl_of_rows

        gradient = torch.empty_like(student)
        values = kl_of_rows(student, teacher, gradient, temperature=2.0, soft=1.0)
    except Exception as error:  # noqa: BLE001 - whatever a compiler of somebody's raises
        warnings.warn(f"PyTorch's Triton cannot be used on {device}: {error}", stacklevel=2)
        return False
    p, q = ((x / 2).double().softmax(-1) for x in (teacher, student))
    exact = 4 * (p * (p / q).log()).sum(-1), 2 * (q - p)
    right = all(
        torch.allclose(mine.double(), theirs, rtol=1e-4, atol=1e-5)
        for mine, theirs in zip((values, gradient), exact, strict=True)
    )
    if not right:
        warnings.warn(f"PyTorch's Triton gives wrong numbers on {device}", stacklevel=2)
    return right
