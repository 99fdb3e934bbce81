"""Float64 references of the losses on logits: explicit loops over the papers' equations."""

from __future__ import annotations

import math

from tests.losses.support import reference
from torch import Tensor


def softmax(row: list[float], temperature: float = 1.0) -> list[float]:
    powers = [math.exp(z / temperature) for z in row]
    return [power / sum(powers) for power in powers]


def kl(p: list[float], q: list[float]) -> float:
    return sum(p_c * (math.log(p_c) - math.log(q_c)) for p_c, q_c in zip(p, q, strict=True))


def rows(student: Tensor, teacher: Tensor) -> list[tuple[list[float], list[float]]]:
    return list(zip(student.tolist(), teacher.tolist(), strict=True))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@reference("kd")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 4.0) -> float:
    return mean(
        [
            temperature**2 * kl(softmax(t, temperature), softmax(s, temperature))
            for s, t in rows(student_logits, teacher_logits)
        ]
    )


Row = list[float]


def soft_pairs(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> list[tuple[Row, Row]]:
    """(q, p) for each sample: the student's and the teacher's distribution."""
    return [(softmax(s, temperature), softmax(t, temperature)) for s, t in rows(student, teacher)]


@reference("forward_kl")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0) -> float:
    return temperature**2 * mean(
        [kl(p, q) for q, p in soft_pairs(student_logits, teacher_logits, temperature)]
    )


@reference("reverse_kl")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0) -> float:
    return temperature**2 * mean(
        [kl(q, p) for q, p in soft_pairs(student_logits, teacher_logits, temperature)]
    )


@reference("symmetric_kl")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0) -> float:
    pairs = soft_pairs(student_logits, teacher_logits, temperature)
    return temperature**2 * mean([0.5 * kl(p, q) + 0.5 * kl(q, p) for q, p in pairs])


@reference("total_variation")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0) -> float:
    pairs = soft_pairs(student_logits, teacher_logits, temperature)
    return temperature * mean(
        [sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2 for q, p in pairs]
    )


def blend(share: float, first: Row, second: Row) -> Row:
    return [share * a + (1 - share) * b for a, b in zip(first, second, strict=True)]


@reference("generalised_jsd")
def _(
    student_logits: Tensor,
    teacher_logits: Tensor,
    *,
    temperature: float = 1.0,
    beta: float = 0.5,
    normalise: bool = True,
) -> float:
    values = []
    for q, p in soft_pairs(student_logits, teacher_logits, temperature):
        if beta in (0, 1):
            values.append((kl(p, q) if beta == 0 else kl(q, p)) * normalise)
            continue
        m = blend(beta, p, q)
        paper = beta * kl(p, m) + (1 - beta) * kl(q, m)
        values.append(paper / (beta * (1 - beta)) if normalise else paper)
    return temperature**2 * mean(values)


@reference("skew_kl")
def _(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0, alpha: float = 0.1
) -> float:
    pairs = soft_pairs(student_logits, teacher_logits, temperature)
    return temperature**2 * mean([kl(p, blend(alpha, p, q)) for q, p in pairs])


@reference("skew_reverse_kl")
def _(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0, alpha: float = 0.1
) -> float:
    pairs = soft_pairs(student_logits, teacher_logits, temperature)
    return temperature**2 * mean([kl(q, blend(1 - alpha, p, q)) for q, p in pairs])


@reference("dkd")
def _(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: float = 4.0,
    alpha: float = 1.0,
    beta: float = 8.0,
) -> float:
    values = []
    pairs = soft_pairs(student_logits, teacher_logits, temperature)
    for (q, p), label in zip(pairs, labels.tolist(), strict=True):
        tckd = kl([p[label], 1 - p[label]], [q[label], 1 - q[label]])
        p_hat = [p[c] / (1 - p[label]) for c in range(len(p)) if c != label]
        q_hat = [q[c] / (1 - q[label]) for c in range(len(q)) if c != label]
        values.append(temperature**2 * (alpha * tckd + beta * kl(p_hat, q_hat)))
    return mean(values)


def pearson(a: Row, b: Row) -> float:
    mean_a, mean_b = mean(a), mean(b)
    covariance = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    deviation_a = math.sqrt(sum((x - mean_a) ** 2 for x in a))
    deviation_b = math.sqrt(sum((y - mean_b) ** 2 for y in b))
    return covariance / (deviation_a * deviation_b)


@reference("dist")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0) -> float:
    pairs = soft_pairs(student_logits, teacher_logits, temperature)
    classes = range(student_logits.shape[1])
    inter = mean([1 - pearson(q, p) for q, p in pairs])
    columns = [([q[c] for q, _ in pairs], [p[c] for _, p in pairs]) for c in classes]
    intra = mean([1 - pearson(q, p) for q, p in columns])
    return inter + intra


def standard(row: Row) -> Row:
    average = mean(row)
    deviation = math.sqrt(mean([(z - average) ** 2 for z in row]))
    return [(z - average) / deviation for z in row]


@reference("standardised_kd")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 2.0) -> float:
    return temperature**2 * mean(
        [
            kl(softmax(standard(t), temperature), softmax(standard(s), temperature))
            for s, t in rows(student_logits, teacher_logits)
        ]
    )


@reference("mlkd")
def _(student_logits: Tensor, teacher_logits: Tensor) -> float:
    samples, classes = student_logits.shape
    levels = []
    for temperature in (2, 3, 4, 5, 6):
        pairs = soft_pairs(student_logits, teacher_logits, temperature)
        instance = mean([temperature**2 * kl(p, q) for q, p in pairs])
        batch = category = 0.0
        for i in range(samples):
            for j in range(samples):
                mine = sum(a * b for a, b in zip(pairs[i][0], pairs[j][0], strict=True))
                other = sum(a * b for a, b in zip(pairs[i][1], pairs[j][1], strict=True))
                batch += (mine - other) ** 2
        for c in range(classes):
            for d in range(classes):
                mine = sum(q[c] * q[d] for q, _ in pairs)
                other = sum(p[c] * p[d] for _, p in pairs)
                category += (mine - other) ** 2
        levels.append(instance + batch / samples + category / classes)
    return mean(levels)


@reference("CurriculumKD")
def _(module: object, student_logits: Tensor, teacher_logits: Tensor) -> float:
    temperature = 1 + 20 / (1 + math.exp(-1))
    pairs = soft_pairs(student_logits, teacher_logits, temperature)
    return mean([temperature**2 * kl(p, q) for q, p in pairs])


@reference("mse_logits")
def _(student_logits: Tensor, teacher_logits: Tensor) -> float:
    pairs = rows(student_logits, teacher_logits)
    return mean([sum((a - b) ** 2 for a, b in zip(s, t, strict=True)) for s, t in pairs])


@reference("hard_kd")
def _(student_logits: Tensor, teacher_logits: Tensor) -> float:
    return mean(
        [-math.log(softmax(s)[t.index(max(t))]) for s, t in rows(student_logits, teacher_logits)]
    )


@reference("cross_entropy_and_hard_kd")
def _(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *, kd_weight: float = 0.5
) -> float:
    values = []
    for (s, t), label in zip(rows(student_logits, teacher_logits), labels.tolist(), strict=True):
        q = softmax(s)
        chosen = -math.log(q[t.index(max(t))])
        values.append((1 - kd_weight) * -math.log(q[label]) + kd_weight * chosen)
    return mean(values)


@reference("cross_entropy_and_kd")
def _(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: float = 4.0,
    kd_weight: float = 0.9,
) -> float:
    values = []
    for (s, t), label in zip(rows(student_logits, teacher_logits), labels.tolist(), strict=True):
        soft = temperature**2 * kl(softmax(t, temperature), softmax(s, temperature))
        values.append((1 - kd_weight) * -math.log(softmax(s)[label]) + kd_weight * soft)
    return mean(values)


@reference("binary_kd")
def _(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0) -> float:
    values = []
    for s, t in rows(student_logits, teacher_logits):
        q = [1 / (1 + math.exp(-z / temperature)) for z in s]
        p = [1 / (1 + math.exp(-z / temperature)) for z in t]
        values.append(sum(kl([a, 1 - a], [b, 1 - b]) for a, b in zip(p, q, strict=True)))
    return temperature**2 * mean(values)


@reference("top_k_kd")
def _(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0, k: int = 2
) -> float:
    values = []
    for q, p in soft_pairs(student_logits, teacher_logits, temperature):
        top = sorted(range(len(p)), key=lambda c: -p[c])[:k]
        p_cells, q_cells = [p[c] for c in top], [q[c] for c in top]
        values.append(kl([*p_cells, 1 - sum(p_cells)], [*q_cells, 1 - sum(q_cells)]))
    return temperature**2 * mean(values)
