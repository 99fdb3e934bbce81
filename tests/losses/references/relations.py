"""Float64 references of the losses on relations: explicit loops over the papers' equations."""

from __future__ import annotations

import math

from tests.losses.references.features import dot, mean, squared_distance, unit
from tests.losses.support import reference
from torch import Tensor

Points = list[list[float]]


def points(features: Tensor) -> Points:
    return features.flatten(1).tolist()


def huber(error: float) -> float:
    return error**2 / 2 if abs(error) <= 1 else abs(error) - 0.5


def difference(left: list[float], right: list[float]) -> list[float]:
    return [x - y for x, y in zip(left, right, strict=True)]


@reference("similarity_preserving")
def _(student_features: Tensor, teacher_features: Tensor) -> float:
    def similarity(features: Points) -> Points:
        return [unit([dot(x, y) for y in features]) for x in features]

    rows = zip(
        similarity(points(student_features)), similarity(points(teacher_features)), strict=True
    )
    return sum(squared_distance(s, t) for s, t in rows) / len(student_features) ** 2


@reference("rkd_distance")
def distance(student_features: Tensor, teacher_features: Tensor) -> float:
    def relative(features: Points) -> list[float]:
        distances = [math.sqrt(squared_distance(x, y)) for x in features for y in features]
        pairs = len(features) * (len(features) - 1)
        return [d / (sum(distances) / pairs) for d in distances]

    student, teacher = relative(points(student_features)), relative(points(teacher_features))
    return mean([huber(s - t) for s, t in zip(student, teacher, strict=True)])


@reference("rkd_angle")
def angle(student_features: Tensor, teacher_features: Tensor) -> float:
    def cosines(features: Points) -> list[float]:
        return [
            dot(unit(difference(x, corner)), unit(difference(y, corner)))
            for corner in features
            for x in features
            for y in features
        ]

    student, teacher = cosines(points(student_features)), cosines(points(teacher_features))
    return mean([huber(s - t) for s, t in zip(student, teacher, strict=True)])


@reference("rkd")
def _(
    student_features: Tensor,
    teacher_features: Tensor,
    *,
    distance_weight: float = 25.0,
    angle_weight: float = 50.0,
) -> float:
    return distance_weight * distance(student_features, teacher_features) + angle_weight * angle(
        student_features, teacher_features
    )


@reference("pkt")
def _(student_features: Tensor, teacher_features: Tensor) -> float:
    def neighbours(features: Points) -> Points:
        rows = []
        for j, x in enumerate(features):
            kernel = [(1 + dot(unit(x), unit(y))) / 2 for i, y in enumerate(features) if i != j]
            rows.append([k / sum(kernel) for k in kernel])
        return rows

    total = 0.0
    for p, q in zip(
        neighbours(points(teacher_features)), neighbours(points(student_features)), strict=True
    ):
        total += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    return total / len(student_features)


@reference("cc")
def _(
    student_features: Tensor, teacher_features: Tensor, *, gamma: float = 0.4, order: int = 2
) -> float:
    def correlations(features: Points) -> list[float]:
        cosines = [dot(unit(x), unit(y)) for x in features for y in features]
        return [
            sum(
                math.exp(-2 * gamma) * (2 * gamma) ** p / math.factorial(p) * cosine**p
                for p in range(order + 1)
            )
            for cosine in cosines
        ]

    student, teacher = (
        correlations(points(student_features)),
        correlations(points(teacher_features)),
    )
    return mean([(s - t) ** 2 for s, t in zip(student, teacher, strict=True)])
