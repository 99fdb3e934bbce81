"""Tian, Krishnan, Isola 2020: Contrastive representation distillation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from didact._core.errors import RangeError, ShapeError
from didact.losses.kit.checks import check_labels
from didact.losses.kit.maps import checked_value, unit
from didact.losses.kit.memory_bank import MemoryBank
from didact.losses.kit.modules import check_counts, check_units, parameter_dtype, trainable
from didact.losses.kit.precision import full_precision, in_float, savable
from didact.losses.kit.ranks import from_all_ranks, mean_of_ranks
from didact.losses.kit.registry import register_loss


@register_loss(
    family="relations",
    purpose="embedding",
    kind="objective",
    formula="-log h(s_i, t_i) - sum_j log(1 - h(s_i, t_j)),  h = e^(s.t/T) / (e^(s.t/T) + Z K/M)",
    paper="Tian et al. 2020, ICLR, arXiv:1910.10699, eq. 18",
)
@final
class CRD(nn.Module):
    """Tell the pair of one image's two features from pairs of different images.

    ``-log h(s_i, t_i) - sum_(j = 1..K) log(1 - h(s_i, t_j))``, averaged over samples, plus the
    same with the sides exchanged; ``h(s, t) = e^(s.t/T) / (e^(s.t/T) + Z K/M)`` on linear
    embeddings of length 1. The other side of a pair comes from a memory of one embedding for each
    of the M training images, which follows training by a moving average. ``Z`` is M times the mean
    of ``e^(s.t/T)`` in the first batch, then constant.

    The two embeddings train, with the student (the teacher's too: its features do not);
    :meth:`trainable_parameters` lists them. Memory and Z are buffers, so a checkpoint has them;
    they change in training mode only, and are alike on all processes of a distributed run. The K
    other images are drawn from torch's global generator, never the sample itself, unless you give
    them: the paper takes them from other classes. ``torch.manual_seed`` before construction and
    training repeats a run.

    Called as ``loss(student_features, teacher_features, indices, negative_indices=None)`` with
    ``indices`` ``(batch,)`` the images' places in the training set, from 0 to M - 1, and
    ``negative_indices`` ``(batch, K)``; the result is a scalar in nats.

    Args:
        student_dim: Units of the student's features, everything after the batch flattened.
        teacher_dim: Units of the teacher's.
        num_samples: M, the size of the training set, at least 2.
        embedding_dim: Units of the embeddings.
        negatives: How many other images, K, each sample is told from.
        temperature: T, above 0.
        momentum: Share of the old memory that an update keeps, from 0 to 1.

    Raises:
        ShapeError: Different batches, other units than those given, or indices that do not fit.
        DtypeError: Integer features, or indices that are not int64.
        RangeError: A number out of its range, or an index not below M.

    Paper: Tian, Krishnan and Isola 2020, arXiv:1910.10699, eq. 18 and 19 (the bound, the
    critic h) and its memory; K = 16384, T = 0.07 and momentum 0.5 are the paper's.

    Example:
        >>> import torch
        >>> from didact.losses import CRD
        >>> loss = CRD(3, 4, num_samples=100, negatives=16)
        >>> loss(torch.randn(2, 3), torch.randn(2, 4), torch.tensor([7, 50])).shape
        torch.Size([])
    """

    log_normalisers: Tensor

    def __init__(
        self,
        student_dim: int,
        teacher_dim: int,
        *,
        num_samples: int,
        embedding_dim: int = 128,
        negatives: int = 16384,
        temperature: float = 0.07,
        momentum: float = 0.5,
    ) -> None:
        super().__init__()
        check_counts(
            student_dim=student_dim,
            teacher_dim=teacher_dim,
            embedding_dim=embedding_dim,
            negatives=negatives,
        )
        if num_samples < 2:
            raise RangeError(f"num_samples is {num_samples}; expected at least 2 to contrast")
        if not temperature > 0:
            raise RangeError(f"temperature is {temperature}; expected a number above 0")
        if not 0 <= momentum <= 1:
            raise RangeError(f"momentum is {momentum}; expected a number from 0 to 1")
        self.dims = (student_dim, teacher_dim)
        self.num_samples, self.negatives = num_samples, negatives
        self.temperature = temperature
        self.student_embedding = nn.Linear(student_dim, embedding_dim)
        self.teacher_embedding = nn.Linear(teacher_dim, embedding_dim)
        self.student_memory = MemoryBank(num_samples, embedding_dim, momentum=momentum)
        self.teacher_memory = MemoryBank(num_samples, embedding_dim, momentum=momentum)
        self.register_buffer("log_normalisers", torch.full((2,), math.nan))

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """Those of the two embeddings: all there are."""
        return trainable(self.student_embedding, self.teacher_embedding)

    def draw_negatives(self, indices: Int64[Tensor, " batch"]) -> Int64[Tensor, "batch negatives"]:
        """What a call without ``negative_indices`` draws: any image but the sample itself."""
        shape = (len(indices), self.negatives)
        drawn = torch.randint(self.num_samples - 1, shape, device=indices.device)
        return drawn + (drawn >= indices.unsqueeze(1))

    def forward(
        self,
        student_features: Float[Tensor, " batch *student_units"],
        teacher_features: Float[Tensor, " batch *teacher_units"],
        indices: Int64[Tensor, " batch"],
        negative_indices: Int64[Tensor, "batch negatives"] | None = None,
    ) -> Float[Tensor, ""]:
        """The loss; no gradient goes to ``teacher_features``. In training, updates the memory."""
        self._check(student_features, teacher_features, indices)
        if negative_indices is None:
            negative_indices = self.draw_negatives(indices)
        self._check_negatives(negative_indices, len(indices))
        rows = torch.cat([indices.unsqueeze(1), negative_indices], dim=1)
        dtype = parameter_dtype(self)
        with full_precision(student_features):
            student = self._embedded(self.student_embedding, student_features.to(dtype))
            teacher = self._embedded(self.teacher_embedding, savable(teacher_features, dtype))
            scores = torch.stack(
                [
                    self.teacher_memory.scores(student, rows),
                    self.student_memory.scores(teacher, rows),
                ]
            )
        value = self._contrast(scores / self.temperature)
        if self.training:
            everyone = from_all_ranks(indices)
            self.student_memory.update(from_all_ranks(student.detach()), everyone)
            self.teacher_memory.update(from_all_ranks(teacher.detach()), everyone)
        return checked_value(value, teacher_features)

    def _embedded(self, embedding: nn.Module, features: Tensor) -> Tensor:
        return unit(in_float(embedding(features.flatten(1))))

    def _contrast(self, scores: Tensor) -> Tensor:
        """From ``(2, batch, 1 + K)`` of scores, the pair's first, to the loss of both sides."""
        log_z = self._normalisers(scores.detach()).reshape(2, 1, 1)
        log_noise = math.log((scores.shape[2] - 1) / self.num_samples)
        log_odds = scores - log_z - log_noise  # log h = -softplus(-log_odds)
        pair = F.softplus(-log_odds[..., 0])
        others = F.softplus(log_odds[..., 1:]).sum(2)
        return (pair + others).sum(0).mean()

    def _normalisers(self, scores: Tensor) -> Tensor:
        """``log Z`` of both sides; the first batch sets them."""
        count = scores[0].numel()
        first = scores.flatten(1).logsumexp(1) - math.log(count) + math.log(self.num_samples)
        unset = self.log_normalisers.isnan()
        chosen = torch.where(unset, mean_of_ranks(first), self.log_normalisers)
        if self.training:
            self.log_normalisers.copy_(chosen)
        return chosen

    def _check(self, student: Tensor, teacher: Tensor, indices: Tensor) -> None:
        check_units(student, teacher, dims=self.dims)
        self._check_indices(indices, student.shape[:1], name="indices")

    def _check_negatives(self, indices: Tensor, batch: int) -> None:
        if indices.dim() != 2 or indices.numel() == 0:
            raise ShapeError(
                f"negative_indices is {tuple(indices.shape)}; expected ({batch}, negatives)"
            )
        shape = torch.Size((batch, indices.shape[1]))
        self._check_indices(indices, shape, name="negative_indices")

    def _check_indices(self, indices: Tensor, shape: torch.Size, *, name: str) -> None:
        check_labels(indices, shape, classes=self.num_samples, name=name, of="image")
