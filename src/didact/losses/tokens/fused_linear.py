"""Distillation through the last linear layer: the logits of all tokens are never held at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.autograd import Function

from didact._core.errors import RangeError, ShapeError, UsageError
from didact.losses.fast.closed_form import ValueAndGradient
from didact.losses.fast.kl_rows import Plan, run
from didact.losses.kit.checks import (
    check_floating,
    check_labels,
    check_mask,
    check_temperature,
    check_weight,
)
from didact.losses.kit.precision import full_precision, in_float
from didact.losses.kit.reduce import raise_if_teacher_not_finite
from didact.losses.kit.softmax import log_softmax_and_softmax
from didact.losses.tokens.top_k import TopK, divergence_of_cells

Divergence = Literal["forward_kl", "reverse_kl", "jsd"]
BYTES = 32 * 2**20
"""Of the logits of one chunk and side, in float32: what stays in a cache shared by all cores."""


@dataclass(frozen=True, slots=True)
class Head:
    """A network's last step as data: ``logits = hidden @ weight.T + bias``.

    Args:
        hidden: ``(..., units)``, the hidden states of the last layer.
        weight: ``(classes, units)``, of the output layer.
        bias: ``(classes,)``.

    Raises:
        ShapeError: They do not fit together.
        DtypeError: They hold integers.
    """

    hidden: Float[Tensor, "*batch units"]
    weight: Float[Tensor, "classes units"]
    bias: Float[Tensor, " classes"] | None = None

    def __post_init__(self) -> None:
        check_floating(self.hidden, name="hidden")
        check_floating(self.weight, name="weight")
        if (
            self.weight.dim() != 2
            or self.hidden.dim() < 2
            or self.hidden.shape[-1] != self.weight.shape[1]
        ):
            raise ShapeError(
                f"hidden is {tuple(self.hidden.shape)} and weight {tuple(self.weight.shape)}; "
                "expected (..., units) and (classes, units)"
            )
        if self.bias is not None and self.bias.shape != self.weight.shape[:1]:
            raise ShapeError(
                f"bias is {tuple(self.bias.shape)}; expected ({self.weight.shape[0]},)"
            )

    @property
    def shape(self) -> torch.Size:
        """That of the logits, ``(..., classes)``."""
        return torch.Size((*self.hidden.shape[:-1], len(self.weight)))

    def logits(self, positions: Tensor | slice) -> Tensor:
        """Those of some positions, counted over all leading dimensions, in float32 or better."""
        rows = self.hidden.detach().reshape(-1, self.hidden.shape[-1])[positions]
        found = in_float(rows @ self.weight.detach().T)
        return found if self.bias is None else found.add_(self.bias.detach())


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
    workspace: int = BYTES,
) -> Float[Tensor, ""]:
    """Distillation of a language model from hidden states, a chunk of tokens at a time.

    ``(1 - w) T^2 D(p, q) + w CE`` with ``q`` the softmax of ``hidden @ weight.T / T``: the value of
    :func:`forward_kl`, :func:`reverse_kl`, :func:`generalised_jsd` (``normalise=False``) or
    :func:`top_k_kd` on the logits, without ever holding the logits of all tokens. The gradients of
    hidden states, weight and bias are made with the value, so that each product with the weights is
    computed once; that of the weight is added up in float32. Tokens that do not count are never
    projected.

    Args:
        student: Hidden states and output layer, which get gradients.
        teacher: Those of the teacher, or its :class:`TopK` of the same positions (forward KL).
        labels: Class numbers, ``(...)``. What they ignore, the teacher's part ignores too.
        hard_weight: Share w of the cross-entropy with the labels, from 0 to 1, at temperature 1.
        divergence: ``"forward_kl"``, ``"reverse_kl"`` or ``"jsd"``.
        beta: The teacher's share in the mixture of ``"jsd"``, above 0 and below 1.
        temperature: T > 0.
        ignore_index: The label of a token that does not count.
        reduction: ``"mean"`` over the tokens that count, or ``"sum"``: under gradient accumulation,
            to be divided by their number in all micro-batches.
        mask: True where a token counts, ``(...)``.
        workspace: Bytes of a chunk's logits on each side.

    Returns:
        A scalar, in nats. It cannot be differentiated twice.

    Raises:
        ShapeError: The two sides, the labels or the mask do not fit together.
        DtypeError: Integer hidden states, labels that are not int64, or a mask that is not boolean.
        RangeError: A label that is no class, a weight out of its range, or ``temperature`` not
            above 0.
        UsageError: An unknown divergence or reduction, ``hard_weight`` without labels, or another
            divergence than forward KL from a :class:`TopK`.
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
    _check(student, teacher, divergence, reduction)
    check_temperature(temperature)
    check_weight(hard_weight, name="hard_weight")
    if not 0 < beta < 1:
        raise RangeError(f"beta is {beta}; expected a number above 0 and below 1")
    positions = student.shape[:-1]
    check_mask(mask, positions)
    if labels is not None:
        classes = student.shape[-1]
        check_labels(labels, positions, classes=classes, ignore_index=ignore_index)
        known = labels != ignore_index
        mask = known if mask is None else mask & known
    elif hard_weight:
        raise UsageError(f"hard_weight is {hard_weight}; pass labels, or leave it at 0")
    keep = None if mask is None else mask.reshape(-1).nonzero().squeeze(1)
    count = positions.numel() if keep is None else len(keep)
    factor = 1 / max(1, count) if reduction == "mean" else 1.0
    plan = _Plan(
        student,
        teacher,
        keep,
        None if labels is None or hard_weight == 0 else labels.reshape(-1),
        None if divergence == "forward_kl" else partial(_DIVERGENCES[divergence], beta),
        temperature,
        soft=(1 - hard_weight) * factor,
        hard=hard_weight * factor,
        step=max(1, workspace // (4 * len(student.weight))),
    )
    tensors = (student.hidden, student.weight, student.bias)
    wanted = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
    with full_precision(student.hidden):
        value: Tensor = _FusedLinear.apply(*tensors, plan, wanted)  # type: ignore[no-untyped-call]
    seen = teacher.logits if isinstance(teacher, TopK) else teacher.hidden
    name = "the teacher's TopK" if isinstance(teacher, TopK) else "the teacher's hidden"
    raise_if_teacher_not_finite(value, seen, name=name)
    return value


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is computed.

    Attributes:
        student: Hidden states and weights.
        teacher: The same, or what is kept of its logits.
        keep: The positions that count, None for all.
        labels: Of all positions, None without a hard part.
        divergence: Of scaled logits of both sides, ``(rows, classes)``; None for forward KL.
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
    temperature: float
    soft: float
    hard: float
    step: int

    def chunks(self) -> list[Tensor] | list[slice]:
        """The positions of each chunk."""
        if self.keep is not None:
            return list(torch.split(self.keep, self.step)) if len(self.keep) else []
        rows = self.student.shape[:-1].numel()
        return [slice(first, first + self.step) for first in range(0, rows, self.step)]

    def value_and_gradient(
        self, logits: Tensor, positions: Tensor | slice, wanted: bool
    ) -> tuple[Tensor, Tensor | None]:
        """The value of a chunk, and its gradient in the student's logits."""
        labels = None if self.labels is None else self.labels[positions].unsqueeze(-1)
        if isinstance(self.teacher, TopK):
            cells = self.teacher.flat()[positions].cells(self.temperature, like=logits)
            values, slope = divergence_of_cells(cells, logits / self.temperature)
        else:
            target = self.teacher.logits(positions).to(logits.dtype)
            if self.divergence is None:  # both parts in one pass, the gradient over the logits
                plan = Plan(self.temperature, soft=self.soft, hard=self.hard, labels=labels)
                value = run(plan, logits, (target,), logits if wanted else None).sum()
                return value, logits if wanted else None
            scaled = logits / self.temperature
            values, slope = self.divergence(scaled, target.div_(self.temperature))
        value = values.sum() * (self.soft * self.temperature**2)
        gradient = slope().mul_(self.soft * self.temperature) if wanted else None
        if labels is not None:
            log_probs, probs = log_softmax_and_softmax(logits)
            value = value - log_probs.gather(-1, labels).sum() * self.hard
            if gradient is not None:
                gradient.add_(probs, alpha=self.hard)
                gradient.scatter_add_(-1, labels, gradient.new_full(labels.shape, -self.hard))
        return value, gradient


class _FusedLinear(Function):
    """Value and gradients in the forward pass; the backward pass scales them."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, plan: _Plan, wanted: bool
    ) -> Tensor:
        rows = hidden.reshape(-1, hidden.shape[-1])
        exact = torch.promote_types(weight.dtype, torch.float32)
        to_hidden = torch.zeros_like(rows if wanted else rows[:0])
        to_weight = torch.zeros_like(weight if wanted else weight[:0], dtype=exact)
        to_bias = to_weight.new_zeros(len(to_weight))
        value = torch.zeros((), dtype=exact, device=hidden.device)
        for positions in plan.chunks():
            logits = plan.student.logits(positions)
            found, slope = plan.value_and_gradient(logits, positions, wanted)
            value += found
            if slope is not None:
                to_hidden[positions] = (slope.to(weight.dtype) @ weight).to(rows.dtype)
                to_weight.addmm_(slope.to(exact).T, rows[positions].to(exact))
                to_bias += slope.sum(0)
        if wanted:
            ctx.gradients = to_hidden.view(hidden.shape), to_weight, to_bias
            ctx.dtypes = hidden.dtype, weight.dtype, None if bias is None else bias.dtype
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise UsageError(
                "fused_linear_kd keeps no logits and cannot be differentiated twice; take the loss "
                "of the logits, such as forward_kl"
            )
        gradients = [
            None if dtype is None else (gradient * upstream).to(dtype)
            for gradient, dtype in zip(ctx.gradients, ctx.dtypes, strict=True)
        ]
        return *gradients, None, None


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


def _check(student: Head, teacher: Head | TopK, divergence: str, reduction: str) -> None:
    known = ("forward_kl", *_DIVERGENCES)
    if divergence not in known:
        raise UsageError(f"divergence is {divergence!r}; expected one of {known}")
    if reduction not in ("mean", "sum"):
        raise UsageError(f"reduction is {reduction!r}; expected 'mean' or 'sum'")
    if isinstance(teacher, TopK) and divergence != "forward_kl":
        raise UsageError(
            f"divergence is {divergence!r}; a TopK knows a part of the classes only: pass "
            "'forward_kl', or a Head as teacher"
        )
    if student.shape != teacher.shape:
        raise ShapeError(
            f"the student makes logits {tuple(student.shape)} and the teacher "
            f"{tuple(teacher.shape)}; expected one shape for both. Of a padded vocabulary, pass "
            "the rows of the weight that both know."
        )
