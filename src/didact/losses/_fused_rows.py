"""Soft targets, and a hard label beside them, over rows of logits: value and gradient in one pass.

Three facts shape this code. Base-2 exponentials cost a quarter of natural ones on a CPU. Row
chunks that fit the second-level cache spare the memory. And a fresh tensor of many megabytes costs
more in page faults than the arithmetic that fills it, so the only new one is the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

LOG2E = math.log2(math.e)
LN2 = math.log(2.0)
CHUNK = 96 * 1024
"""Logits in one chunk and thread: two float32 buffers of it are 768 KiB, of a cache of 1 MiB."""


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
class _Chunk:
    """The rows of one chunk and the buffers they are worked on in."""

    plan: Plan
    part: slice
    student_logs: Tensor
    teacher_logs: Tensor
    teacher_powers: Tensor
    extra: Tensor
    gradient: Tensor
    value: Tensor

    @property
    def gradient_factor(self) -> float:
        return self.plan.soft * self.plan.temperature

    @property
    def value_factor(self) -> float:
        return self.plan.soft * self.plan.temperature**2 * LN2


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
    in_place = gradient is not None and gradient.dtype == dtype
    needed = (True, True, True, plan.mixture or plan.labels is not None, not in_place)
    buffers = [student.new_empty(step if there else 0, classes, dtype=dtype) for there in needed]
    values = student.new_zeros(rows, 1, dtype=dtype)
    for start in range(0, rows, step):
        part = slice(start, min(start + step, rows))
        logs, teacher_logs, powers, extra, work = (b[: part.stop - start] for b in buffers)
        out = None if gradient is None else gradient[part]
        if out is not None and in_place:
            work = out
        chunk = _Chunk(plan, part, logs, teacher_logs, powers, extra, work, values[part])
        _work(chunk, student[part], teachers)
        if out is not None and not in_place:
            out.copy_(work)
    return values.squeeze(1)


def _work(chunk: _Chunk, student: Tensor, teachers: Sequence[Tensor]) -> None:
    plan = chunk.plan
    partition = _powers(student, plan.temperature, chunk.student_logs, chunk.gradient)
    if plan.labels is not None:
        _hard(chunk, plan.labels[chunk.part].unsqueeze(-1))
    chunk.gradient.mul_(chunk.gradient_factor / partition)
    (_mixture if plan.mixture else _each)(chunk, partition, teachers)
    if plan.labels is not None:
        chunk.gradient.add_(chunk.extra)
    if plan.mask is not None:
        away = ~plan.mask[chunk.part].unsqueeze(-1)
        chunk.value.masked_fill_(away, 0.0)
        chunk.gradient.masked_fill_(away, 0.0)


def _powers(logits: Tensor, temperature: float, logs: Tensor, powers: Tensor) -> Tensor:
    """``logs = log2(e) (z - max z) / T`` and ``powers = 2^logs``; returns their sum over a row."""
    if logits.dtype == logs.dtype:
        torch.sub(logits, logits.amax(-1, keepdim=True), out=logs)
    else:
        logs.copy_(logits)
        logs.sub_(logs.amax(-1, keepdim=True))
    logs.mul_(LOG2E / temperature)
    torch.exp2(logs, out=powers)
    return powers.sum(-1, keepdim=True)


def _each(chunk: _Chunk, partition: Tensor, teachers: Sequence[Tensor]) -> None:
    """Add the weighted sum of the divergences from each teacher."""
    plan, logs, powers = chunk.plan, chunk.teacher_logs, chunk.teacher_powers
    for teacher, weight in zip(teachers, plan.weights, strict=True):
        if isinstance(weight, Tensor):
            weight = weight[chunk.part].unsqueeze(-1)
        total = _powers(teacher[chunk.part], plan.temperature, logs, powers)
        divergence = logs.sub_(chunk.student_logs).mul_(powers).sum(-1, keepdim=True)
        divergence.div_(total).add_(torch.log2(partition / total))
        chunk.value.add_(divergence.mul_(weight).mul_(chunk.value_factor))
        chunk.gradient.addcmul_(powers, weight * chunk.gradient_factor / total, value=-1)


def _mixture(chunk: _Chunk, partition: Tensor, teachers: Sequence[Tensor]) -> None:
    """Add the divergence from the weighted mean of the teachers' probabilities."""
    plan, logs, mixed = chunk.plan, chunk.teacher_logs, chunk.extra
    mixed.zero_()
    for teacher, weight in zip(teachers, plan.weights, strict=True):
        if isinstance(weight, Tensor):
            weight = weight[chunk.part].unsqueeze(-1)
        total = _powers(teacher[chunk.part], plan.temperature, logs, chunk.teacher_powers)
        mixed.addcmul_(chunk.teacher_powers, weight / total)
    torch.clamp_min(mixed, torch.finfo(mixed.dtype).tiny, out=logs)
    divergence = logs.log2_().sub_(chunk.student_logs).mul_(mixed).sum(-1, keepdim=True)
    chunk.value.add_(divergence.add_(partition.log2()).mul_(chunk.value_factor))
    chunk.gradient.add_(mixed, alpha=-chunk.gradient_factor)


def _hard(chunk: _Chunk, labels: Tensor) -> None:
    """Set the value to the cross-entropy at temperature 1 and ``extra`` to its gradient.

    The powers of the softened logits are in ``gradient``: ``2^z = (2^(z/T))^T`` saves an
    exponential at the usual temperatures.
    """
    temperature, probs = chunk.plan.temperature, chunk.extra
    if temperature == 1:
        probs.copy_(chunk.gradient)
    elif temperature in (2, 4):
        torch.mul(chunk.gradient, chunk.gradient, out=probs)
        if temperature == 4:
            probs.mul_(probs)
    else:
        torch.mul(chunk.student_logs, temperature, out=probs).exp2_()
    partition = probs.sum(-1, keepdim=True)
    weight = (labels >= 0).to(probs.dtype).mul_(chunk.plan.hard)
    classes = labels.clamp_min(0)
    own = chunk.student_logs.gather(-1, classes).mul_(temperature)
    chunk.value.copy_(partition.log2().sub_(own).mul_(LN2).mul_(weight))
    probs.mul_(weight / partition).scatter_add_(-1, classes, -weight)
