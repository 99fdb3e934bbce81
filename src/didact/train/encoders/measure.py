"""What a model on sentences is worth: its classes, and how far it finds the same neighbours."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from didact.train.distilling.tasks import TASKS
from didact.train.encoders.data import SentenceData

Json = dict[str, Any]
ACCURACY, NEIGHBOURS = "test_accuracy", "neighbours_kept"
NEAREST = 10
MOST = 5000
"""Sentences among which neighbours are looked for: all pairs of more would take too long."""
AT_ONCE = 512
LATENCY_BATCH, LATENCY_REPEATS, LATENCY_SECONDS = 64, 30, 3.0


def metric_of(data: SentenceData, split: str = "test") -> str:
    """What the run is judged by, as it is called on that part."""
    if not data.has_classes:
        return NEIGHBOURS
    return TASKS["single-label"].metric_on(split)


def numbers_of(
    data: SentenceData,
    split: str,
    vectors: Tensor,
    logits: Tensor | None,
    teacher: tuple[Tensor, Tensor | None] | None,
) -> Json:
    """The numbers of one arm and seed on a part.

    Args:
        data: All sentences.
        split: ``"test"`` or ``"validation"``.
        vectors: The arm's, of all sentences.
        logits: Likewise, where there are labels.
        teacher: Its vectors and logits, to be compared with; None for the teacher itself.
    """
    places = getattr(data, split)
    found: Json = {}
    if logits is not None:
        own = None if teacher is None or teacher[1] is None else teacher[1][places]
        labels = data.labels[places]
        found |= TASKS["single-label"].numbers(logits[places], labels, own, split)
    if teacher is not None:
        found[NEIGHBOURS] = neighbours_kept(vectors[places], teacher[0][places])
    return found


def neighbours_kept(student: Tensor, teacher: Tensor, nearest: int = NEAREST) -> float:
    """Which share of each sentence's nearest ones by the teacher are the student's nearest too.

    Cosine similarity, the sentence itself left out; 0.5 means that half of what a search with the
    teacher shows first is shown by the student. By chance it is ``nearest / (N - 1)``.
    Of more than 5,000 sentences, so many at equal distances are taken.

    Args:
        student: ``(N, dimension)``.
        teacher: ``(N, dimension)``, which may differ.
        nearest: How many; fewer where there are not so many.
    """
    if len(student) > MOST:
        some = torch.linspace(0, len(student) - 1, MOST).long()
        student, teacher = student[some], teacher[some]
    count = min(nearest, len(student) - 1)
    if count < 1:
        return 1.0
    shared = 0
    sides = [F.normalize(side.float().cpu(), dim=-1) for side in (student, teacher)]
    for start in range(0, len(student), AT_ONCE):
        found = []
        for side in sides:
            scores = side[start : start + AT_ONCE] @ side.T
            rows = torch.arange(len(scores))
            scores[rows, start + rows] = -torch.inf
            found.append(scores.topk(count).indices)
        shared += int((found[0][:, :, None] == found[1][:, None, :]).sum())
    return shared / (count * len(student))


def nearest_mean_accuracy(
    vectors: Tensor, labels: Tensor, judged: Tensor, judged_labels: Tensor
) -> float:
    """Accuracy of the class whose mean is nearest: a classifier that costs nothing."""
    classes = int(labels.max()) + 1
    sums = vectors.new_zeros(classes, vectors.shape[1]).index_add_(0, labels, vectors)
    means = F.normalize(sums, dim=-1)
    return float(((judged @ means.T).argmax(1) == judged_labels).double().mean())


def latency_of(encode: Callable[[Sequence[str]], Any], texts: Sequence[str]) -> Json:
    """Milliseconds for 64 sentences, their tokens included: median and quartiles of up to 30."""
    batch = [texts[n % len(texts)] for n in range(LATENCY_BATCH)]
    encode(batch)
    times: list[float] = []
    while len(times) < LATENCY_REPEATS and (len(times) < 3 or sum(times) < 1e3 * LATENCY_SECONDS):
        began = time.perf_counter()
        encode(batch)
        times.append(1000 * (time.perf_counter() - began))
    q1, median, q3 = np.quantile(times, [0.25, 0.5, 0.75])
    named = {"median": median, "q1": q1, "q3": q3}
    found: Json = {name: round(float(value), 4) for name, value in named.items()}
    return found | {"batch_size": LATENCY_BATCH}
