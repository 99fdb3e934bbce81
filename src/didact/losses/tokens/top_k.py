"""Forward KL on the teacher's k likeliest classes and one bucket for all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from didact._core.errors import RangeError, ShapeError, UsageError
from didact.losses.fast.kl_rows import LN_2, LOG2_E, rows_at_once
from didact.losses.fast.node import can_serve, with_gradient
from didact.losses.kit.checks import check_labels, check_mask, check_temperature, check_tensor
from didact.losses.kit.pair import blank_masked, check_inputs
from didact.losses.kit.precision import in_float, working_dtype
from didact.losses.kit.reduce import (
    Reduction,
    check_reduction,
    raise_if_teacher_not_finite,
    reduce,
)
from didact.losses.kit.registry import register_loss
from didact.losses.tokens.head import places


@dataclass(frozen=True, slots=True)
class Cells:
    """The teacher's distribution at one temperature.

    Attributes:
        ids: ``(..., k)``.
        log_probs: ``(..., k)``.
        probs: ``(..., k)``.
        rest: ``(..., 1)``, the mass of all other classes; None if there are none.
    """

    ids: Tensor
    log_probs: Tensor
    probs: Tensor
    rest: Tensor | None

    def __getitem__(self, rows: slice) -> Cells:
        """Those of some rows."""
        rest = None if self.rest is None else self.rest[rows]
        return Cells(self.ids[rows], self.log_probs[rows], self.probs[rows], rest)

    def flat(self) -> Cells:
        """The same with one leading dimension."""
        rest = None if self.rest is None else self.rest.flatten(0, -2)
        ids, log_probs, probs = (x.flatten(0, -2) for x in (self.ids, self.log_probs, self.probs))
        return Cells(ids, log_probs, probs, rest)


@dataclass(frozen=True, slots=True)
class TopK:
    """What a teacher says of its likeliest classes: some hundred bytes a token, to be kept.

    The logits are kept as they are, with ``log_z = log sum_c exp(t_c / T)`` over all classes for
    each temperature: probabilities at these temperatures are exact, and the mass of the other
    classes is what is left of 1. At another temperature it would be a guess, and is refused.

    Args:
        ids: ``(..., k)``, class numbers, each at most once for a position.
        logits: ``(..., k)``.
        log_z: ``(..., temperatures)``.
        temperatures: Those of ``log_z``.
        classes: How many classes the teacher knows.

    Raises:
        ShapeError: Ids, logits and ``log_z`` do not fit together.
        DtypeError: Integer logits, or ids that are not int64.
        RangeError: An id that is no class (looked for on a CPU only).

    Example:
        >>> import torch
        >>> from didact.losses import TopK, top_k_kd
        >>> student, teacher = torch.randn(2, 3, 1000)
        >>> kept = TopK.of(teacher, 8)
        >>> torch.equal(top_k_kd(student, kept), top_k_kd(student, teacher, k=8))
        True
    """

    ids: Int64[Tensor, "*batch k"]
    logits: Float[Tensor, "*batch k"]
    log_z: Float[Tensor, "*batch temperatures"]
    temperatures: tuple[float, ...]
    classes: int

    def __post_init__(self) -> None:
        check_tensor(self.logits, name="logits")
        check_labels(self.ids, self.logits.shape, classes=self.classes, name="ids")
        wanted = (*self.ids.shape[:-1], len(self.temperatures))
        if self.log_z.shape != wanted:
            raise ShapeError(f"log_z is {tuple(self.log_z.shape)}; expected {wanted}")

    @classmethod
    def of(
        cls,
        logits: Float[Tensor, "*batch classes"],
        k: int,
        *,
        temperatures: Sequence[float] = (1.0,),
    ) -> TopK:
        """The k largest of dense logits; all of them where only one class would be left.

        Raises:
            RangeError: ``k`` is below 1, or a temperature not above 0.
            ShapeError: Fewer than two dimensions, or no sample.
            DtypeError: Integer logits.
        """
        check_tensor(logits, name="logits")
        if k < 1:
            raise RangeError(f"k is {k}; expected 1 or more")
        for temperature in temperatures:
            check_temperature(temperature)
        logits, classes = logits.detach(), logits.shape[-1]
        size = classes if k >= classes - 1 else k
        largest, ids = logits.topk(size, -1, sorted=False)
        dense = in_float(logits)
        log_z = [torch.logsumexp(dense / temperature, -1) for temperature in temperatures]
        return cls(ids, largest, torch.stack(log_z, -1), tuple(temperatures), classes)

    def __getitem__(self, positions: Any) -> TopK:
        """Some of the positions: ``kept[:, :-1]`` of ``(batch, tokens)``."""
        taken = places(positions, self.ids.dim(), "TopK")
        ids, logits, log_z = (each[taken] for each in (self.ids, self.logits, self.log_z))
        return TopK(ids, logits, log_z, self.temperatures, self.classes)

    def flat(self) -> TopK:
        """The same with one leading dimension."""
        ids, logits, log_z = (each.flatten(0, -2) for each in (self.ids, self.logits, self.log_z))
        return TopK(ids, logits, log_z, self.temperatures, self.classes)

    @property
    def shape(self) -> torch.Size:
        """That of the dense logits, ``(..., classes)``."""
        return torch.Size((*self.ids.shape[:-1], self.classes))

    def cells(self, temperature: float, *, like: Tensor) -> Cells:
        """The distribution at a temperature, in the precision in which ``like`` is computed.

        Raises:
            UsageError: Its ``log_z`` is not known.
        """
        if temperature not in self.temperatures:
            known = ", ".join(map(str, self.temperatures))
            raise UsageError(
                f"temperature is {temperature}; this TopK knows its normaliser at {known} only. "
                "Take one of these, or make it anew from dense logits"
            )
        dtype = working_dtype(like)
        log_z = self.log_z[..., self.temperatures.index(temperature), None].to(dtype)
        log_probs = self.logits.to(dtype) / temperature - log_z
        probs = log_probs.exp()
        rest = None
        if self.ids.shape[-1] < self.classes:
            rest = (1 - probs.sum(-1, keepdim=True)).clamp_min(0.0)
        return Cells(self.ids, log_probs, probs, rest)

    def residual(self, temperature: float = 1.0) -> Float[Tensor, "*batch"]:
        """The mass of the classes that are not kept, ``(...)``.

        Raises:
            UsageError: Its ``log_z`` is not known.
        """
        rest = self.cells(temperature, like=self.log_z).rest
        return torch.zeros_like(self.log_z[..., 0]) if rest is None else rest.squeeze(-1)

    def check_fits(self, student_logits: Tensor) -> None:
        """It is of the student's positions and classes.

        Raises:
            ShapeError: It is not.
        """
        if self.shape != student_logits.shape:
            raise ShapeError(
                f"student_logits is {tuple(student_logits.shape)} and the TopK is of logits "
                f"{tuple(self.shape)}; expected one shape for both. Nothing is broadcast."
            )


@register_loss(
    family="logits",
    purpose="language",
    kind="divergence",
    formula="T^2 * KL over k+1 cells: the k likeliest classes of p, and the sum of the rest",
    paper="Cover and Thomas 2006, Elements of information theory, log sum inequality",
)
def top_k_kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"] | TopK,
    *,
    k: int = 50,
    temperature: float = 1.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
    inplace: bool = False,
) -> Float[Tensor, ...]:
    """Forward KL between k + 1 cells: the teacher's k likeliest classes, and one for all others.

    Merging classes can only lower a divergence (data processing inequality), so this is a lower
    bound of ``T^2 * KL(p || q)``. It lacks ``P * KL(p_rest / P || q_rest / Q)``, with P and Q the
    mass of the rest on either side: how the student spreads the little that the teacher leaves.
    The bound rises with k and is reached at ``k = classes - 1``. Unlike a renormalised top-k loss
    it is 0 at student = teacher only, and the student gains nothing by moving mass to the rest.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape, or a :class:`TopK` of the same positions, which gives the same
            value to the bit; no gradient goes to it.
        k: Of dense logits: cells of their own, 1 or more. At ``classes - 1`` or above it is the
            full KL.
        temperature: T > 0, dividing both sides.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.
        inplace: Let the gradient overwrite ``student_logits``; see :func:`kd` for when this is
            legal.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``k`` is below 1 or ``temperature`` is not above 0.
        UsageError: ``inplace`` where it is not legal.
        NonFiniteError: The teacher's logits hold NaN or +infinity (looked for on a CPU only); -inf,
            a class that is ruled out, is a probability of 0.

    Paper: Cover, Thomas 2006, Elements of information theory, the log sum inequality.

    Example:
        >>> import torch
        >>> from didact.losses import forward_kl, top_k_kd
        >>> student, teacher = torch.zeros(1, 4), torch.tensor([[3.0, 2.0, 0.5, 0.0]])
        >>> bool(top_k_kd(student, teacher, k=2) < forward_kl(student, teacher))
        True
        >>> torch.allclose(top_k_kd(student, teacher, k=3), forward_kl(student, teacher))
        True
    """
    if isinstance(teacher_logits, TopK):
        teacher = teacher_logits
        check_tensor(student_logits, name="student_logits")
        check_temperature(temperature)
        check_mask(mask, student_logits.shape[:-1])
        teacher.check_fits(student_logits)
    else:
        check_inputs(student_logits, teacher_logits, temperature=temperature, mask=mask)
        teacher = TopK.of(teacher_logits, k, temperatures=(temperature,))
    check_reduction(reduction)
    cells = teacher.cells(temperature, like=student_logits)

    def plain(student: Tensor) -> Tensor:
        scaled = in_float(blank_masked(student, mask)) / temperature
        return reduce(divergence_of_cells(cells, scaled) * temperature**2, reduction, mask)

    if can_serve(student_logits, teacher.logits):
        make = partial(_in_rows, cells.flat(), temperature, reduction, mask, inplace)
        value = with_gradient(student_logits, make, plain, inplace=inplace)
    else:
        value = plain(student_logits)
    raise_if_teacher_not_finite(value, teacher.logits)
    return value


def divergence_of_cells(cells: Cells, student: Tensor) -> Tensor:
    """``sum p log(p / q)`` over the cells of scaled logits, by differentiable operations."""
    log_probs = torch.log_softmax(student, -1)
    value = (cells.probs * (cells.log_probs - log_probs.gather(-1, cells.ids))).sum(-1)
    if cells.rest is None:
        return value
    others = log_probs.scatter(-1, cells.ids, -torch.inf).logsumexp(-1, keepdim=True)
    return value + (torch.xlogy(cells.rest, cells.rest) - cells.rest * others).squeeze(-1)


def overwrite_with_gradient(cells: Cells, scaled: Tensor, factor: float) -> Tensor:
    """The same of logits times ``log2(e) / T``, which become ``factor`` times the gradient.

    One power of two for each class, which takes a third of an exponential's time: the normaliser of
    the student is that of the classes that are not kept, joined with the few that are.

    Args:
        cells: Of ``(rows, classes)``.
        scaled: The student's, ``(rows, classes)``.
        factor: In front of the gradient of ``logits / T``.

    Returns:
        ``(rows, 1)``.
    """
    kept = scaled.gather(-1, cells.ids).mul_(LN_2)
    if cells.rest is None:  # every class is kept
        log_probs = kept - kept.logsumexp(-1, True)
        scaled.scatter_(-1, cells.ids, log_probs.exp().sub_(cells.probs).mul_(factor))
        return (cells.probs * (cells.log_probs - log_probs)).sum(-1, True)
    limits = torch.finfo(scaled.dtype)
    top = scaled.scatter_(-1, cells.ids, -torch.inf).amax(-1, True).clamp_min_(limits.min)
    total = scaled.sub_(top).exp2_().sum(-1, True)
    log_rest = total.log().add_(top.mul_(LN_2))
    log_z = torch.logaddexp(log_rest, kept.logsumexp(-1, True))
    log_probs, mass = kept.sub_(log_z), cells.rest
    value = (cells.probs * (cells.log_probs - log_probs)).sum(-1, True)
    value += torch.xlogy(mass, mass) - mass * (log_rest - log_z)
    # The teacher's rest is spread over the other classes as the student spreads its own.
    scaled.mul_(((top - log_z).exp() - mass / total.clamp_min_(limits.tiny)).mul_(factor))
    scaled.scatter_(-1, cells.ids, log_probs.exp_().sub_(cells.probs).mul_(factor))
    return value


def _in_rows(
    cells: Cells,
    temperature: float,
    reduction: Reduction,
    mask: Tensor | None,
    inplace: bool,
    student: Tensor,
    wanted: bool,
) -> tuple[Tensor, Tensor | None, float]:
    """Value and gradient, as many rows at a time as stay in the cache."""
    logits = student.detach().reshape(-1, student.shape[-1])
    keep = None if mask is None else mask.reshape(-1, 1)
    count = logits.shape[0] if keep is None else int(keep.sum())
    share = 1 / max(1, count) if reduction == "mean" else 1.0
    dtype, step = working_dtype(logits), rows_at_once(logits)
    gradient = (logits if inplace else torch.empty_like(logits)) if wanted else None
    values = logits.new_empty(len(logits), 1, dtype=dtype)
    scratch = logits.new_empty(step, logits.shape[-1], dtype=dtype)
    for first in range(0, len(logits), step):
        rows = slice(first, first + step)
        block = scratch[: len(logits[rows])]
        if gradient is not None and gradient.dtype == dtype:
            block = gradient[rows]
        if block.data_ptr() != logits[rows].data_ptr():
            block.copy_(logits[rows])
        block.mul_(LOG2_E / temperature)
        values[rows] = overwrite_with_gradient(cells[rows], block, share * temperature)
        if keep is not None:
            values[rows] = values[rows].masked_fill(~keep[rows], 0.0)
            block.masked_fill_(~keep[rows], 0.0)
        if gradient is not None and gradient.dtype != dtype:
            gradient[rows] = block
    values = values.squeeze(1).mul_(share * temperature**2)
    value = values.view(student.shape[:-1]) if reduction == "none" else values.sum()
    return value, None if gradient is None else gradient.view(student.shape), 1.0
