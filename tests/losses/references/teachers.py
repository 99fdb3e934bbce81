"""Float64 references of the losses with several teachers: explicit loops."""

from __future__ import annotations

import math

from tests.losses.references.logits import kl, mean, softmax
from tests.losses.support import reference
from torch import Tensor


def samples(student: Tensor, teachers: list[Tensor]) -> list[tuple[list[float], list[list[float]]]]:
    """(student's logits, each teacher's logits) for each sample."""
    each_teacher = [teacher.tolist() for teacher in teachers]
    return [(s, [t[i] for t in each_teacher]) for i, s in enumerate(student.tolist())]


@reference("kd_mean_probs")
def _(student_logits: Tensor, teachers_logits: list[Tensor], *, temperature: float = 4.0) -> float:
    values = []
    for s, ts in samples(student_logits, teachers_logits):
        probs = [softmax(t, temperature) for t in ts]
        average = [mean([p[c] for p in probs]) for c in range(len(s))]
        values.append(temperature**2 * kl(average, softmax(s, temperature)))
    return mean(values)


@reference("kd_geometric_mean")
def _(student_logits: Tensor, teachers_logits: list[Tensor], *, temperature: float = 4.0) -> float:
    values = []
    for s, ts in samples(student_logits, teachers_logits):
        probs = [softmax(t, temperature) for t in ts]
        roots = [math.prod(p[c] for p in probs) ** (1 / len(probs)) for c in range(len(s))]
        values.append(
            temperature**2 * kl([root / sum(roots) for root in roots], softmax(s, temperature))
        )
    return mean(values)


@reference("kd_weighted_sum")
def _(student_logits: Tensor, teachers_logits: list[Tensor], *, temperature: float = 4.0) -> float:
    return mean(
        [
            mean(
                [temperature**2 * kl(softmax(t, temperature), softmax(s, temperature)) for t in ts]
            )
            for s, ts in samples(student_logits, teachers_logits)
        ]
    )


@reference("kd_confidence_weighted")
def _(
    student_logits: Tensor,
    teachers_logits: list[Tensor],
    labels: Tensor,
    *,
    temperature: float = 4.0,
) -> float:
    values = []
    pairs = zip(samples(student_logits, teachers_logits), labels.tolist(), strict=True)
    for (s, ts), label in pairs:
        powers = [math.exp(-math.log(softmax(t)[label])) for t in ts]
        weights = [(1 - power / sum(powers)) / (len(ts) - 1) for power in powers]
        divergences = [
            temperature**2 * kl(softmax(t, temperature), softmax(s, temperature)) for t in ts
        ]
        values.append(sum(w * d for w, d in zip(weights, divergences, strict=True)))
    return mean(values)


@reference("kd_routed")
def _(
    student_logits: Tensor,
    teachers_logits: list[Tensor],
    routes: Tensor,
    *,
    temperature: float = 4.0,
) -> float:
    return mean(
        [
            temperature**2 * kl(softmax(ts[route], temperature), softmax(s, temperature))
            for (s, ts), route in zip(
                samples(student_logits, teachers_logits), routes.tolist(), strict=True
            )
        ]
    )
