"""Causal language models: which logits speak of which token, and which tokens count."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from didact._core.errors import ShapeError
from didact.losses.kit.checks import check_label_kind, check_pair, check_tensor
from didact.losses.tokens.head import Head
from didact.losses.tokens.top_k import TopK


class NextTokens(NamedTuple):
    """Logits beside the token that they predict.

    Attributes:
        student_logits: ``(batch, tokens - 1, classes)``, or the :class:`Head` of these positions.
        teacher_logits: The same, or a :class:`TopK` of these positions.
        labels: ``(batch, tokens - 1)``, the next token of each position.
        mask: ``(batch, tokens - 1)``, True where it counts: for the labels and for the teacher.
    """

    student_logits: Any
    teacher_logits: Any
    labels: Int64[Tensor, "batch positions"]
    mask: Bool[Tensor, "batch positions"]


def next_tokens(
    student_logits: Float[Tensor, "batch tokens classes"] | Head,
    teacher_logits: Float[Tensor, "batch tokens classes"] | Head | TopK,
    labels: Int64[Tensor, "batch tokens"],
    *,
    ignore_index: int = -100,
) -> NextTokens:
    """The shift of a causal language model, done once for student, teacher and labels.

    The logits at a token speak of the next one: those of the last token are dropped, and the
    first label. One rule for ``-100``: what the labels ignore, padding and prompt, the teacher's
    part ignores too, by the mask. A mean is over the tokens that count; under gradient
    accumulation take ``reduction="sum"`` and divide by their number in all micro-batches.

    Args:
        student_logits: ``(batch, tokens, classes)``, as the network gives them, or its
            :class:`Head`.
        teacher_logits: Same shape, or the teacher's head, or a :class:`TopK` of these positions.
        labels: ``(batch, tokens)``: the tokens themselves, not shifted, as for a model of
            transformers; ``ignore_index`` where one does not count.
        ignore_index: The label of a token that does not count.

    Returns:
        Views, and the mask.

    Raises:
        ShapeError: Shapes that do not fit together, or fewer than two tokens.
        DtypeError: Integer logits, or labels that are not int64.

    Example:
        >>> import torch
        >>> from didact.losses import cross_entropy_and_kd, next_tokens
        >>> student, teacher = torch.randn(2, 1, 5, 11)
        >>> tokens = next_tokens(student, teacher, torch.tensor([[-100, -100, 7, 3, -100]]))
        >>> int(tokens.mask.sum())  # two tokens count, for both parts
        2
        >>> cross_entropy_and_kd(*tokens[:3], mask=tokens.mask, temperature=1.0).shape
        torch.Size([])
    """
    if isinstance(student_logits, Tensor) and isinstance(teacher_logits, Tensor):
        check_pair(student_logits, teacher_logits)
    else:
        _check_shapes(student_logits, teacher_logits)
    if len(student_logits.shape) != 3 or student_logits.shape[1] < 2:
        raise ShapeError(
            f"student_logits is {tuple(student_logits.shape)}; expected (batch, tokens, classes) "
            "with two tokens or more"
        )
    check_label_kind(labels, torch.Size(student_logits.shape[:2]))
    following = labels[:, 1:]
    return NextTokens(
        student_logits[:, :-1], teacher_logits[:, :-1], following, following != ignore_index
    )


def _check_shapes(student: Tensor | Head, teacher: Tensor | Head | TopK) -> None:
    for side, name in ((student, "student_logits"), (teacher, "teacher_logits")):
        if not isinstance(side, Head | TopK):
            check_tensor(side, name=name)
    if student.shape != teacher.shape:
        raise ShapeError(
            f"student_logits is {tuple(student.shape)} and the teacher's {type(teacher).__name__} "
            f"is of logits {tuple(teacher.shape)}; expected one shape for both"
        )
