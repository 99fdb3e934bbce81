"""The softmax of the losses against PyTorch's own in float64, in each of its ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from didact import losses
from didact.losses.fast import few_teachers as _few_teachers
from didact.losses.fast import small as _small
from didact.losses.fast import surprise as _surprise
from didact.losses.kit import base as _base
from didact.losses.kit import softmax as _softmax

WAYS = [{}, {"SOME": 0}, {"NARROW": 0, "FEW": 0, "MANY": 0}, {"SOME": 0, "FEW": 0, "MANY": 0}]
LABELS = torch.tensor([0, 2, 1, 1, 4, 0])
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "reverse_kl": losses.reverse_kl,
    "symmetric_kl": losses.symmetric_kl,
    "total_variation": losses.total_variation,
    "skew_kl": losses.skew_kl,
    "skew_kl, nearly forward": lambda s, t: losses.skew_kl(s, t, alpha=1e-6),
    "skew_reverse_kl": losses.skew_reverse_kl,
    "skew_reverse_kl, nearly reverse": lambda s, t: losses.skew_reverse_kl(s, t, alpha=1e-6),
    "generalised_jsd": losses.generalised_jsd,
    "generalised_jsd, beta 0": lambda s, t: losses.generalised_jsd(s, t, beta=0.0),
    "generalised_jsd, beta 1": lambda s, t: losses.generalised_jsd(s, t, beta=1.0),
    "top_k_kd": lambda s, t: losses.top_k_kd(s, t, k=2),
    "dist": losses.dist,
    "mlkd": losses.mlkd,
    "hard_kd": losses.hard_kd,
    "cross_entropy_and_hard_kd": lambda s, t: losses.cross_entropy_and_hard_kd(s, t, LABELS),
    "kd": losses.kd,
    "standardised_kd": losses.standardised_kd,
    "kd_weighted_sum": lambda s, t: losses.kd_weighted_sum(
        s, [t, t.roll(1, 0)], weights=[0.8, 0.2]
    ),
    "kd_mean_probs": lambda s, t: losses.kd_mean_probs(s, [t, -t], weights=[0.8, 0.2]),
    "kd_confidence_weighted": lambda s, t: losses.kd_confidence_weighted(
        s, [t, t.roll(1, 0), t.roll(2, 0)], LABELS
    ),
}


@pytest.fixture(params=WAYS, ids=["as is", "narrow", "many", "narrow and many"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    settings: dict[str, int] = request.param
    for name, value in settings.items():
        monkeypatch.setattr(_softmax, name, value)
    return settings


@pytest.fixture(params=[_base.NATURAL, _base.TWO], ids=["natural", "two"])
def base(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> _base.Base:
    for module in (_softmax, _few_teachers, _small):
        monkeypatch.setattr(module, "BASE", request.param)
    return request.param


def logits(shape: tuple[int, ...] = (6, 5), offset: float = 0.0, scale: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator) * scale + offset


@pytest.mark.usefixtures("way", "base")
@pytest.mark.parametrize("offset", [0.0, 30.0, -30.0, 1e4, -1e4])
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
@pytest.mark.parametrize("shape", [(6, 5), (2, 3, 5), (2, 2, 2, 3)])
def test_values_are_pytorchs(shape: tuple[int, ...], scale: float, offset: float) -> None:
    values = logits(shape, offset, scale)
    exact = values.double()
    rounding = 1e-7 * (scale + abs(offset))
    log_probs, probs = _softmax.both_softmax(values)
    for found in (log_probs, _softmax.log_softmax(values)):
        torch.testing.assert_close(
            found.double(), exact.log_softmax(-1), rtol=1e-6, atol=1e-6 + rounding
        )
    for found in (probs, _softmax.softmax(values), _softmax.exp(log_probs)):
        torch.testing.assert_close(
            found.double(), exact.softmax(-1), rtol=1e-5, atol=1e-6 + rounding
        )


@pytest.mark.usefixtures("way", "base")
def test_a_class_that_is_ruled_out_and_a_number_that_is_none() -> None:
    values = logits()
    values[0, 1], values[2, 3], values[3, 0] = -torch.inf, torch.nan, torch.inf
    with torch.no_grad():
        log_probs, probs = _softmax.both_softmax(values)
        again = _softmax.softmax(values)
    for found in (probs, again):
        torch.testing.assert_close(found, values.softmax(-1), equal_nan=True)
        assert found[0, 1] == 0
    torch.testing.assert_close(log_probs, values.log_softmax(-1), equal_nan=True)


@pytest.mark.usefixtures("way", "base")
@pytest.mark.parametrize("offset", [0.0, 20.0, -300.0])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_equal_those_in_double_precision(name: str, offset: float) -> None:
    student, teacher = logits(offset=offset).requires_grad_(), logits().flip(0)
    value = LOSSES[name](student, teacher)
    (gradient,) = torch.autograd.grad(value, student)
    assert gradient.is_contiguous() or "hard" in name  # PyTorch's own nodes give what they have
    double = student.detach().double().requires_grad_()
    exact = LOSSES[name](double, teacher.double())
    (slope,) = torch.autograd.grad(exact, double)
    rounding = 1e-6 + 1e-7 * abs(offset)
    torch.testing.assert_close(value.double(), exact, rtol=1e-5, atol=rounding * 5)
    torch.testing.assert_close(gradient.double(), slope, rtol=1e-5, atol=rounding)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_cross_entropy_over_few_classes_is_pytorchs(
    size: float, reduction: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_softmax, "SOME", 0)
    values = (logits((2, 5, 7)) * size).to(dtype).requires_grad_()
    labels = torch.randint(7, (2, 5), generator=torch.Generator().manual_seed(1))
    found = 3 * _surprise.surprise(values, labels, reduction)
    flat = values.float() if dtype == torch.bfloat16 else values
    expected = 3 * F.cross_entropy(flat.flatten(0, 1), labels.flatten(), reduction=reduction)
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
    (slope,) = torch.autograd.grad(found, values)
    (wanted,) = torch.autograd.grad(expected, values)
    assert slope.dtype == dtype
    torch.testing.assert_close(slope, wanted, rtol=tolerance, atol=tolerance)


def test_few_classes_are_laid_out_anew_only_where_that_pays() -> None:
    classes = _softmax.NARROW - 1
    assert _softmax.is_narrow(torch.zeros(1000, classes))
    assert not _softmax.is_narrow(torch.zeros(1000, classes + 1))
    assert not _softmax.is_narrow(torch.zeros(_softmax.SOME // classes, classes))
    assert not torch.func.vmap(lambda row: torch.tensor(_softmax.is_narrow(row)), out_dims=None)(
        torch.zeros(2, 1000, classes)
    )


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (6, 6)])
def test_mlkd_takes_the_smaller_matrices(shape: tuple[int, int]) -> None:
    student = logits(shape).double().requires_grad_()
    teacher = logits(shape).double().flip(0)
    expected = torch.zeros(())
    for temperature in (1.0, 4.0):
        q, p = ((z / temperature).softmax(-1) for z in (student, teacher))
        expected = expected + losses.kd(student, teacher, temperature=temperature) / 2
        expected = expected + (q @ q.T - p @ p.T).square().sum() / shape[0] / 2
        expected = expected + (q.T @ q - p.T @ p).square().sum() / shape[1] / 2
    found = losses.mlkd(student, teacher, temperatures=[1.0, 4.0])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    (slope,) = torch.autograd.grad(found, student)
    (wanted,) = torch.autograd.grad(expected, student)
    torch.testing.assert_close(slope, wanted, rtol=1e-9, atol=1e-14)
