"""Soft targets, and a hard label beside them, over rows of logits: value and gradient in one pass.

Four facts shape this code. An exponential costs as much as several passes over memory, in the wrong
base three times that. Powers need no look for the largest logit where it is of ordinary size. Row
chunks that fit the second-level cache spare the memory. And a fresh tensor of many megabytes costs
more in page faults than the arithmetic that fills it, so the only new one is the gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from didact.losses.fast.workspace import workspace
from didact.losses.kit.base import BASE
from didact.losses.kit.softmax import ORDINARY, lie_between, raised

CHUNK = 320 * 1024
"""Logits in one chunk and thread: fewer make more calls of operations, more leave the cache."""
NEAR = 8.0
"""Ratio of two sums up to which its logarithm does not swamp the small gaps of the logits."""


@dataclass(slots=True)
class Plan:
    """What to compute: ``soft * T^2 * sum_k w_k KL(p_k || q) + hard * CE`` for each row.

    Attributes:
        temperature: T of the soft part.
        soft: Factor of the soft part, which holds the division by the rows of a mean.
        weights: One for each teacher: a number, or ``(rows,)``. They sum to 1.
        mixture: The soft target is the mean of the teachers' probabilities, ``KL(sum w p || q)``.
        hard: Factor of the cross-entropy, which holds the division by the labelled rows.
        labels: ``(rows,)``, below 0 where there is none; None without a hard part.
        mask: ``(rows,)``, True where a row counts.
    """

    temperature: float
    soft: float = 1.0
    weights: Sequence[float | Tensor] = (1.0,)
    mixture: bool = False
    hard: float = 0.0
    labels: Tensor | None = None
    mask: Tensor | None = None


@dataclass(slots=True)
class _Rows:
    """All rows, or those of one chunk: what is read, and what is written, one entry for each.

    Attributes:
        student: Logits.
        teachers: Those of each teacher.
        gradient: Where to write the gradient, None if nowhere.
        labels: As in the plan, ``(rows, 1)``.
        away: True where a row does not count, ``(rows, 1)``.
        weights: As in the plan, those of tensors ``(rows, 1)``.
        hard: The cross-entropy.
        divergences: From each teacher, or from their mixture, in nats.
    """

    student: Tensor
    teachers: list[Tensor]
    gradient: Tensor | None
    labels: Tensor | None
    away: Tensor | None
    weights: list[float | Tensor]
    hard: Tensor | None
    divergences: list[Tensor]

    def split(self, size: int) -> Iterator[_Rows]:
        """Chunks of so many rows; the last may have fewer."""
        if size >= len(self.student):
            yield self
            return
        parts = [
            _split(getattr(self, name), size)
            for name in self.__slots__  # in the order of fields
        ]
        for chunk in zip(*parts, strict=False):
            yield _Rows(*chunk)


def _split(of: Any, size: int) -> Iterable[Any]:
    if isinstance(of, Tensor):
        return torch.split(of, size)
    if isinstance(of, list):
        return map(list, zip(*(_split(entry, size) for entry in of), strict=False))
    return repeat(of)


@dataclass(slots=True)
class _Buffers:
    """What a chunk is worked on in.

    Attributes:
        student: The student's logits, where they come in another precision.
        own: The student's powers, then the gradient of the soft part.
        gap: A teacher's logits, where they come in another precision; the gap to the student's.
        powers: Those of a teacher.
        extra: The gradient of the hard part, or the mixture of the teachers.
    """

    student: Tensor
    own: Tensor
    gap: Tensor
    powers: Tensor
    extra: Tensor

    def of(self, rows: int) -> _Buffers:
        """The same for fewer rows."""
        return _Buffers(*(getattr(self, name)[:rows] for name in self.__slots__))


def run(plan: Plan, student: Tensor, teachers: Sequence[Tensor], gradient: Tensor | None) -> Tensor:
    """One value for each row of ``(rows, classes)``; the gradient is written as a by-product.

    Args:
        plan: What to compute.
        student: Logits.
        teachers: Logits of the same shape.
        gradient: Where to write the gradient; may be the memory of ``student`` itself.

    Returns:
        ``(rows,)`` in float32 or float64.
    """
    rows, classes = student.shape
    dtype = torch.promote_types(student.dtype, torch.float32)
    for teacher in teachers:
        dtype = torch.promote_types(dtype, teacher.dtype)
    step = min(rows, max(1, CHUNK * torch.get_num_threads() // classes))
    everything = _everything(plan, student, teachers, gradient, dtype)
    buffers = _Buffers(*workspace(5 * step * classes, dtype).view(5, step, classes))
    for chunk in everything.split(step):
        if len(chunk.student) < step:
            buffers = buffers.of(len(chunk.student))
        out = chunk.gradient
        work = out if out is not None and out.dtype == dtype else buffers.own
        _work(plan, chunk, buffers, work)
        if out is not None and work is not out:
            out.copy_(work)
    return _values(plan, everything)


def _everything(
    plan: Plan,
    student: Tensor,
    teachers: Sequence[Tensor],
    gradient: Tensor | None,
    dtype: torch.dtype,
) -> _Rows:
    rows, several = len(student), 1 if plan.mixture else len(teachers)
    hard, *divergences = student.new_empty(1 + several, rows, 1, dtype=dtype).unbind()
    return _Rows(
        student,
        list(teachers),
        gradient,
        labels=None if plan.labels is None else plan.labels.unsqueeze(-1),
        away=None if plan.mask is None else ~plan.mask.unsqueeze(-1),
        weights=[w.unsqueeze(-1) if isinstance(w, Tensor) else w for w in plan.weights],
        hard=None if plan.labels is None else hard,
        divergences=divergences,
    )


def _values(plan: Plan, rows: _Rows) -> Tensor:
    """From the divergences to the values of the rows."""
    value, *others = rows.divergences
    if not plan.mixture:
        value = value.mul_(rows.weights[0])
        for weight, other in zip(rows.weights[1:], others, strict=True):
            value.add_(other.mul_(weight))
    value.mul_(plan.soft * plan.temperature**2)
    if rows.hard is not None:
        value.add_(rows.hard)
    if rows.away is not None:
        value.masked_fill_(rows.away, 0.0)
    return value.squeeze(1)


def _work(plan: Plan, rows: _Rows, buffers: _Buffers, gradient: Tensor) -> None:
    """Fills in the sums; ``gradient`` is written last, since it may be the student's memory."""
    logits = _in_precision(rows.student, buffers.student)
    student, total = powers_of(logits, plan.temperature, buffers.own)
    if plan.labels is not None:
        _hard(plan, rows, buffers, student)
    buffers.own.mul_(total.reciprocal().mul_(plan.soft * plan.temperature))
    soft = gradient if plan.labels is None else buffers.own
    (_mixture if plan.mixture else _each)(plan, rows, buffers, student, total, soft)
    if plan.labels is not None:
        torch.add(soft, buffers.extra, out=gradient)
    if rows.away is not None:
        gradient.masked_fill_(rows.away, 0.0)


def _in_precision(logits: Tensor, place: Tensor) -> Tensor:
    return logits if logits.dtype == place.dtype else place.copy_(logits)


def powers_of(logits: Tensor, temperature: float, powers: Tensor) -> tuple[Tensor, Tensor]:
    """``powers = e^(z / T)`` and their sum over a row.

    Returns:
        ``z``, the logits, less the largest of their row where their own powers are not of ordinary
        size; and the sums, ``(rows, 1)``.
    """
    total = raised(logits, temperature, powers)
    if not lie_between(total, *ORDINARY):
        logits = logits - logits.amax(-1, True)
        total = raised(logits, temperature, powers)
    return logits, total


def gap_between(
    teacher: Tensor, student: Tensor, ratio: Tensor, temperature: float, gap: Tensor
) -> Tensor:
    """``gap + ratio = T ln(p / q)``, of the probabilities of teacher and student.

    Args:
        teacher: Logits.
        student: Logits.
        ratio: The student's sum of powers divided by the teacher's; overwritten.
        temperature: T.
        gap: Where to write the difference of the logits.

    Returns:
        ``T ln(ratio)``, ``(rows, 1)``; 0 where it would swamp the gap, which then holds it.
    """
    torch.sub(teacher, student, out=gap)
    near = lie_between(ratio, 1 / NEAR, NEAR)
    ratio.log_().mul_(temperature)
    if not near:
        gap.add_(ratio)
        ratio.zero_()
    return ratio


def _each(
    plan: Plan, rows: _Rows, buffers: _Buffers, student: Tensor, own_total: Tensor, out: Tensor
) -> None:
    """The weighted sum of the divergences from each teacher."""
    own, powers, gap = buffers.own, buffers.powers, buffers.gap
    left = len(rows.teachers)
    for logits, weight, divergence in zip(
        rows.teachers, rows.weights, rows.divergences, strict=True
    ):
        teacher, total = powers_of(_in_precision(logits, gap), plan.temperature, powers)
        ratio = gap_between(teacher, student, own_total / total, plan.temperature, gap)
        torch.sum(gap.mul_(powers), -1, True, out=divergence)
        divergence.div_(total).add_(ratio).mul_(1 / plan.temperature)
        share = total.reciprocal_().mul_(weight * (plan.soft * plan.temperature))
        left -= 1
        torch.addcmul(own, powers, share, value=-1, out=own if left else out)


def _mixture(
    plan: Plan, rows: _Rows, buffers: _Buffers, student: Tensor, own_total: Tensor, out: Tensor
) -> None:
    """The divergence from the weighted mean of the teachers' probabilities."""
    mixed, gap = buffers.extra.zero_(), buffers.gap
    for logits, weight in zip(rows.teachers, rows.weights, strict=True):
        _, total = powers_of(_in_precision(logits, gap), plan.temperature, buffers.powers)
        mixed.addcmul_(buffers.powers, weight / total)
    BASE.log_(torch.clamp_min(mixed, torch.finfo(mixed.dtype).tiny, out=gap))
    gap.sub_(student, alpha=BASE.per_nat / plan.temperature).add_(BASE.log(own_total))
    torch.sum(gap.mul_(mixed), -1, True, out=rows.divergences[0]).mul_(BASE.nats)
    torch.sub(buffers.own, mixed, alpha=plan.soft * plan.temperature, out=out)


def _hard(plan: Plan, rows: _Rows, buffers: _Buffers, student: Tensor) -> None:
    """The cross-entropy at temperature 1, and its gradient in ``extra``.

    The powers of the softened logits are there: ``e^z = (e^(z/T))^T`` saves an exponential at the
    usual temperatures.
    """
    probs = buffers.extra
    total = _product(buffers.own, plan.temperature, probs)
    if total is None:
        student, total = powers_of(student, 1.0, probs)
    assert rows.labels is not None
    assert rows.hard is not None
    weight = (rows.labels >= 0).to(probs.dtype).mul_(plan.hard)
    classes = rows.labels.clamp_min(0)
    torch.mul(total.log().sub_(student.gather(-1, classes)), weight, out=rows.hard)
    probs.mul_(weight / total).scatter_add_(-1, classes, -weight)


def _product(powers: Tensor, exponent: float, out: Tensor) -> Tensor | None:
    """The sum of ``powers^exponent``; None where that is no shortcut or not accurate."""
    if exponent not in (1, 2, 4):
        return None
    if exponent == 1:
        out.copy_(powers)
    else:
        torch.mul(powers, powers, out=out)
    if exponent == 4:
        out.mul_(out)
    total = out.sum(-1, True)
    return total if lie_between(total, *ORDINARY) else None
