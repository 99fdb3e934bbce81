"""Find where a loss is least."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from didact.probe.inputs.inputs import Inputs
from didact.probe.judging.case import Case

_BOUND = 25.0
_STEPS = 300


@dataclass(frozen=True)
class Minimum:
    """What descent reached.

    Attributes:
        student: The student's probabilities for the first sample.
        teacher: The teacher's.
        gap: The largest difference of two probabilities, over all samples.
        lower: Whether the loss is lower there than at the teacher; ``None`` if it is no number.
    """

    student: list[float]
    teacher: list[float]
    gap: float
    lower: bool | None


def minimise(case: Case) -> Minimum:
    """Descend from near zero in float64, on few classes."""
    inputs = case.make(batch=None if case.square else 4, scale=1.0, seed=3)
    at_teacher = case.subject(inputs.having(student=inputs.agreeing_student)).value
    reached = _newton(case, inputs) if math.isfinite(at_teacher) else _walk(case, inputs)
    value = case.subject(inputs.having(student=reached)).value
    student, wanted = (inputs.shared(x).softmax(-1) for x in (reached, inputs.teacher))
    lower = None
    if math.isfinite(value) and math.isfinite(at_teacher):
        lower = value < at_teacher - 1e-6 * max(1e-3, abs(at_teacher), abs(case.here.value))
    first = (0,) * (student.dim() - 1)
    return Minimum(
        student[first].tolist(),
        wanted[first].tolist(),
        float((student - wanted).abs().max()),
        lower,
    )


def _newton(case: Case, inputs: Inputs) -> Tensor:
    shape = inputs.student.shape

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        evaluation = case.subject(inputs.having(student=torch.from_numpy(point).reshape(shape)))
        return evaluation.value, evaluation.gradient.flatten().numpy()

    start = 0.1 * inputs.student.flatten().numpy()
    done = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_BOUND, _BOUND)] * start.size,
        options={"maxiter": 120, "ftol": 1e-14, "gtol": 1e-10},
    )
    return torch.from_numpy(np.asarray(done.x, dtype=np.float64)).reshape(shape)


def _walk(case: Case, inputs: Inputs) -> Tensor:
    """Steps of one length against the gradient, where the value itself is no number."""
    point = 0.1 * inputs.student
    for _ in range(_STEPS):
        gradient = case.subject(inputs.having(student=point)).gradient
        if not bool(torch.isfinite(gradient).all()) or not float(gradient.norm()):
            break
        point = (point - 0.3 * gradient / gradient.norm()).clamp(-_BOUND, _BOUND)
    return point
