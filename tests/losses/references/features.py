"""Float64 references of the losses on features: explicit loops over the papers' equations."""

from __future__ import annotations

import math

from tests.losses.support import reference
from torch import Tensor

Row = list[float]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def unit(row: Row) -> Row:
    length = math.sqrt(sum(x * x for x in row))
    return [x / length if length else 0.0 for x in row]


def dot(left: Row, right: Row) -> float:
    return sum(x * y for x, y in zip(left, right, strict=True))


def squared_distance(left: Row, right: Row) -> float:
    return sum((x - y) ** 2 for x, y in zip(left, right, strict=True))


def flat(sample: Tensor) -> Row:
    return sample.flatten().tolist()


def maps(sample: Tensor) -> list[Row]:
    """One row of positions for each channel."""
    return sample.flatten(1).tolist()


def pairs(student: Tensor, teacher: Tensor) -> list[tuple[Tensor, Tensor]]:
    return list(zip(student, teacher, strict=True))


@reference("hint")
def _(student_features: Tensor, teacher_features: Tensor) -> float:
    return mean(
        [
            squared_distance(flat(s), flat(t)) / s.numel()
            for s, t in pairs(student_features, teacher_features)
        ]
    )


@reference("attention_transfer")
def _(student_features: Tensor, teacher_features: Tensor, *, power: float = 2.0) -> float:
    def attention(sample: Tensor) -> Row:
        channels = maps(sample)
        return unit([sum(abs(c[x]) ** power for c in channels) for x in range(len(channels[0]))])

    return mean(
        [
            squared_distance(attention(s), attention(t)) / s[0].numel()
            for s, t in pairs(student_features, teacher_features)
        ]
    )


@reference("nst")
def _(student_features: Tensor, teacher_features: Tensor) -> float:
    def mean_kernel(left: list[Row], right: list[Row]) -> float:
        return mean([dot(x, y) ** 2 for x in left for y in right])

    losses = []
    for s, t in pairs(student_features, teacher_features):
        student, teacher = [unit(m) for m in maps(s)], [unit(m) for m in maps(t)]
        losses.append(
            mean_kernel(teacher, teacher)
            + mean_kernel(student, student)
            - 2 * mean_kernel(student, teacher)
        )
    return mean(losses)


@reference("fsp")
def _(student_features: list[Tensor], teacher_features: list[Tensor]) -> float:
    def flow(first: Tensor, last: Tensor) -> Row:
        positions = first[0].numel()
        return [dot(a, b) / positions for a in maps(first) for b in maps(last)]

    losses = []
    for n in range(len(student_features[0])):
        student, teacher = ([layer[n] for layer in f] for f in (student_features, teacher_features))
        losses.append(
            sum(
                squared_distance(flow(*student[k : k + 2]), flow(*teacher[k : k + 2]))
                for k in range(len(student) - 1)
            )
        )
    return mean(losses)


@reference("ab")
def _(student_features: Tensor, teacher_features: Tensor, *, margin: float = 1.0) -> float:
    losses = []
    for s, t in pairs(student_features, teacher_features):
        loss = 0.0
        for response, teacher in zip(flat(s), flat(t), strict=True):
            if teacher > 0 and response < margin:
                loss += (margin - response) ** 2
            if teacher <= 0 and response > -margin:
                loss += (margin + response) ** 2
        losses.append(loss)
    return mean(losses)


@reference("ofd")
def _(
    student_features: Tensor, teacher_features: Tensor, *, norm_weight: Tensor, norm_bias: Tensor
) -> float:
    margins = []
    for weight, bias in zip(norm_weight.tolist(), norm_bias.tolist(), strict=True):
        std = abs(weight)
        negative = 0.5 * (1 + math.erf(-bias / std / math.sqrt(2)))
        density = math.exp(-((bias / std) ** 2) / 2) / math.sqrt(2 * math.pi)
        margins.append(bias - std * density / negative if negative > 1e-3 else -3 * std)
    losses = []
    for s, t in pairs(student_features, teacher_features):
        loss = 0.0
        for margin, student, teacher in zip(margins, maps(s), maps(t), strict=True):
            for response, target in zip(student, teacher, strict=True):
                wanted = max(target, margin)
                if not response <= wanted <= 0:
                    loss += (response - wanted) ** 2
        losses.append(loss)
    return mean(losses)


@reference("ickd")
def _(student_features: Tensor, teacher_features: Tensor) -> float:
    losses = []
    for s, t in pairs(student_features, teacher_features):
        student, teacher = maps(s), maps(t)
        rows = (
            (unit([dot(a, b) for b in student]), unit([dot(c, d) for d in teacher]))
            for a, c in zip(student, teacher, strict=True)
        )
        losses.append(sum(squared_distance(a, b) for a, b in rows) / len(student))
    return mean(losses)


@reference("cwd")
def _(student_features: Tensor, teacher_features: Tensor, *, temperature: float = 4.0) -> float:
    def log_probs(channel: Row) -> Row:
        scaled = [x / temperature for x in channel]
        total = math.log(sum(math.exp(x - max(scaled)) for x in scaled)) + max(scaled)
        return [x - total for x in scaled]

    divergences = [
        sum(math.exp(p) * (p - q) for p, q in zip(log_probs(t), log_probs(s), strict=True))
        for student, teacher in pairs(student_features, teacher_features)
        for s, t in zip(maps(student), maps(teacher), strict=True)
    ]
    return temperature**2 * mean(divergences)
