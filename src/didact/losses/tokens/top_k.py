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
from didact.losses.fast.closed_form import ValueAndGradient, of_student
from didact.losses.fast.node import can_serve
from didact.losses.kit.checks import check_labels, check_mask, check_temperature, check_tensor
from didact.losses.kit.pair import check_inputs
from didact.losses.kit.precision import in_float, working_dtype
from didact.losses.kit.reduce import Reduction, check_reduction, raise_if_teacher_not_finite
from didact.losses.kit.registry import register_loss
from didact.losses.kit.softmax import log_softmax_and_softmax


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
        places = positions if isinstance(positions, tuple) else (positions,)
        if len(places) >= self.ids.dim() or any(place is Ellipsis for place in places):
            raise UsageError(f"{positions} takes more than the positions of a TopK")
        ids, logits, log_z = (each[places] for each in (self.ids, self.logits, self.log_z))
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

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``k`` is below 1 or ``temperature`` is not above 0.
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
    value = of_student(
        student_logits,
        partial(divergence_of_cells, cells),
        serves=can_serve(student_logits, teacher.logits),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )
    raise_if_teacher_not_finite(value, teacher.logits)
    return value


def divergence_of_cells(cells: Cells, student: Tensor) -> ValueAndGradient:
    """``sum p log(p / q)`` over the cells, and its slope in the student's scaled logits."""
    student_log_probs, student_probs = log_softmax_and_softmax(student)
    found = student_log_probs.gather(-1, cells.ids)
    value = (cells.probs * (cells.log_probs - found)).sum(-1)
    if cells.rest is None:
        return value, lambda: student_probs.scatter_add_(-1, cells.ids, -cells.probs)
    mass = cells.rest
    others = student_log_probs.scatter(-1, cells.ids, -torch.inf).logsumexp(-1, keepdim=True)
    rest = torch.xlogy(mass, mass) - mass * others

    def gradient() -> Tensor:
        # The teacher's rest is spread over the other classes as the student spreads its own.
        spread = (student_log_probs - others).exp().mul_(mass)
        return student_probs.sub_(spread.scatter_(-1, cells.ids, cells.probs))

    return value + rest.squeeze(-1), gradient
