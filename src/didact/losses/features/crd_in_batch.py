"""Tian, Krishnan, Isola 2020: Contrastive representation distillation, within a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from didact._core.errors import RangeError, ShapeError
from didact.losses.kit.checks import check_label_kind
from didact.losses.kit.maps import checked_value, unit
from didact.losses.kit.modules import check_counts, check_units, parameter_dtype, trainable
from didact.losses.kit.precision import full_precision, in_float, savable
from didact.losses.kit.registry import register_loss


@register_loss(
    family="relations",
    purpose="embedding",
    kind="objective",
    formula="-log softmax_j(s_i.t_j / T)_i - log softmax_j(t_i.s_j / T)_i",
    paper="Tian et al. 2020 (CRD), ICLR, arXiv:1910.10699, with van den Oord et al. 2018, "
    "arXiv:1807.03748, eq. 4",
)
@final
class InBatchCRD(nn.Module):
    """:class:`CRD` without a memory: the other images are those of the batch.

    ``-log softmax_j(s_i . t_j / T)_i``, averaged over samples, plus the same with the sides
    exchanged, on linear embeddings of length 1: which of the batch's images is this one? It needs
    no places in a training set, so that any augmentation, sampling or stream of images will do; and
    no memory, which for a million images takes a gigabyte. It has as many contrasts as the batch
    has other images: some hundred are advisable, where the paper draws 16384.

    The two embeddings train, with the student (the teacher's too: its features do not);
    :meth:`trainable_parameters` lists them.

    Called as ``loss(student_features, teacher_features, classes=None)``; the result is a scalar in
    nats. With ``classes``, ``(batch,)`` class numbers, two images of one class are not told apart,
    as in the paper.

    Args:
        student_dim: Units of the student's features, everything after the batch flattened.
        teacher_dim: Units of the teacher's.
        embedding_dim: Units of the embeddings.
        temperature: T, above 0.

    Raises:
        ShapeError: Different batches, a batch of one, other units than those given, or classes that
            do not fit.
        DtypeError: Integer features, or classes that are not int64.
        RangeError: A number out of its range.

    Paper: Tian, Krishnan and Isola 2020, arXiv:1910.10699: embeddings, both directions, T = 0.07.
    The estimate is that of van den Oord, Li, Vinyals 2018, arXiv:1807.03748, eq. 4 (InfoNCE), which
    needs no normaliser.

    Example:
        >>> import torch
        >>> from didact.losses import InBatchCRD
        >>> loss = InBatchCRD(3, 4)
        >>> loss(torch.randn(8, 3), torch.randn(8, 4)).shape
        torch.Size([])
    """

    def __init__(
        self,
        student_dim: int,
        teacher_dim: int,
        *,
        embedding_dim: int = 128,
        temperature: float = 0.07,
    ) -> None:
        super().__init__()
        check_counts(student_dim=student_dim, teacher_dim=teacher_dim, embedding_dim=embedding_dim)
        if not temperature > 0:
            raise RangeError(f"temperature is {temperature}; expected a number above 0")
        self.dims = (student_dim, teacher_dim)
        self.temperature = temperature
        self.student_embedding = nn.Linear(student_dim, embedding_dim)
        self.teacher_embedding = nn.Linear(teacher_dim, embedding_dim)

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """Those of the two embeddings: all there are."""
        return trainable(self.student_embedding, self.teacher_embedding)

    def forward(
        self,
        student_features: Float[Tensor, " batch *student_units"],
        teacher_features: Float[Tensor, " batch *teacher_units"],
        classes: Int64[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, ""]:
        """The loss; no gradient goes to ``teacher_features``."""
        check_units(student_features, teacher_features, dims=self.dims)
        batch = len(student_features)
        if batch < 2:
            raise ShapeError("the batch has one sample; expected two or more, to tell them apart")
        dtype = parameter_dtype(self)
        with full_precision(student_features):
            student = self._embedded(self.student_embedding, student_features.to(dtype))
            teacher = self._embedded(self.teacher_embedding, savable(teacher_features, dtype))
            scores = student @ teacher.T / self.temperature
        if classes is not None:
            check_label_kind(classes, student_features.shape[:1], name="classes")
            alike = classes.unsqueeze(0) == classes.unsqueeze(1)
            scores = scores.masked_fill(alike.fill_diagonal_(False), -torch.inf)
        itself = torch.arange(batch, device=scores.device)
        value = F.cross_entropy(scores, itself) + F.cross_entropy(scores.T, itself)
        return checked_value(value, teacher_features)

    def _embedded(self, embedding: nn.Module, features: Tensor) -> Tensor:
        return unit(in_float(embedding(features.flatten(1))))
