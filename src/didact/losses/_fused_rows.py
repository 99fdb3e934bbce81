"""Soft targets, and a hard label beside them, over rows of logits: value and gradient in one pass.

Three facts shape this code. Base-2 exponentials cost a quarter of natural ones on a CPU. Row
chunks that fit the second-level cache spare the memory. And a fresh tensor of many megabytes costs
more in page faults than the arithmetic that fills it, so the only new one is the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from didact.losses._workspace import workspace

LOG2E = math.log2(math.e)
LN2 = math.log(2.0)
CHUNK = 320 * 1024
"""Logits in one chunk and thread: fewer make more calls of operations, more leave the cache."""


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
        partition: Sum of the student's powers.
        totals: Those of each teacher.
        gaps: Sum of powers times difference of the logarithms, for each teacher.
    """

    student: Tensor
    teachers: list[Tensor]
    gradient: Tensor | None
    labels: Tensor | None
    away: Tensor | None
    weights: list[float | Tensor]
    hard: Tensor | None
    partition: Tensor
    totals: list[Tensor]
    gaps: list[Tensor]

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
    """What a chunk is worked on in."""

    student_logs: Tensor
    teacher_logs: Tensor
    teacher_powers: Tensor
    extra: Tensor
    gradient: Tensor

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
        work = out if out is not None and out.dtype == dtype else buffers.gradient
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
    partition, *rest = student.new_empty(1 + 2 * several, rows, 1, dtype=dtype).unbind()
    return _Rows(
        student,
        list(teachers),
        gradient,
        labels=None if plan.labels is None else plan.labels.unsqueeze(-1),
        away=None if plan.mask is None else ~plan.mask.unsqueeze(-1),
        weights=[w.unsqueeze(-1) if isinstance(w, Tensor) else w for w in plan.weights],
        hard=None if plan.labels is None else torch.empty_like(partition),
        partition=partition,
        totals=rest[:several],
        gaps=rest[several:],
    )


def _values(plan: Plan, rows: _Rows) -> Tensor:
    """From the sums over classes to the values of the rows."""
    values = []
    if plan.mixture:
        values.append(rows.partition.log2().add_(rows.gaps[0]))
    else:
        for weight, total, gap in zip(rows.weights, rows.totals, rows.gaps, strict=True):
            value = (rows.partition / total).log2_().add_(gap.div_(total))
            values.append(value if isinstance(weight, float) and weight == 1 else value * weight)
    value = values[0].add_(sum(values[1:])) if len(values) > 1 else values[0]
    value.mul_(plan.soft * plan.temperature**2 * LN2)
    if rows.hard is not None:
        value.add_(rows.hard)
    if rows.away is not None:
        value.masked_fill_(rows.away, 0.0)
    return value.squeeze(1)


def _work(plan: Plan, rows: _Rows, buffers: _Buffers, gradient: Tensor) -> None:
    powers_of(rows.student, plan.temperature, buffers.student_logs, gradient, rows.partition)
    if plan.labels is not None:
        _hard(plan, rows, buffers, gradient)
    gradient.mul_(rows.partition.reciprocal().mul_(plan.soft * plan.temperature))
    (_mixture if plan.mixture else _each)(plan, rows, buffers, gradient)
    if plan.labels is not None:
        gradient.add_(buffers.extra)
    if rows.away is not None:
        gradient.masked_fill_(rows.away, 0.0)


def logs_of(logits: Tensor, temperature: float, logs: Tensor) -> Tensor:
    """``log2(e) (z - max z) / T``, written to ``logs``."""
    scale = LOG2E / temperature
    if logits.dtype != logs.dtype:
        logits = logs.copy_(logits)
    return torch.add(logits.amax(-1, keepdim=True).mul_(-scale), logits, alpha=scale, out=logs)


def powers_of(
    logits: Tensor, temperature: float, logs: Tensor, powers: Tensor, total: Tensor | None = None
) -> Tensor:
    """``logs = log2(e) (z - max z) / T``, ``powers = 2^logs``, and their sum over a row."""
    torch.exp2(logs_of(logits, temperature, logs), out=powers)
    return torch.sum(powers, -1, keepdim=True, out=total)


def _each(plan: Plan, rows: _Rows, buffers: _Buffers, gradient: Tensor) -> None:
    """The weighted sum of the divergences from each teacher."""
    logs, powers = buffers.teacher_logs, buffers.teacher_powers
    for teacher, weight, total, gap in zip(
        rows.teachers, rows.weights, rows.totals, rows.gaps, strict=True
    ):
        powers_of(teacher, plan.temperature, logs, powers, total)
        torch.sum(logs.sub_(buffers.student_logs).mul_(powers), -1, keepdim=True, out=gap)
        share = total.reciprocal().mul_(weight * (plan.soft * plan.temperature))
        gradient.addcmul_(powers, share, value=-1)


def _mixture(plan: Plan, rows: _Rows, buffers: _Buffers, gradient: Tensor) -> None:
    """The divergence from the weighted mean of the teachers' probabilities."""
    logs, powers, mixed, total = (
        buffers.teacher_logs,
        buffers.teacher_powers,
        buffers.extra,
        rows.totals[0],
    )
    mixed.zero_()
    for teacher, weight in zip(rows.teachers, rows.weights, strict=True):
        powers_of(teacher, plan.temperature, logs, powers, total)
        mixed.addcmul_(powers, weight / total)
    torch.clamp_min(mixed, torch.finfo(mixed.dtype).tiny, out=logs)
    gap = logs.log2_().sub_(buffers.student_logs).mul_(mixed)
    torch.sum(gap, -1, keepdim=True, out=rows.gaps[0])
    gradient.add_(mixed, alpha=-plan.soft * plan.temperature)


def _hard(plan: Plan, rows: _Rows, buffers: _Buffers, gradient: Tensor) -> None:
    """The cross-entropy at temperature 1, and its gradient in ``extra``.

    The powers of the softened logits are in ``gradient``: ``2^z = (2^(z/T))^T`` saves an
    exponential at the usual temperatures.
    """
    temperature, probs = plan.temperature, buffers.extra
    if temperature == 1:
        probs.copy_(gradient)
    elif temperature in (2, 4):
        torch.mul(gradient, gradient, out=probs)
        if temperature == 4:
            probs.mul_(probs)
    else:
        torch.mul(buffers.student_logs, temperature, out=probs).exp2_()
    partition = probs.sum(-1, keepdim=True)
    assert rows.labels is not None
    assert rows.hard is not None
    weight = (rows.labels >= 0).to(probs.dtype).mul_(plan.hard)
    classes = rows.labels.clamp_min(0)
    own = buffers.student_logs.gather(-1, classes).mul_(temperature)
    torch.mul(partition.log2().sub_(own), weight * LN2, out=rows.hard)
    probs.mul_(weight / partition).scatter_add_(-1, classes, -weight)
