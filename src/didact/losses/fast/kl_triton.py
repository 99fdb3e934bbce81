"""The rows of a plan as one kernel of Triton; see ``kl_kernel`` for where it serves.

One program for each row reads it twice: once for the normalisers of both sides and the divergence,
once for the gradient, which may overwrite the student's logits. Powers are powers of 2, as in
``kl_rows``, whose result it equals but for rounding.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from didact.losses.kit.precision import working_dtype

try:
    import triton
    import triton.language as tl
except ImportError:  # a PyTorch for the CPU brings none
    triton = tl = None

LOG2_E = math.log2(math.e)
WIDEST = 8192
"""Classes that a program looks at at a time."""


def kl_of_rows(
    student: Tensor,
    teacher: Tensor,
    gradient: Tensor | None,
    *,
    temperature: float,
    soft: float,
    hard: float = 0.0,
    labels: Tensor | None = None,
    ignore_index: int = -100,
    mask: Tensor | None = None,
) -> Tensor:
    """``soft * T^2 * KL(p || q) + hard * CE`` of each row.

    Args:
        student: ``(rows, classes)``.
        teacher: The same.
        gradient: Where to write it; may be the memory of ``student``.
        temperature: T of the soft part.
        soft: Its factor.
        hard: That of the cross-entropy.
        labels: For each row.
        ignore_index: The label of a row that has none.
        mask: True where a row counts.

    Returns:
        ``(rows,)`` in float32.
    """
    rows, classes = student.shape
    values = torch.empty(rows, dtype=working_dtype(student), device=student.device)
    if not rows:
        return values
    width = min(WIDEST, triton.next_power_of_2(classes))
    target = student if gradient is None else gradient
    _kernel()[(rows,)](
        student, teacher, target, values,
        values if labels is None else labels.contiguous(),
        values if mask is None else mask.contiguous().view(torch.uint8),
        student.stride(0), teacher.stride(0), target.stride(0), classes,
        LOG2_E / temperature, soft * temperature, soft * temperature**2, hard, ignore_index,
        labelled=labels is not None, masked=mask is not None, writes=gradient is not None,
        block=width, num_warps=max(4, min(16, width // 512)),
    )  # fmt: skip
    return values


@functools.cache
def _kernel() -> Any:
    """The kernel, made when it is first wanted."""

    @triton.jit  # type: ignore[untyped-decorator]
    def kl_row(  # type: ignore[no-untyped-def]
        student, teacher, gradient, values, labels, mask,
        student_step, teacher_step, gradient_step, classes,
        scale, soft_slope, soft, hard, ignore_index,
        labelled: tl.constexpr, masked: tl.constexpr, writes: tl.constexpr, block: tl.constexpr,
    ):  # fmt: skip
        log2_e: tl.constexpr = 1.4426950408889634
        row = tl.program_id(0).to(tl.int64)
        student += row * student_step
        teacher += row * teacher_step
        gradient += row * gradient_step
        own_top, other_top, hard_top = -1e30, -1e30, -1e30
        own_sum, other_sum, hard_sum, gap = 0.0, 0.0, 0.0, 0.0
        for first in range(0, classes, block):
            place = first + tl.arange(0, block)
            inside = place < classes
            logits = tl.load(student + place, mask=inside, other=0.0).to(tl.float32)
            logits = tl.where(inside, logits, -1e30)
            own = logits * scale
            other = tl.load(teacher + place, mask=inside, other=0.0).to(tl.float32)
            other = tl.where(inside, other, -1e30) * scale
            top = tl.maximum(own_top, tl.max(own, 0))
            own_sum = own_sum * tl.exp2(own_top - top) + tl.sum(tl.exp2(own - top), 0)
            own_top = top
            top = tl.maximum(other_top, tl.max(other, 0))
            shrunk = tl.exp2(other_top - top)
            power = tl.exp2(other - top)
            other_sum = other_sum * shrunk + tl.sum(power, 0)
            apart = tl.where(inside & (power > 0), power * (other - own), 0.0)
            gap = gap * shrunk + tl.sum(apart, 0)
            other_top = top
            if labelled:
                top = tl.maximum(hard_top, tl.max(logits, 0) * log2_e)
                powers = tl.exp2(logits * log2_e - top)
                hard_sum = hard_sum * tl.exp2(hard_top - top) + tl.sum(powers, 0)
                hard_top = top
        bits = gap / other_sum + (own_top - other_top) + tl.log2(own_sum / other_sum)
        value = soft * bits / log2_e
        if labelled:
            label = tl.load(labels + row)
            weight = tl.where(label == ignore_index, 0.0, hard)
            chosen = tl.load(student + tl.where(label == ignore_index, 0, label)).to(tl.float32)
            value += weight * ((hard_top + tl.log2(hard_sum)) / log2_e - chosen)
        if masked:
            counts = tl.load(mask + row).to(tl.float32)
            value = tl.where(counts > 0, value, 0.0)
        tl.store(values + row, value)
        if writes:
            for first in range(0, classes, block):
                place = first + tl.arange(0, block)
                inside = place < classes
                logits = tl.load(student + place, mask=inside, other=0.0).to(tl.float32)
                other = tl.load(teacher + place, mask=inside, other=0.0).to(tl.float32)
                probs = tl.exp2(logits * scale - own_top) / own_sum
                target = tl.exp2(other * scale - other_top) / other_sum
                slope = soft_slope * (probs - target)
                if labelled:
                    certain = tl.exp2(logits * log2_e - hard_top) / hard_sum
                    slope += weight * (certain - tl.where(place == label, 1.0, 0.0))
                if masked:
                    slope = tl.where(counts > 0, slope, 0.0)
                tl.store(gradient + place, slope.to(gradient.dtype.element_ty), mask=inside)

    return kl_row
