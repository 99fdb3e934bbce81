"""Which known form a loss is, times which factor."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.forms.evaluation import evaluate
from didact.probe.forms.forms import RIGHT, Form
from didact.probe.forms.old_classes import forms_for
from didact.probe.forms.subject import Subject
from didact.probe.inputs.inputs import Inputs

EXACT = 1e-4
"""The share of the gradient that rounding may leave over: float32 leaves up to 1e-6 of it, and the
forms of one family differ by 1e-2 and more on these inputs."""

_CLEARLY = 1e-9
"""Rounding in float64: no other form needs to be tried."""

_SAME = 1e-7
"""Residuals that differ by less are equal, and the form that is listed first wins."""

_VALUE_GAP = 1e-5
"""A value off by more is no rounding but a constant, as the teacher's entropy."""

_POWER_SPREAD = 0.02
"""How far, in the logarithm of the factor, a power law may miss a point: 2 per cent."""

_COMPARABLE = 0.9
"""The share of finite gradient entries that a form must have a finite one for."""

_FIXED_TEMPERATURES = (1.0, 4.0, 2.0, 3.0, 5.0, 6.0, 7.0, 8.0, 10.0, 20.0, 1.5, 0.5)
"""Those of public code, the commonest first."""

_TEMPERATURE_RANGE = (0.3, 40.0)


@dataclass(frozen=True)
class Fit:
    """The best known form.

    Attributes:
        form: The form.
        temperature: T fixed inside the loss; ``None``: the loss uses the T it is given.
        factor: What the form is multiplied by, at temperature 4.
        power: The power of T in that factor, or ``None`` if T is not varied or is no power.
        residual: How much of the gradient the form leaves unexplained, 0 to 1.
        value_gap: What the value differs by, at two inputs; ``None``: a value is NaN.
        factors: The factor at each T, where T is varied.
        old: How many classes both sides know; ``None``: all.
    """

    form: Form
    temperature: float | None
    factor: float
    power: float | None
    residual: float
    value_gap: tuple[float, float] | None
    factors: dict[float, float]
    old: int | None = None

    @property
    def name(self) -> Text:
        """The form in words, with the classes that it speaks of."""
        if self.old is None or self.form.special is not None:
            return self.form.name
        return Text(
            f"{self.form.name.en} over the teacher's {self.old} classes",
            f"{self.form.name.zh}（只在教师的 {self.old} 个类别上）",
        )

    @property
    def exact(self) -> bool:
        """Whether the form is the loss, up to rounding."""
        return self.residual < EXACT

    @property
    def at_cross_entropy(self) -> bool:
        """Whether the value is off by a constant, as the entropy of the teacher is."""
        gaps = self.value_gap
        if gaps is None or not self.exact:
            return False
        return all(math.isfinite(g) for g in gaps) and max(map(abs, gaps)) > _VALUE_GAP


def samples(subject: Subject, temperature: float = 4.0) -> list[Inputs]:
    """Two sets of inputs to compare at."""
    return [subject.binding.make(seed=s, temperature=temperature) for s in (0, 1)]


def fit(subject: Subject, temperature: float = 4.0, *, right: bool = False) -> Fit | None:
    """The best known form, or ``None`` if the loss has no gradient to compare.

    ``right`` asks for the right forms alone, where no other would be believed.
    """
    given = samples(subject, temperature)
    evaluations = [subject(i) for i in given]
    gradient = torch.stack([e.gradient for e in evaluations])
    if not bool(torch.isfinite(gradient).any()) or not float(gradient.nan_to_num().norm()):
        return None
    given = [_visible(i, e.gradient) for i, e in zip(given, evaluations, strict=True)]
    best: tuple[float, Form, float | None, float] | None = None
    varied = subject.has("temperature")
    tried: list[float | None] = [None] if varied else []
    if varied and not _temperature_matters(subject, given[0]):
        tried = []
    held = subject.binding.held_temperature
    inside = dict.fromkeys([*([] if held is None else [held]), *_FIXED_TEMPERATURES])
    forms = [f for f in forms_for(subject) if f.right or not right]
    for form in forms:
        for fixed in [*tried, *([] if tried else inside)]:
            residual, factor = _compare(form, given, gradient, fixed)
            if best is None or residual < best[0] - _SAME:
                best = residual, form, fixed, factor
            if form.power is None or best[0] < _CLEARLY:
                break
        if best is not None and best[0] < _CLEARLY:
            break
    if best is None:
        return None
    if not tried and best[0] > EXACT:
        best = min(best, _refined(given, gradient), key=lambda candidate: candidate[0])
    return _described(subject, best, given, [e.value for e in evaluations])


def _confirmed(
    subject: Subject, form: Form, fixed: float | None, temperature: float, residual: float
) -> float:
    """The residual, or that of a third set of inputs of another size if it is larger."""
    if residual >= EXACT:
        return residual
    inputs = subject.binding.make(seed=11, scale=1.0, temperature=temperature)
    evaluation = subject(inputs)
    if not evaluation.norm or not bool(torch.isfinite(evaluation.gradient).any()):
        return residual
    third = _visible(inputs, evaluation.gradient)
    return max(residual, _compare(form, [third], evaluation.gradient[None], fixed)[0])


def _visible(inputs: Inputs, gradient: Tensor) -> Inputs:
    """With the positions masked that get no gradient, as the last of a language model."""
    counts = gradient.abs().sum(-1) > 0
    if gradient.dim() != 3 or bool(counts.all()) or not bool(counts.any()):
        return inputs
    return inputs.having(mask=counts)


def _refined(given: list[Inputs], gradient: Tensor) -> tuple[float, Form, float | None, float]:
    """The forward KL at whatever fixed temperature explains most."""
    form = RIGHT[0]

    def left_over(temperature: float) -> float:
        return _compare(form, given, gradient, temperature)[0]

    minimum = minimize_scalar(
        left_over, bounds=_TEMPERATURE_RANGE, method="bounded", options={"xatol": 1e-7}
    )
    residual, factor = _compare(form, given, gradient, float(minimum.x))
    return residual, form, float(minimum.x), factor


def _temperature_matters(subject: Subject, inputs: Inputs) -> bool:
    other = subject(inputs.having(temperature=2.0 * inputs.temperature)).gradient
    return not torch.equal(other, subject(inputs).gradient)


def _compare(
    form: Form, given: list[Inputs], gradient: Tensor, fixed: float | None
) -> tuple[float, float]:
    """The part of the gradient that the form leaves over, and its factor."""
    own = torch.stack([_of_form(form, i, fixed)[1] for i in given])
    if own.shape != gradient.shape:
        return 1.0, 0.0
    usable = torch.isfinite(own) & torch.isfinite(gradient)
    if int(usable.sum()) < _COMPARABLE * int(torch.isfinite(gradient).sum()):
        return 1.0, 0.0
    a, b = own[usable], gradient[usable]
    square = float((a * a).sum())
    if not square or not math.isfinite(square):
        return 1.0, 0.0
    factor = float((a * b).sum()) / square
    return float((b - factor * a).norm() / b.norm()), factor


@dataclass(frozen=True)
class _Numbers:
    """Inputs that are equal where their numbers are."""

    inputs: Inputs = field(compare=False)
    key: tuple[object, ...]


def _of_form(form: Form, inputs: Inputs, fixed: float | None) -> tuple[float, Tensor]:
    """Value and gradient of a form: every label term and reading asks for the same ones again."""
    i = inputs
    tensors = (i.student, i.teacher, i.labels, i.mask)
    key = tuple(t if t is None else (t.shape, t.detach().numpy().tobytes()) for t in tensors)
    numbers = _Numbers(inputs, (*key, i.temperature, i.old, i.labelled))
    return _evaluated(form, numbers, fixed)


@lru_cache(maxsize=4096)
def _evaluated(form: Form, numbers: _Numbers, fixed: float | None) -> tuple[float, Tensor]:
    inputs = numbers.inputs
    student = inputs.student.detach().to(torch.float64).requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = form.value(student, inputs, fixed or inputs.temperature)
    evaluation = evaluate(value, student)
    return evaluation.value, evaluation.gradient


def _described(
    subject: Subject,
    best: tuple[float, Form, float | None, float],
    given: list[Inputs],
    values: list[float],
) -> Fit:
    residual, form, fixed, factor = best
    residual = _confirmed(subject, form, fixed, given[0].temperature, residual)
    gaps = [v - factor * _of_form(form, i, fixed)[0] for v, i in zip(values, given, strict=True)]
    finite = all(math.isfinite(g) for g in gaps)
    factors: dict[float, float] = {}
    if fixed is None and subject.has("temperature") and residual < EXACT:
        factors = {t: _factor_at(subject, form, given[0], t) for t in (1.0, 2.0, 4.0, 8.0)}
    return Fit(
        form=form,
        temperature=fixed if form.power is not None else None,
        factor=factor,
        power=power_law(factors),
        residual=residual,
        value_gap=(gaps[0], gaps[1]) if finite else None,
        factors=factors,
        old=subject.binding.sizes.old,
    )


def _factor_at(subject: Subject, form: Form, inputs: Inputs, temperature: float) -> float:
    at = inputs.having(temperature=temperature)
    plain = subject(at.having(mask=None)) if not subject.has("mask") else subject(at)
    return _compare(form, [at], plain.gradient[None], None)[1]


def is_power(exponent: float, wanted: float) -> bool:
    """Whether a fitted exponent is this one; powers that people write differ by a half or more."""
    return abs(exponent - wanted) < 0.05


def power_law(factors: dict[float, float]) -> float | None:
    """The exponent ``a`` of ``factor = c * x^a``; ``None`` if it is no power law."""
    if len(factors) < 2 or any(not math.isfinite(f) or f == 0 for f in factors.values()):
        return None
    xs = [math.log(x) for x in factors]
    ys = [math.log(abs(f)) for f in factors.values()]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    worst = max(abs(y - mean_y - slope * (x - mean_x)) for x, y in zip(xs, ys, strict=True))
    return slope if worst < _POWER_SPREAD else None
