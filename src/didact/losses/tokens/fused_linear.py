"""Distillation through the last linear layer: the logits of all tokens are never held at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.autograd import Function

from didact._core.errors import ShapeError, UsageError
from didact.losses.fast.closed_form import ValueAndGradient
from didact.losses.fast.kl_rows import Plan, rows_at_once, run
from didact.losses.kit.checks import (
    both,
    check_labels,
    check_mask,
    check_temperature,
    check_weight,
)
from didact.losses.kit.precision import full_precision
from didact.losses.kit.reduce import raise_if_teacher_not_finite
from didact.losses.kit.softmax import log_softmax_and_softmax
from didact.losses.tokens.cells import Cells, Divergence, Judge, judge, value_and_gradient
from didact.losses.tokens.head import Head, add_outer, project_back
from didact.losses.tokens.top_k import TopK

BYTES = {"cpu": 32 * 2**20, "elsewhere": 512 * 2**20}
"""Of the logits of one chunk and side: what stays in a cache shared by all cores, and rows enough
to keep a GPU busy."""


def fused_linear_kd(
    student: Head,
    teacher: Head | TopK,
    labels: Int64[Tensor, "*batch"] | None = None,
    *,
    hard_weight: float = 0.0,
    divergence: Divergence = "forward_kl",
    beta: float = 0.5,
    temperature: float = 1.0,
    ignore_index: int = -100,
    reduction: Literal["mean", "sum"] = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
    workspace: int | None = None,
) -> Float[Tensor, ""]:
    """Distillation of a language model from hidden states, a chunk of tokens at a time.

    ``(1 - w) T^2 D(p, q) + w CE`` with ``q`` the softmax of the head's logits over T: the value of
    :func:`forward_kl`, :func:`reverse_kl`, :func:`generalised_jsd` (``normalise=False``) or
    :func:`top_k_kd` on the logits, without ever holding the logits of all tokens. The gradients of
    hidden states, weight and bias are made with the value, so that each product with the weights is
    computed once. Logits are float32 whatever the precision of the weights, and so is the sum that
    becomes the weight's gradient. Tokens that do not count are never projected.

    Args:
        student: Hidden states and output layer, which get gradients; of a frozen layer none is
            made.
        teacher: Those of the teacher, or its :class:`TopK` of the same positions, for the
            divergence of its k + 1 cells.
        labels: Class numbers, ``(...)``. What they ignore, the teacher's part ignores too.
        hard_weight: Share w of the cross-entropy with the labels, from 0 to 1, at temperature 1.
        divergence: ``"forward_kl"``, ``"reverse_kl"`` or ``"jsd"``.
        beta: The teacher's share in the mixture of ``"jsd"``, above 0 and below 1.
        temperature: T > 0.
        ignore_index: The label of a token that does not count.
        reduction: ``"mean"`` over the tokens that count, or ``"sum"``: under gradient accumulation,
            to be divided by their number in all micro-batches.
        mask: True where a token counts, ``(...)``.
        workspace: Bytes of a chunk's logits on each side; by default 32 MiB on a CPU, 512 MiB
            elsewhere.

    Returns:
        A scalar, in nats. It cannot be differentiated twice.

    Raises:
        ShapeError: The two sides, the labels or the mask do not fit together.
        DtypeError: Integer hidden states, labels that are not int64, or a mask that is not boolean.
        RangeError: A label that is no class, a weight out of its range, or ``temperature`` not
            above 0.
        UsageError: An unknown divergence or reduction, or ``hard_weight`` without labels.
        NonFiniteError: The teacher's side holds NaN or infinity (looked for on a CPU only).

    Paper: Hinton, Vinyals, Dean 2015, arXiv:1503.02531. The gradient made in the forward pass, in
    chunks of tokens, is that of Hsu et al. 2024 (Liger kernel), arXiv:2410.10989.

    Example:
        >>> import torch
        >>> from didact.losses import Head, forward_kl, fused_linear_kd
        >>> student = Head(torch.randn(6, 4), torch.randn(11, 4))
        >>> teacher = Head(torch.randn(6, 8), torch.randn(11, 8))
        >>> dense = forward_kl(*(head.hidden @ head.weight.T for head in (student, teacher)))
        >>> torch.allclose(fused_linear_kd(student, teacher), dense, atol=1e-5)
        True
    """
    _check(student, teacher, reduction)
    check_temperature(temperature)
    check_weight(hard_weight, name="hard_weight")
    judged = judge(divergence, beta)
    positions = student.shape[:-1]
    check_mask(mask, positions)
    if labels is not None:
        check_labels(labels, positions, classes=student.shape[-1], ignore_index=ignore_index)
        mask = both(mask, labels != ignore_index)
    elif hard_weight:
        raise UsageError(f"hard_weight is {hard_weight}; pass labels, or leave it at 0")
    keep = None if mask is None else mask.reshape(-1).nonzero().squeeze(1)
    count = positions.numel() if keep is None else len(keep)
    factor = 1 / max(1, count) if reduction == "mean" else 1.0
    if workspace is None:
        workspace = BYTES["cpu" if student.hidden.is_cpu else "elsewhere"]
    plan = _Plan(
        student.flat(),
        teacher.flat(),
        keep,
        None if labels is None or hard_weight == 0 else labels.reshape(-1, 1),
        None if divergence == "forward_kl" else partial(_DIVERGENCES[divergence], beta),
        judged,
        temperature,
        soft=(1 - hard_weight) * factor,
        hard=hard_weight * factor,
        step=max(1, workspace // (student.dtype.itemsize * len(student.weight))),
    )
    tensors = (student.hidden, student.weight, student.bias)
    value: Tensor = _FusedLinear.apply(*tensors, plan, torch.is_grad_enabled())  # type: ignore[no-untyped-call]
    seen = teacher.logits if isinstance(teacher, TopK) else teacher.hidden
    name = "the teacher's TopK" if isinstance(teacher, TopK) else "the teacher's hidden"
    raise_if_teacher_not_finite(value, seen, name=name)
    return value


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is computed.

    Attributes:
        student: Of all positions, without a graph.
        teacher: The same, or what is kept of its logits.
        keep: The positions that count, None for all.
        labels: ``(positions, 1)``, None without a hard part.
        divergence: Of scaled logits of both sides, ``(rows, classes)``; None for forward KL.
        judged: The same of the cells of a :class:`TopK`.
        temperature: T.
        soft: Factor of the divergence.
        hard: Factor of the cross-entropy.
        step: Positions in a chunk.
    """

    student: Head
    teacher: Head | TopK
    keep: Tensor | None
    labels: Tensor | None
    divergence: Callable[[Tensor, Tensor], ValueAndGradient] | None
    judged: Judge
    temperature: float
    soft: float
    hard: float
    step: int

    def chunks(self) -> list[Tensor] | list[slice]:
        """The positions of each chunk."""
        if self.keep is not None:
            return list(torch.split(self.keep, self.step)) if len(self.keep) else []
        rows = len(self.student.hidden)
        return [slice(first, first + self.step) for first in range(0, rows, self.step)]

    def run(self, wanted: Sequence[bool]) -> tuple[Tensor, list[Tensor | None]]:
        """The value, and the gradients of hidden states, weight and bias that are wanted."""
        head = self.student
        value = torch.zeros((), dtype=head.dtype, device=head.hidden.device)
        to_hidden = torch.zeros_like(head.hidden) if wanted[0] else None
        to_weight = torch.zeros_like(head.weight, dtype=head.dtype) if wanted[1] else None
        to_bias = value.new_zeros(len(head.weight)) if wanted[2] else None
        for positions in self.chunks():
            part = head[positions]
            found, slope = self.value_and_slope(part, positions, any(wanted))
            value += found
            if slope is None:
                continue
            if to_hidden is not None:
                to_hidden[positions] = project_back(slope, head.weight).to(to_hidden.dtype)
            if to_weight is not None:
                add_outer(to_weight, slope, part.hidden)
            if to_bias is not None:
                to_bias += slope.sum(0)
        return value, [to_hidden, to_weight, to_bias]

    def value_and_slope(
        self, head: Head, positions: Tensor | slice, wanted: bool
    ) -> tuple[Tensor, Tensor | None]:
        """The value of a chunk, and its gradient in the product of hidden states and weight."""
        logits = head.logits()
        factor = head.slope(logits) if wanted else 1.0  # the gradient may overwrite the logits
        value, gradient = self.value_and_gradient(logits, positions, wanted)
        if gradient is None or (isinstance(factor, float) and factor == 1):
            return value, gradient
        return value, gradient.mul_(factor)

    def value_and_gradient(
        self, logits: Tensor, positions: Tensor | slice, wanted: bool
    ) -> tuple[Tensor, Tensor | None]:
        """The value of a chunk, and its gradient in the student's logits, written over them."""
        labels = None if self.labels is None else self.labels[positions]
        if isinstance(self.teacher, TopK):
            target: Cells | Tensor = self.teacher[positions].cells(self.temperature, like=logits)
        else:
            target = self.teacher[positions].logits().to(logits.dtype)
            if self.divergence is None:  # both parts in one pass
                plan = Plan(self.temperature, soft=self.soft, hard=self.hard, labels=labels)
                value = run(plan, logits, (target,), logits if wanted else None).sum()
                return value, logits if wanted else None
        value, step = logits.new_zeros(()), rows_at_once(logits)
        spared = isinstance(target, Cells) and step < len(logits)
        scratch = torch.empty_like(logits[:step]) if spared else logits
        for first in range(0, len(logits), step):
            rows = slice(first, first + step)
            classes = None if labels is None else labels[rows]
            part = logits[rows]
            value += self.overwrite(part, target[rows], classes, scratch[: len(part)], wanted)
        return value, logits if wanted else None

    def overwrite(
        self,
        logits: Tensor,
        target: Cells | Tensor,
        labels: Tensor | None,
        scratch: Tensor,
        wanted: bool,
    ) -> Tensor:
        """The value of some rows, whose gradient is written over the student's logits."""
        value, probs = logits.new_zeros(()), None
        if labels is not None:
            log_probs, probs = log_softmax_and_softmax(logits)
            value -= log_probs.gather(-1, labels).sum() * self.hard
        if isinstance(target, Cells):
            found = value_and_gradient(
                target,
                logits,
                self.judged,
                temperature=self.temperature,
                factor=self.soft * self.temperature,
                scratch=scratch,
                gradient=logits if wanted else None,
            )
        else:
            assert self.divergence is not None
            scaled = logits.div_(self.temperature)
            found, slope = self.divergence(scaled, target.div_(self.temperature))
            if wanted:
                logits.copy_(slope()).mul_(self.soft * self.temperature)
        if labels is not None and probs is not None and wanted:
            logits.add_(probs, alpha=self.hard)
            logits.scatter_add_(-1, labels, logits.new_full(labels.shape, -self.hard))
        return value + found.sum() * (self.soft * self.temperature**2)


class _FusedLinear(Function):
    """Value and gradients in the forward pass; the backward pass scales them and lets them go."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, plan: _Plan, enabled: bool
    ) -> Tensor:
        ctx.plan = plan
        ctx.wanted = [enabled and needed for needed in ctx.needs_input_grad[:3]]
        ctx.shape, ctx.dtypes = hidden.shape, (hidden.dtype, weight.dtype, weight.dtype)
        if bias is not None:
            ctx.dtypes = (hidden.dtype, weight.dtype, bias.dtype)
        ctx.save_for_backward(hidden, weight, bias)
        with full_precision(hidden):
            value, ctx.gradients = plan.run(ctx.wanted)
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise UsageError(
                "fused_linear_kd keeps no logits and cannot be differentiated twice; take the loss "
                "of the logits, such as forward_kl"
            )
        made, ctx.gradients = ctx.gradients, None
        if made is None and ctx.saved_tensors:  # a second pass over the same graph
            with full_precision(upstream):
                made = ctx.plan.run(ctx.wanted)[1]
        to_hidden, to_weight, to_bias = [
            None if gradient is None else gradient.mul_(upstream).to(dtype)
            for gradient, dtype in zip(made, ctx.dtypes, strict=True)
        ]
        if to_hidden is not None:
            to_hidden = to_hidden.view(ctx.shape)
        return to_hidden, to_weight, to_bias, None, None


def _reverse_kl(_beta: float, student: Tensor, teacher: Tensor) -> ValueAndGradient:
    log_probs, probs = log_softmax_and_softmax(student)
    ratio = log_probs.sub_(torch.log_softmax(teacher, -1))
    value = (probs * ratio).sum(-1, keepdim=True)
    return value, lambda: ratio.sub_(value).mul_(probs)


def _jsd(beta: float, student: Tensor, teacher: Tensor) -> ValueAndGradient:
    log_probs, probs = log_softmax_and_softmax(student)
    target_log_probs, target = log_softmax_and_softmax(teacher)
    mixture = torch.add(target * beta, probs, alpha=1 - beta)
    log_mixture = mixture.clamp_min_(torch.finfo(mixture.dtype).tiny).log_()
    from_teacher = target_log_probs.sub_(log_mixture).mul_(target).sum(-1, keepdim=True)
    ratio = log_probs.sub_(log_mixture)
    own = (probs * ratio).sum(-1, keepdim=True)
    # The mixture is best for both parts: its own dependence on the student drops out.
    value = from_teacher * beta + own * (1 - beta)
    return value, lambda: ratio.sub_(own).mul_(probs).mul_(1 - beta)


_DIVERGENCES: dict[str, Callable[[float, Tensor, Tensor], ValueAndGradient]] = {
    "reverse_kl": _reverse_kl,
    "jsd": _jsd,
}


def _check(student: Head, teacher: Head | TopK, reduction: str) -> None:
    if reduction not in ("mean", "sum"):
        raise UsageError(f"reduction is {reduction!r}; expected 'mean' or 'sum'")
    if student.shape != teacher.shape:
        raise ShapeError(
            f"the student makes logits {tuple(student.shape)} and the teacher "
            f"{tuple(teacher.shape)}; expected one shape for both. Of a padded vocabulary, pass "
            "the rows of the weight that both know."
        )
