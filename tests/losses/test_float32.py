"""The losses in float32 against themselves in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from didact import losses

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


def logits(shape: tuple[int, ...] = (6, 5), offset: float = 0.0, scale: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator) * scale + offset


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
