"""k likely classes and one cell for all others: divergences of these, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from didact._core.errors import RangeError, UsageError
from didact.losses.fast.kl_rows import LN_2, LOG2_E

Divergence = Literal["forward_kl", "reverse_kl", "jsd"]
_SAFE = 1e-25, 1e30
"""Sums of powers between these have lost nothing, whatever was taken off the exponents."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The teacher's distribution at one temperature.

    Attributes:
        ids: ``(..., k)``.
        log_probs: ``(..., k + 1)``, the rest behind the k; ``(..., k)`` where there is none.
        probs: The same.
        rest: Whether there is one.
        least: What of the rest's mass can be told from nothing in the teacher's precision.
    """

    ids: Tensor
    log_probs: Tensor
    probs: Tensor
    rest: bool
    least: float

    @classmethod
    def of(cls, ids: Tensor, log_probs: Tensor, *, rest: bool, least: float) -> Cells:
        """From the logarithms of the k; what they leave of 1 is the rest."""
        probs = log_probs.exp()
        if rest:
            left = (1 - probs.sum(-1, keepdim=True)).clamp_min(0.0)
            probs = torch.cat([probs, left], -1)
            tiny = torch.finfo(probs.dtype).tiny
            log_probs = torch.cat([log_probs, left.clamp_min(tiny).log()], -1)
        return cls(ids, log_probs, probs, rest, least)

    def __getitem__(self, rows: slice) -> Cells:
        """Those of some rows."""
        ids, log_probs, probs = self.ids[rows], self.log_probs[rows], self.probs[rows]
        return Cells(ids, log_probs, probs, self.rest, self.least)

    def flat(self) -> Cells:
        """The same with one leading dimension."""
        ids, log_probs, probs = (x.flatten(0, -2) for x in (self.ids, self.log_probs, self.probs))
        return Cells(ids, log_probs, probs, self.rest, self.least)


Slope = Callable[[], Tensor]
Judge = Callable[[Cells, Tensor], tuple[Tensor, Slope]]
"""From the teacher's cells and the student's log-probabilities of them to the divergence,
``(..., 1)``, and its gradient in the logarithms of the student's masses before they are normalised,
``(..., cells)``."""


def judge(divergence: str, beta: float) -> Judge:
    """The divergence of a name.

    Raises:
        UsageError: There is none.
        RangeError: ``beta`` is not between 0 and 1.
    """
    if divergence not in _JUDGES:
        raise UsageError(f"divergence is {divergence!r}; expected one of {tuple(_JUDGES)}")
    if divergence == "jsd" and not 0 < beta < 1:
        raise RangeError(f"beta is {beta}; expected a number above 0 and below 1")
    return partial(_JUDGES[divergence], beta)


def _forward_kl(_beta: float, cells: Cells, student: Tensor) -> tuple[Tensor, Slope]:
    value = _times(cells.probs, cells.log_probs - student).sum(-1, keepdim=True)
    return value, lambda: student.exp().sub_(cells.probs)


def _reverse_kl(_beta: float, cells: Cells, student: Tensor) -> tuple[Tensor, Slope]:
    own, target = student.exp(), cells.log_probs
    if cells.rest:
        target = torch.cat(
            [target[..., :-1], target[..., -1:].clamp_min(math.log(cells.least))], -1
        )
    ratio = student - target
    value = _times(own, ratio).sum(-1, keepdim=True)
    return value, lambda: _times(own, ratio - value)


def _jsd(beta: float, cells: Cells, student: Tensor) -> tuple[Tensor, Slope]:
    own = student.exp()
    mixture = (beta * cells.probs + (1 - beta) * own).clamp_min(torch.finfo(own.dtype).tiny).log()
    from_teacher = _times(cells.probs, cells.log_probs - mixture).sum(-1, keepdim=True)
    ratio = student - mixture
    from_student = _times(own, ratio).sum(-1, keepdim=True)
    # The mixture is best for both parts: its own dependence on the student drops out.
    value = beta * from_teacher + (1 - beta) * from_student
    return value, lambda: _times(own, ratio - from_student).mul_(1 - beta)


_JUDGES = {"forward_kl": _forward_kl, "reverse_kl": _reverse_kl, "jsd": _jsd}


def _times(mass: Tensor, value: Tensor) -> Tensor:
    """Their product, 0 where there is no mass: of a class that is ruled out the value is -inf."""
    return (mass * value).masked_fill(mass == 0, 0.0)


def divergence_of_cells(cells: Cells, student: Tensor, judged: Judge) -> Tensor:
    """The divergence of scaled logits, ``(...)``, by differentiable operations."""
    log_probs = torch.log_softmax(student, -1)
    kept = log_probs.gather(-1, cells.ids)
    if cells.rest:
        others = log_probs.scatter(-1, cells.ids, -torch.inf).logsumexp(-1, keepdim=True)
        kept = torch.cat([kept, others], -1)
    return judged(cells, kept)[0].squeeze(-1)


def value_and_gradient(
    cells: Cells,
    logits: Tensor,
    judged: Judge,
    *,
    temperature: float,
    factor: float,
    scratch: Tensor,
    gradient: Tensor | None,
) -> Tensor:
    """The divergence of logits over T, and its gradient: one power of two for each class.

    The normaliser of the student is that of the classes that are not kept, joined with the few that
    are. A gradient on the mass of the rest is spread over its classes as they share in it.

    Args:
        cells: Of ``(rows, classes)``.
        logits: The student's, ``(rows, classes)``.
        judged: The divergence.
        temperature: T.
        factor: In front of the gradient in ``logits / T``.
        scratch: Of the shape of ``logits``, in the precision of the result; it may be ``logits``.
        gradient: Where to write it, perhaps over the logits.

    Returns:
        ``(rows, 1)``.
    """
    if not cells.rest:  # every class is kept
        kept = logits.gather(-1, cells.ids).to(scratch.dtype).div_(temperature)
        value, slope = judged(cells, kept - kept.logsumexp(-1, True))
        if gradient is not None:
            gradient.scatter_(-1, cells.ids, slope().mul_(factor).to(gradient.dtype))
        return value
    log_masses, log_z, total = _masses(cells, logits, LOG2_E / temperature, scratch)
    value, slope = judged(cells, log_masses.sub_(log_z))
    if gradient is not None:
        pull = slope().mul_(factor)
        torch.mul(scratch, pull[:, -1:] / total, out=gradient)
        gradient.scatter_(-1, cells.ids, pull[:, :-1].to(gradient.dtype))
    return value


def _masses(
    cells: Cells, logits: Tensor, scale: float, scratch: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Writes ``2^(scale * logits - top)`` into ``scratch``, 0 for the classes that are kept.

    Any ``top`` will do as long as the powers are neither huge nor tiny. The logit of the teacher's
    likeliest class nearly always does, and spares a look at all others.

    Returns:
        The logarithms of the masses of the cells, of their sum, and the sum of the powers, but for
        a common factor.
    """
    if scratch.is_cpu and scratch.data_ptr() != logits.data_ptr():  # to look would stop a GPU
        best = cells.ids.gather(-1, cells.probs[:, :-1].argmax(-1, True))
        top = logits.gather(-1, best).to(scratch.dtype).mul_(scale)
        kept = torch.add(-top, logits, alpha=scale, out=scratch).gather(-1, cells.ids)
        total = scratch.scatter_(-1, cells.ids, -torch.inf).exp2_().sum(-1, True)
        whole = kept.exp2().sum(-1, True).add_(total)
        if bool(((total > _SAFE[0]) & (whole < _SAFE[1])).all()):
            return torch.cat([kept.mul_(LN_2), total.log()], -1), whole.log_(), total
    limits = torch.finfo(scratch.dtype)
    kept = logits.gather(-1, cells.ids).to(scratch.dtype).mul_(scale)
    spared = scratch.data_ptr() != logits.data_ptr()
    rest = (logits.scatter if spared else logits.scatter_)(-1, cells.ids, -torch.inf)
    top = rest.amax(-1, True).to(scratch.dtype).mul_(scale).clamp_min_(limits.min / 2)
    total = torch.add(-top, rest, alpha=scale, out=scratch).exp2_().sum(-1, True)
    log_masses = torch.cat([kept.sub_(top).mul_(LN_2), total.log()], -1)
    return log_masses, log_masses.logsumexp(-1, True), total.clamp_min_(limits.tiny)
