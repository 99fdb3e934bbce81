"""Soft targets, and a hard label beside them, over rows of logits: value and gradient in one pass.

Three facts shape this code. Rows are worked through in chunks that stay in the second-level cache,
which spares the memory. A fresh tensor of many megabytes costs more in page faults than the
arithmetic that fills it, so the only new one is the gradient. And powers are powers of 2: PyTorch
computes ``exp2`` itself, as fast on one processor as on another, but hands ``exp`` to a vendor's
library, which is several times slower on the processors of other vendors.

With ``z = logits * log2(e) / T``, less the largest of the row, ``softmax(logits / T)`` is
``2^z / sum(2^z)``. Nothing overflows, and each sum lies between 1 and the number of classes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from didact.losses.fast import kl_kernel
from didact.losses.fast.memory import new_like
from didact.losses.fast.node import can_serve, with_gradient
from didact.losses.kit.precision import working_dtype
from didact.losses.kit.reduce import Reduction

CHUNK = 256 * 1024
"""Logits in one chunk and thread: fewer make more calls of operations, more leave the cache."""
SMALL = 32 * 1024
"""Logits below which the plain formula takes less time."""
LOG2_E = math.log2(math.e)
LN_2 = math.log(2.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compute: ``soft * T^2 * sum_k w_k KL(p_k || q) + hard * CE`` for each row.

    Attributes:
        temperature: T of the soft part.
        soft: Factor of the soft part.
        weights: One for each teacher: a number, or one for each sample. They sum to 1.
        mixture: The soft target is the mean of the teachers' probabilities, ``KL(sum w p || q)``.
        hard: Factor of the cross-entropy.
        labels: For each sample; None without a hard part.
        ignore_index: The label of a sample that has none.
        mask: True where a sample counts.
    """

    temperature: float
    soft: float = 1.0
    weights: Sequence[float | Tensor] = (1.0,)
    mixture: bool = False
    hard: float = 0.0
    labels: Tensor | None = None
    ignore_index: int = -100
    mask: Tensor | None = None

    def of_rows(self) -> Plan:
        """The same with one column for each tensor: ``(rows, 1)``."""
        if self.labels is self.mask is None and not isinstance(self.weights[0], Tensor):
            return self
        return replace(
            self,
            weights=[w.reshape(-1, 1) if isinstance(w, Tensor) else w for w in self.weights],
            labels=None if self.labels is None else self.labels.reshape(-1, 1),
            mask=None if self.mask is None else self.mask.reshape(-1, 1),
        )

    def is_plain(self) -> bool:
        """Whether one teacher alone counts, wholly, as a kernel has it."""
        (first, *more) = self.weights
        return not (more or self.mixture or isinstance(first, Tensor)) and first == 1

    def averaged(self, rows: int) -> Plan:
        """The same for a mean: over the rows that count, and over those with a label."""
        labelled = rows
        if self.labels is not None:
            has_label = self.labels != self.ignore_index
            labelled = int((has_label if self.mask is None else has_label & self.mask).sum())
        if self.mask is not None:
            rows = int(self.mask.sum())
        return replace(self, soft=self.soft / max(1, rows), hard=self.hard / max(1, labelled))

    def between(self, first: int, end: int) -> Plan:
        """The same for some of the rows."""
        return replace(
            self,
            weights=[w[first:end] if isinstance(w, Tensor) else w for w in self.weights],
            labels=None if self.labels is None else self.labels[first:end],
            mask=None if self.mask is None else self.mask[first:end],
        )


def fast_kl(
    plan: Plan,
    student: Tensor,
    teachers: Sequence[Tensor],
    plain: Callable[[Tensor], Tensor],
    reduction: Reduction,
    *,
    inplace: bool = False,
) -> Tensor:
    """The loss of a plan: in one pass where that serves and pays, else by the plain formula.

    Args:
        plan: What to compute.
        student: ``(..., classes)``.
        teachers: Logits of the same shape.
        plain: The same loss of the student's logits by differentiable operations.
        reduction: As for the loss.
        inplace: Write the gradient over the student's logits.

    Raises:
        UsageError: ``inplace`` with logits that are a leaf of the graph.
    """
    pays = inplace or student.numel() >= SMALL
    if not (pays and can_serve(student, *teachers)):
        return plain(student)
    classes, positions = student.shape[-1], student.shape[:-1]
    plan = plan.of_rows()
    if reduction == "mean":
        plan = plan.averaged(positions.numel())
    targets = [teacher.detach().reshape(-1, classes) for teacher in teachers]

    def make(student: Tensor, wanted: bool) -> tuple[Tensor, Tensor | None, float]:
        rows = student.detach().reshape(-1, classes)
        gradient = (rows if inplace else new_like(rows)) if wanted else None
        values = run(plan, rows, targets, gradient)
        value = values.view(positions) if reduction == "none" else values.sum()
        return value, None if gradient is None else gradient.view(student.shape), 1.0

    return with_gradient(student, make, plain, inplace=inplace)


def rows_at_once(logits: Tensor) -> int:
    """How many rows of ``(rows, classes)`` to work on at a time."""
    rows, classes = logits.shape
    if not logits.is_cpu:  # each operation is a launch, and there is no cache to stay in
        return rows
    return min(rows, max(1, CHUNK * torch.get_num_threads() // classes))


def run(plan: Plan, student: Tensor, teachers: Sequence[Tensor], gradient: Tensor | None) -> Tensor:
    """One value for each row of ``(rows, classes)``; the gradient is written as a by-product.

    Args:
        plan: What to compute, of rows.
        student: Logits.
        teachers: Logits of the same shape.
        gradient: Where to write the gradient; may be the memory of ``student`` itself.

    Returns:
        ``(rows,)`` in float32 or float64.
    """
    rows, classes = student.shape
    if plan.is_plain() and kl_kernel.can_run(student, teachers[0]):
        from didact.losses.fast.kl_triton import kl_of_rows

        return kl_of_rows(
            student,
            teachers[0],
            gradient,
            temperature=plan.temperature,
            soft=plan.soft,
            hard=plan.hard,
            labels=plan.labels,
            ignore_index=plan.ignore_index,
            mask=plan.mask,
        )
    dtype = working_dtype(student)
    step = rows_at_once(student)
    scratch = torch.empty(5, step, classes, dtype=dtype, device=student.device).unbind()
    if step == rows:
        return _chunk(plan, student, teachers, gradient, scratch).squeeze(1)
    values = []
    for first in range(0, rows, step):
        end = min(rows, first + step)
        value = _chunk(
            plan.between(first, end),
            student[first:end],
            [teacher[first:end] for teacher in teachers],
            None if gradient is None else gradient[first:end],
            [block[: end - first] for block in scratch],
        )
        values.append(value)
    return torch.cat(values).squeeze(1)


def _chunk(
    plan: Plan,
    student: Tensor,
    teachers: Sequence[Tensor],
    gradient: Tensor | None,
    scratch: Sequence[Tensor],
) -> Tensor:
    """The values of some rows, ``(rows, 1)``; their gradient is written."""
    student_grad, scaled, student_exp, *free = scratch
    if gradient is not None and gradient.dtype == student_grad.dtype:
        # The student's own memory is overwritten last of all: a teacher may share it.
        student_grad = student_grad if gradient.data_ptr() == student.data_ptr() else gradient
    hard = None
    if plan.labels is not None:
        hard = _cross_entropy(plan, student, plan.labels, student_grad, scaled)
    total = exp_and_sum(student, plan.temperature, scaled, student_exp)
    factor = plan.soft * plan.temperature
    if hard is None:
        torch.mul(student_exp, factor / total, out=student_grad)
    else:
        student_grad.addcmul_(student_exp, factor / total)
    soft = _mixture if plan.mixture else _each
    value = soft(plan, teachers, scaled, total, student_grad, student_exp, free)
    value.mul_(plan.soft * plan.temperature**2 * LN_2)
    if hard is not None:
        value.add_(hard)
    if plan.mask is not None:
        value.masked_fill_(~plan.mask, 0.0)
        student_grad.masked_fill_(~plan.mask, 0.0)
    if gradient is not None and gradient is not student_grad:
        gradient.copy_(student_grad)
    return value


def exp_and_sum(logits: Tensor, temperature: float, scaled: Tensor, exp: Tensor) -> Tensor:
    """Writes z into ``scaled`` and ``2^z`` into ``exp``.

    Returns:
        The sum of ``2^z`` over each row, ``(rows, 1)``.
    """
    if logits.dtype != scaled.dtype:
        logits = scaled.copy_(logits)
    torch.mul(logits, LOG2_E / temperature, out=scaled)
    scaled.sub_(scaled.amax(-1, True))
    return torch.exp2(scaled, out=exp).sum(-1, True)


def _each(
    plan: Plan,
    teachers: Sequence[Tensor],
    scaled: Tensor,
    total: Tensor,
    gradient: Tensor,
    teacher_exp: Tensor,
    scratch: Sequence[Tensor],
) -> Tensor:
    """``sum_k w_k KL(p_k || q)`` in bits; the teachers' share is taken off the gradient.

    ``log2(p / q) = (z_t - z_s) + log2(total_s / total_t)``, whose mean under p is the divergence.
    """
    values, gap = [], scratch[0]
    for teacher, weight in zip(teachers, plan.weights, strict=True):
        teacher_total = exp_and_sum(teacher, plan.temperature, gap, teacher_exp)
        gap.sub_(scaled).mul_(teacher_exp)
        divergence = gap.sum(-1, True).div_(teacher_total).add_((total / teacher_total).log2_())
        values.append(divergence.mul_(weight))
        share = teacher_total.reciprocal_().mul_(weight * (plan.soft * plan.temperature))
        gradient.addcmul_(teacher_exp, share, value=-1)
    return functools.reduce(Tensor.add_, values)


def _mixture(
    plan: Plan,
    teachers: Sequence[Tensor],
    scaled: Tensor,
    total: Tensor,
    gradient: Tensor,
    teacher_exp: Tensor,
    scratch: Sequence[Tensor],
) -> Tensor:
    """``KL(sum_k w_k p_k || q)`` in bits; the mixture is taken off the gradient."""
    mixed, gap = scratch[1].zero_(), scratch[0]
    for teacher, weight in zip(teachers, plan.weights, strict=True):
        teacher_total = exp_and_sum(teacher, plan.temperature, gap, teacher_exp)
        mixed.addcmul_(teacher_exp, weight / teacher_total)
    torch.clamp_min(mixed, torch.finfo(mixed.dtype).tiny, out=gap).log2_()
    gap.sub_(scaled).add_(total.log2())
    gradient.sub_(mixed, alpha=plan.soft * plan.temperature)
    return gap.mul_(mixed).sum(-1, True)


def _cross_entropy(
    plan: Plan, student: Tensor, labels: Tensor, gradient: Tensor, scaled: Tensor
) -> Tensor:
    """The cross-entropy at temperature 1, ``(rows, 1)``; its gradient is written."""
    total = exp_and_sum(student, 1.0, scaled, gradient)
    has_label = labels != plan.ignore_index
    weight = has_label.to(total.dtype) * plan.hard
    classes = labels.where(has_label, 0)
    gradient.mul_(weight / total).scatter_add_(-1, classes, -weight)
    return (total.log2() - scaled.gather(-1, classes)).mul_(weight * LN_2)
