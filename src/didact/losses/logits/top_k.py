"""Forward KL on the teacher's k likeliest classes and one bucket for all others."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses.fast.closed_form import Side, ValueAndGradient, closed_form, softmax_rows
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss


@register_loss(
    family="logits",
    kind="divergence",
    formula="T^2 * KL over k+1 cells: the k likeliest classes of p, and the sum of the rest",
    paper="Cover and Thomas 2006, Elements of information theory, log sum inequality",
)
def top_k_kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
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
        teacher_logits: Same shape; no gradient goes to it.
        k: Cells of their own, 1 or more. At ``classes - 1`` or above it is the full KL.
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
    if k < 1:
        raise RangeError(f"k is {k}; expected 1 or more")
    return closed_form(
        student_logits,
        teacher_logits,
        softmax_rows(partial(_cells, k)),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


def _cells(k: int, student: Side, teacher: Side) -> ValueAndGradient:
    student_log_probs, (teacher_log_probs, whole) = student[0], teacher
    if k >= student_log_probs.shape[-1] - 1:
        divergence = whole * (teacher_log_probs - student_log_probs)
        return divergence.sum(-1), lambda: -whole
    cells = teacher_log_probs.topk(k, -1, sorted=False).indices
    student_cells = _merge(student_log_probs, cells)
    teacher_cells = _merge(teacher_log_probs, cells)
    masses = teacher_cells.exp()
    divergence = masses * (teacher_cells - student_cells)

    def slope() -> Tensor:
        """The mass of each cell; that of the rest is spread as the student spreads it."""
        spread = (student_log_probs - student_cells[..., -1:]).exp().mul_(masses[..., -1:])
        return spread.scatter_(-1, cells, masses[..., :-1]).neg_()

    return divergence.sum(-1), slope


def _merge(log_probs: Tensor, cells: Tensor) -> Tensor:
    """Log-probabilities of the cells, and last that of all others."""
    rest = log_probs.scatter(-1, cells, -torch.inf).logsumexp(-1, keepdim=True)
    return torch.cat((log_probs.gather(-1, cells), rest), -1)
