"""A loss for the trainer of sentence-transformers: embeddings as a teacher has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import UsageError
from didact._core.optional import require
from didact.lm import pair_vocabularies
from didact.losses import rkd

require("sentence_transformers", extra="sentence-transformers")


class EmbeddingDistillation(nn.Module):
    """``1 - cos(student, teacher)``, and the distances and angles between sentences (RKD).

    The teacher's embeddings are the labels of a batch, made beforehand with ``teacher.encode``, or
    come from a live teacher, which reads the ids of the student's tokenizer: another vocabulary is
    refused. All text columns of a batch are taken together.

    Args:
        model: The student.
        teacher: A live one of the same tokenizer; None for embeddings as labels.
        relations: Weight of RKD; 0 to leave it out.
        teacher_units: Units of the teacher's embeddings, where the student has others: a linear
            layer, which is trained and not part of the model, brings the student's to them.

    Raises:
        UsageError: The tokenizers differ.

    Example:
        >>> from sentence_transformers import SentenceTransformerTrainer
        >>> SentenceTransformerTrainer(  # doctest: +SKIP
        ...     student, train_dataset=sentences, loss=EmbeddingDistillation(student, teacher))
    """

    def __init__(
        self,
        model: Any,
        teacher: Any = None,
        *,
        relations: float = 1.0,
        teacher_units: int | None = None,
    ) -> None:
        super().__init__()
        self.model, self.relations, self._teacher = model, relations, [teacher]  # no submodule
        if teacher is not None:
            pair_vocabularies(model.tokenizer, teacher.tokenizer)
            teacher_units = teacher.get_embedding_dimension()
        own = model.get_embedding_dimension()
        same = teacher_units in (None, own)
        self.project = nn.Identity() if same else nn.Linear(own, teacher_units or 0, bias=False)

    def forward(
        self, sentence_features: Iterable[Mapping[str, Any]], labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Each part by its name; the trainer adds them up."""
        columns = [dict(features) for features in sentence_features]  # a model writes into its own
        target = self._taught(columns, labels)
        student = torch.cat([self.model(dict(one))["sentence_embedding"] for one in columns])
        cosine = 1 - F.cosine_similarity(self.project(student), target.to(student.dtype), dim=-1)
        parts = {"cosine": cosine.mean()}
        return parts | ({"rkd": self.relations * rkd(student, target)} if self.relations else {})

    @torch.no_grad()
    def _taught(self, columns: list[dict[str, Any]], labels: Tensor | None) -> Tensor:
        if (teacher := self._teacher[0]) is None:
            if labels is None or labels.dim() not in (2, 3):
                raise UsageError("no teacher speaks; pass one, or its embeddings as labels")
            every = labels.unsqueeze(1) if labels.dim() == 2 else labels
            return torch.cat(list(every.expand(-1, len(columns), -1).unbind(1)))
        device = next(value.device for value in columns[0].values() if isinstance(value, Tensor))
        teacher.to(device).eval()
        return torch.cat([teacher(dict(one))["sentence_embedding"] for one in columns])
