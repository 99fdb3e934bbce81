"""Exponentials and logarithms in the base that this processor raises fastest.

PyTorch takes ``exp`` and ``log`` from Intel's vector library, which is fast on Intel's processors:
there the natural base costs a third of base 2. On AMD's it is the other way round, three to four
times. Nothing but rounding depends on the base.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Base:
    """A base b of powers and logarithms.

    Attributes:
        per_nat: ``log_b(e)``: logarithms of base b in a nat.
        nats: ``ln(b)``: nats in a logarithm of base b.
        power: ``b^x``.
        power_: The same in place.
        log: The logarithm of base b.
        log_: The same in place.
    """

    per_nat: float
    nats: float
    power: Callable[[Tensor], Tensor]
    power_: Callable[[Tensor], Tensor]
    log: Callable[[Tensor], Tensor]
    log_: Callable[[Tensor], Tensor]


NATURAL = Base(1.0, 1.0, torch.exp, torch.exp_, torch.log, torch.log_)
TWO = Base(math.log2(math.e), math.log(2.0), torch.exp2, torch.exp2_, torch.log2, torch.log2_)


def _made_by_intel() -> bool:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return "GenuineIntel" in platform.processor()
    return any(line.startswith("vendor_id") and "GenuineIntel" in line for line in lines)


BASE = NATURAL if torch._C.has_mkl and _made_by_intel() else TWO
"""The one for this processor."""
