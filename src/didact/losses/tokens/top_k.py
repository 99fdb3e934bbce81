"""A teacher's k likeliest classes and one cell for all others, and divergences from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from didact._core.errors import RangeError, ShapeError, UsageError
from didact.losses.fast.kl_rows import rows_at_once
from didact.losses.fast.memory import new_like
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
from didact.losses.tokens.cells import (
    Cells,
    Divergence,
    Judge,
    divergence_of_cells,
    judge,
    value_and_gradient,
)
from didact.losses.tokens.head import places


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
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise RangeError(f"k is {k}; expected a whole number, 1 or more")
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
        least = max(torch.finfo(dtype).eps, torch.finfo(self.log_z.dtype).eps)
        has_rest = self.ids.shape[-1] < self.classes
        return Cells.of(self.ids, log_probs, rest=has_rest, least=least)

    def residual(self, temperature: float = 1.0) -> Float[Tensor, "*batch"]:
        """The mass of the classes that are not kept, ``(...)``.

        Raises:
            UsageError: Its ``log_z`` is not known.
        """
        cells = self.cells(temperature, like=self.log_z)
        return cells.probs[..., -1] if cells.rest else torch.zeros_like(self.log_z[..., 0])

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
    divergence: Divergence = "forward_kl",
    beta: float = 0.5,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
    inplace: bool = False,
) -> Float[Tensor, ...]:
    """A divergence between k + 1 cells: the teacher's k likeliest classes, and one for all others.

    ``T^2 * KL(p || q)`` by default, over ``p_1 ... p_k, P`` and ``q_1 ... q_k, Q`` with P and Q the
    mass of the rest on either side. Merging classes can only lower a divergence (data processing
    inequality), so this is a lower bound of that over all classes. It lacks ``P * KL(p_rest / P ||
    q_rest / Q)``: how the student spreads the little that the teacher leaves. The bound rises with
    k and is reached at ``k = classes - 1``. Unlike a renormalised top-k loss it is 0 where the
    cells agree only, and the student gains nothing by moving mass to the rest.

    ``"reverse_kl"`` is ``KL(q || p)`` of the cells, which lacks ``Q * KL(q_rest / Q || p_rest /
    P)``; its ``Q log(Q / P)`` takes a P below ``2^-23`` for that (``2^-52`` of logits in float64),
    since a normaliser in this precision cannot tell it from nothing. ``"jsd"`` is ``b KL(p || m) +
    (1 - b) KL(q || m)`` of the cells, ``m = b p + (1 - b) q``, as :func:`generalised_jsd` with
    ``normalise=False``.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape, or a :class:`TopK` of the same positions, which gives the same
            value to the bit; no gradient goes to it.
        k: Of dense logits: cells of their own, 1 or more. At ``classes - 1`` or above it is the
            full KL.
        temperature: T > 0, dividing both sides.
        divergence: ``"forward_kl"``, ``"reverse_kl"`` or ``"jsd"``.
        beta: The teacher's share b in the mixture of ``"jsd"``, above 0 and below 1.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.
        inplace: Let the gradient overwrite ``student_logits``; see :func:`kd` for when this is
            legal.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``k`` is below 1, ``temperature`` not above 0, or ``beta`` out of its range.
        UsageError: ``inplace`` where it is not legal, or an unknown divergence.
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
    judged = judge(divergence, beta)
    cells = teacher.cells(temperature, like=student_logits)

    def plain(student: Tensor) -> Tensor:
        scaled = in_float(blank_masked(student, mask)) / temperature
        return reduce(divergence_of_cells(cells, scaled, judged) * temperature**2, reduction, mask)

    if can_serve(student_logits, teacher.logits):
        make = partial(_in_rows, cells.flat(), judged, temperature, reduction, mask, inplace)
        value = with_gradient(student_logits, make, plain, inplace=inplace)
    else:
        value = plain(student_logits)
    if isinstance(teacher_logits, TopK):
        raise_if_teacher_not_finite(value, teacher.logits, name="the teacher's TopK")
    else:
        raise_if_teacher_not_finite(value, teacher_logits)
    return value


SEVERAL = 4
"""Times as many rows as for a loss with five blocks of scratch: here is one."""


def _in_rows(
    cells: Cells,
    judged: Judge,
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
    dtype, step = working_dtype(logits), SEVERAL * rows_at_once(logits)
    gradient = (logits if inplace else new_like(logits)) if wanted else None
    values = logits.new_empty(len(logits), 1, dtype=dtype)
    scratch = logits.new_empty(min(step, len(logits)), logits.shape[-1], dtype=dtype)
    for first in range(0, len(logits), step):
        rows = slice(first, first + step)
        values[rows] = value_and_gradient(
            cells[rows],
            logits[rows],
            judged,
            temperature=temperature,
            factor=share * temperature,
            scratch=scratch[: len(logits[rows])],
            gradient=None if gradient is None else gradient[rows],
        )
        if keep is not None:
            values[rows] = values[rows].masked_fill(~keep[rows], 0.0)
            if gradient is not None:
                gradient[rows].masked_fill_(~keep[rows], 0.0)
    values = values.squeeze(1).mul_(share * temperature**2)
    value = values.view(student.shape[:-1]) if reduction == "none" else values.sum()
    return value, None if gradient is None else gradient.view(student.shape), 1.0
