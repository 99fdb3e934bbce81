"""Exponentials and logarithms in the base that this processor raises fastest.

PyTorch takes ``exp`` and ``log`` from Intel's vector library, which is fast on Intel's processors:
there the natural base costs a third of base 2. On AMD's it is the other way round, three to four
times. Nothing but rounding depends on the base.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from didact._core.processor import is_made_by_intel


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

BASE = NATURAL if torch._C.has_mkl and is_made_by_intel() else TWO
"""The one for this processor."""
