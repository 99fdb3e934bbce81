"""What a model on sentences is trained for: labels, a teacher's vectors, or its own two views."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import UsageError
from didact.data import Batch
from didact.losses import hint
from didact.train.distilling.losses import LossChoice, choose_losses
from didact.train.distilling.objective import StepOutputs
from didact.train.encoders.data import SentenceData
from didact.train.encoders.models import SentenceClassifier, trimmed
from didact.train.encoders.settings import COSINE, EncoderSettings
from didact.train.loop.fit import Terms
from didact.train.texts.data import Windows

VECTORS = "vectors"
OF_VECTORS = frozenset({"student_features", "teacher_features"})
OF_LOGITS = frozenset({"student_logits", "teacher_logits", "temperature", "labels"})
DROPPED = 0.2
"""Share of the tokens that a view of a sentence goes without."""
SHARPNESS = 0.07
"""Temperature of the contrast between sentences."""


def cosine(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """One minus the cosine: ``hint`` on vectors of length 1, times half their dimension."""
    return hint(student_features, teacher_features) * student_features.shape[1] / 2


def chosen_losses(settings: EncoderSettings, *, has_classes: bool) -> list[LossChoice]:
    """The losses that the settings name; those on logits only where there are labels.

    Raises:
        UsageError: One needs what sentences do not have.
    """
    wanted: list[Any] = []
    for name in settings.loss:
        bare, equals, weight = name.rpartition("=")
        is_cosine = (bare if equals else name) == COSINE
        wanted.append((cosine, _weight(name, weight) if equals else 1.0) if is_cosine else name)
    found = []
    for choice in choose_losses(wanted, settings.loss_options):
        asked = set(choice.inputs)
        if inspect.isclass(choice.target) or isinstance(choice.target, nn.Module):
            raise UsageError(f"{choice.name} has weights of its own; expected a loss that has none")
        if not asked <= OF_VECTORS | OF_LOGITS:
            other = sorted(asked - OF_VECTORS - OF_LOGITS)
            raise UsageError(f"{choice.name} asks for {other[0]}, which sentences do not have")
        if has_classes or not asked & OF_LOGITS:
            found.append(choice)
    if not found:
        raise UsageError(
            f"none of {', '.join(settings.loss)} can be computed without labels; add {COSINE}"
        )
    return found


def _weight(name: str, said: str) -> float:
    try:
        return float(said)
    except ValueError:
        raise UsageError(f"the loss {name!r} has no number behind =; expected {COSINE}=2") from None


class Distillation:
    """The student on a batch of sentences beside the teacher's vectors and logits.

    Args:
        losses: Which, from :func:`chosen_losses`.
        settings: Their temperature.
    """

    def __init__(self, losses: Sequence[LossChoice], settings: EncoderSettings) -> None:
        self.losses, self.temperature = losses, settings.temperature

    def __call__(self, outputs: StepOutputs, fraction: float) -> Terms:
        """A named term for each loss."""
        del fraction  # always the same
        student, teacher = outputs.features[VECTORS]
        there = {
            "student_features": student,
            "teacher_features": teacher,
            "student_logits": outputs.student_logits,
            "teacher_logits": outputs.teachers_logits[0] if outputs.teachers_logits else None,
            "labels": outputs.labels,
            "temperature": self.temperature,
        }
        return {
            choice.name: choice.weight
            * choice.target(
                **{name: there[key] for key, name in choice.inputs.items()}, **choice.options
            )
            for choice in self.losses
        }


def try_losses(
    losses: Sequence[LossChoice], settings: EncoderSettings, dimension: int, classes: int
) -> None:
    """Compute them once, so that a loss that cannot be is said before a run begins.

    Raises:
        DidactError: A loss refuses vectors, or an option.
    """
    draw = torch.Generator().manual_seed(0)
    one, two = (F.normalize(torch.randn(4, dimension, generator=draw), dim=-1) for _ in range(2))
    said, taught = (torch.randn(4, classes, generator=draw) for _ in range(2))
    labels = torch.arange(4) % max(classes, 1)
    outputs = StepOutputs(said, (taught,), labels, None, {VECTORS: (one, two)})
    Distillation(losses, settings)(outputs, 0.0)


def look_with_teacher(
    vectors: Tensor, logits: Tensor | None, labels: Tensor
) -> Callable[[SentenceClassifier, Batch], StepOutputs]:
    """The student on a batch and what the teacher says of the same places."""

    def look(model: SentenceClassifier, batch: Batch) -> StepOutputs:
        student, said = model(trimmed(batch.images))
        places = batch.indices
        taught = () if logits is None else (logits[places].to(said.device),)
        pair = (student, vectors[places].to(student.device))
        return StepOutputs(said, taught, labels[places], places, {VECTORS: pair})

    return look


def look_at_labels(labels: Tensor) -> Callable[[SentenceClassifier, Batch], StepOutputs]:
    """The student's logits and the labels."""

    def look(model: SentenceClassifier, batch: Batch) -> StepOutputs:
        _, logits = model(trimmed(batch.images))
        return StepOutputs(logits, (), labels[batch.indices].to(logits.device), batch.indices)

    return look


def label_terms(outputs: StepOutputs, fraction: float) -> Terms:
    """Cross-entropy."""
    del fraction
    return {"label": F.cross_entropy(outputs.student_logits, outputs.labels)}


def look_at_two_views(model: SentenceClassifier, batch: Batch) -> StepOutputs:
    """The vectors of both sentences of each pair, without some of their tokens."""
    one, two = (model(without_some(trimmed(part)))[0] for part in batch.images.unbind(1))
    return StepOutputs(one, (two,), batch.labels, batch.indices)


def without_some(ids: Tensor) -> Tensor:
    """Ids of which a share is padding."""
    return ids.masked_fill(torch.rand(ids.shape, device=ids.device) < DROPPED, 0)


def contrast_terms(outputs: StepOutputs, fraction: float) -> Terms:
    """Of all sentences of a batch the partner is to be the nearest (van den Oord et al. 2018)."""
    del fraction
    scores = outputs.student_logits @ outputs.teachers_logits[0].T / SHARPNESS
    places = torch.arange(len(scores), device=scores.device)
    both = F.cross_entropy(scores, places) + F.cross_entropy(scores.T, places)
    return {"contrast": both / 2}


class Sentences(Windows):
    """Batches of some of the sentences; ``indices`` are places among all of them.

    Args:
        data: All sentences.
        places: Which of them.
        settings: How many at a time, and in how many parts.
        steps: In all parts together.
        seed: Of the order.
        device: Where batches are wanted.
    """

    def __init__(
        self,
        data: SentenceData,
        places: Tensor,
        settings: EncoderSettings,
        *,
        steps: int,
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(
            data.ids[places],
            batch_size=settings.batch_size,
            steps=steps // settings.epochs,
            seed=seed,
            device=device,
        )
        self.places = places

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the ``start``-th on."""
        for batch in super().epoch(number, start):
            yield batch._replace(indices=self.places[batch.indices])


class Pairs(Windows):
    """Batches of pairs ``(batch, 2, tokens)`` of sentences that stand in one place.

    A sentence that stands alone is its own partner; the tokens that are left out differ.

    Args:
        data: All sentences; those that are learnt from are taken.
        settings: How many pairs at a time, and in how many parts.
        steps: In all parts together.
        seed: Of the order, and of the partners.
        device: Where batches are wanted.
    """

    def __init__(
        self,
        data: SentenceData,
        settings: EncoderSettings,
        *,
        steps: int,
        seed: int,
        device: torch.device,
    ) -> None:
        groups: dict[int, list[int]] = {}
        for place in data.train.tolist():
            groups.setdefault(int(data.groups[place]), []).append(place)
        self.groups = list(groups.values())
        self.ids = data.ids
        super().__init__(
            torch.arange(len(self.groups)),
            batch_size=settings.batch_size,
            steps=steps // settings.epochs,
            seed=seed,
            device=device,
        )

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the ``start``-th on."""
        for step, batch in enumerate(super().epoch(number, start), start):
            draw = torch.Generator().manual_seed(
                (self.seed * 1_000_003 + number * self.steps + step) % 2**63
            )
            pairs = [self._pair(self.groups[n], draw) for n in batch.indices.tolist()]
            ids = self.ids[torch.tensor(pairs)].to(self.windows.device)
            yield Batch(ids, batch.indices, batch.indices)

    @staticmethod
    def _pair(group: Sequence[int], draw: torch.Generator) -> tuple[int, int]:
        order = torch.randperm(len(group), generator=draw).tolist()
        return group[order[0]], group[order[-1]]
