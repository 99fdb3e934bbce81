"""Float64 references of the incremental losses: explicit loops over the papers' equations."""

from __future__ import annotations

import math

from tests.losses.references.features import dot, flat, maps, mean, pairs, squared_distance, unit
from tests.losses.references.logits import kl, rows, softmax
from tests.losses.support import reference
from torch import Tensor


@reference("lwf")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 2.0) -> float:
    return mean(
        [
            temperature**2 * kl(softmax(t, temperature), softmax(s[: len(t)], temperature))
            for s, t in rows(student_logits, teacher_logits)
        ]
    )


@reference("eeil")
def _(
    student_logits: Tensor,
    teacher_logits: Tensor,
    *,
    head_sizes: list[int],
    temperature: float = 2.0,
) -> float:
    losses = []
    for s, t in rows(student_logits, teacher_logits):
        loss, start = 0.0, 0
        for size in head_sizes:
            head = slice(start, start + size)
            loss += temperature**2 * kl(
                softmax(t[head], temperature), softmax(s[head], temperature)
            )
            start += size
        losses.append(loss)
    return mean(losses)


@reference("binary_distillation")
def _(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    average_classes: bool = False,
) -> float:
    def sigmoid(z: float) -> float:
        return 1 / (1 + math.exp(-z))

    losses = []
    for (s, t), label in zip(rows(student_logits, teacher_logits), labels.tolist(), strict=True):
        loss = 0.0
        for c, z in enumerate(s):
            q = sigmoid(t[c]) if c < len(t) else float(c == label)
            loss -= q * math.log(sigmoid(z)) + (1 - q) * math.log(1 - sigmoid(z))
        losses.append(loss / len(s) if average_classes else loss)
    return mean(losses)


@reference("lucir_less_forget")
@reference("podnet_flat")
def _(student_features: Tensor, teacher_features: Tensor) -> float:
    return mean(
        [
            1 - dot(unit(flat(s)), unit(flat(t)))
            for s, t in pairs(student_features, teacher_features)
        ]
    )


@reference("lucir_margin")
def _(
    student_logits: Tensor,
    labels: Tensor,
    *,
    old_classes: int,
    margin: float = 0.5,
    negatives: int = 2,
) -> float:
    losses = []
    for scores, label in zip(student_logits.tolist(), labels.tolist(), strict=True):
        if label < old_classes:
            hardest = sorted(scores[old_classes:], reverse=True)[:negatives]
            losses.append(mean([max(margin - scores[label] + s, 0.0) for s in hardest]))
    return mean(losses) if losses else 0.0


@reference("podnet_spatial")
def _(student_features: Tensor, teacher_features: Tensor, *, squared: bool = False) -> float:
    def pooled(sample: Tensor) -> list[float]:
        values: list[float] = []
        for channel in sample.tolist():
            values += [sum(x * x for x in row) for row in channel]
            values += [sum(row[w] ** 2 for row in channel) for w in range(len(channel[0]))]
        return unit(values)

    losses = [
        squared_distance(pooled(s), pooled(t)) for s, t in pairs(student_features, teacher_features)
    ]
    return mean(losses if squared else [math.sqrt(loss) for loss in losses])


@reference("podnet_nca")
def _(student_logits: Tensor, labels: Tensor, *, scale: float = 1.0, margin: float = 0.6) -> float:
    losses = []
    for scores, label in zip(student_logits.tolist(), labels.tolist(), strict=True):
        others = sum(math.exp(scale * s) for c, s in enumerate(scores) if c != label)
        losses.append(max(-math.log(math.exp(scale * (scores[label] - margin)) / others), 0.0))
    return mean(losses)


@reference("afc")
def _(student_features: Tensor, teacher_features: Tensor, *, importance: Tensor) -> float:
    return mean(
        [
            sum(
                weight * squared_distance(a, b)
                for weight, a, b in zip(importance.tolist(), maps(s), maps(t), strict=True)
            )
            for s, t in pairs(student_features, teacher_features)
        ]
    )
