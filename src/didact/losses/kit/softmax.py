"""Softmax and its logarithm over the last dimension, by the operations that take least time.

PyTorch's own works off fewer classes than a vector of the processor holds one number at a time, and
looks for the largest logit where none is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from didact.losses.kit.base import BASE, NATURAL
from didact.losses.kit.precision import in_float, values_can_be_read

NARROW = {"AVX512": 16, "AVX2": 8}.get(torch.backends.cpu.get_cpu_capability(), 4)
"""Numbers in one of the processor's vectors."""
SOME = 600
"""Logits from which on it pays to lay few classes out anew."""
FEW = 4 * 1024
"""Logits up to which PyTorch's exponential takes less time than a faster one and its factor."""
MANY = 16 * 1024
"""Logits from which on powers without a look for the largest logit pay."""
ORDINARY = (2.0**-20, 2.0**36)
"""Sums of powers between these hold no power that overflowed, and none that faded and matters."""


def soft_log_probs(logits: Tensor, temperature: float | Tensor = 1.0) -> Tensor:
    """``log softmax(logits / T)``, in float32 or better."""
    logits = in_float(logits)
    if isinstance(temperature, Tensor) or temperature != 1:
        logits = logits / temperature
    return log_softmax(logits)


def log_softmax(logits: Tensor) -> Tensor:
    """``torch.log_softmax``, over few classes up to ten times as fast, forward and backward."""
    return log_softmax_of_few(logits) if is_narrow(logits) else torch.log_softmax(logits, -1)


def log_softmax_of_few(logits: Tensor) -> Tensor:
    """The way for what :func:`is_narrow` says; the classes of the result lie first in memory."""
    return torch.log_softmax(logits.movedim(-1, 0), 0).movedim(0, -1)


def softmax(logits: Tensor) -> Tensor:
    """``torch.softmax`` likewise; where nothing is differentiated, faster over many as well."""
    if is_narrow(logits):
        return torch.softmax(logits.movedim(-1, 0), 0).movedim(0, -1)
    found = _by_powers(logits)
    return torch.softmax(logits, -1) if found is None else found[0]


def both_softmax(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities, for less than the two of them cost."""
    found = _by_powers(logits)
    if found is not None:
        probs, total = found
        return logits - total.log_(), probs
    log_probs = log_softmax(logits)
    return log_probs, exp(log_probs)


def exp(log_probs: Tensor) -> Tensor:
    """``log_probs.exp()``, in the base that this processor raises fastest."""
    if BASE is NATURAL or not _exceed(FEW, log_probs):
        return log_probs.exp()
    return BASE.power_(log_probs * BASE.per_nat)


def through_softmax(slope: Tensor, probs: Tensor) -> Tensor:
    """The gradient of logits, from that of their probabilities."""
    if not is_narrow(probs):
        return torch._softmax_backward_data(slope, probs, -1, probs.dtype)
    slope, probs = slope.movedim(-1, 0), probs.movedim(-1, 0)
    return torch._softmax_backward_data(slope, probs, 0, probs.dtype).movedim(0, -1)


def through_log_softmax(slope: Tensor, probs: Tensor) -> Tensor:
    """The gradient of logits, from that of their log-probabilities; it overwrites ``slope``."""
    return slope.addcmul_(probs, slope.sum(-1, True), value=-1)


def is_narrow(logits: Tensor) -> bool:
    """Whether PyTorch's softmax would work off the classes one number at a time.

    With the classes as the first dimension in memory it takes a vector of samples at once, which
    pays for the copy.
    """
    return logits.shape[-1] < NARROW and logits.numel() > SOME and values_can_be_read(logits)


def raised(logits: Tensor, temperature: float, powers: Tensor) -> Tensor:
    """``powers = e^(logits / T)``; their sum over a row, which may overflow."""
    torch.mul(logits, BASE.per_nat / temperature, out=powers)
    return BASE.power_(powers).sum(-1, True)


def lie_between(values: Tensor, low: float, high: float) -> bool:
    """Whether all values do; NaN does not."""
    smallest, largest = values.aminmax()
    return smallest.item() > low and largest.item() < high


def _exceed(size: int, logits: Tensor) -> bool:
    """Whether there are more than so many, of which nothing is differentiated or traced."""
    return logits.numel() > size and not torch.is_grad_enabled() and values_can_be_read(logits)


def _by_powers(logits: Tensor) -> tuple[Tensor, Tensor] | None:
    """Probabilities, and the sums of the powers they were; None where another way is better."""
    if is_narrow(logits) or not _exceed(MANY, logits):
        return None
    powers = torch.empty_like(logits)
    total = raised(logits, 1.0, powers)
    return (powers.mul_(total.reciprocal()), total) if lie_between(total, *ORDINARY) else None
