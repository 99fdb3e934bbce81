"""The gradient by hand equals the plain formula, and gives way where it cannot serve."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from didact import losses
from didact.losses.fast import features

LABELS = torch.tensor([0, 3, 1, 4, 2, 0])
Loss = Callable[[Tensor, Tensor], Tensor]
ON_MAPS: dict[str, Loss] = {
    "hint": losses.hint,
    "attention_transfer": losses.attention_transfer,
    "attention_transfer, power 3": lambda s, t: losses.attention_transfer(s, t, power=3.0),
    "nst, few positions": losses.nst,
    "nst, many positions": lambda s, t: losses.nst(s[:, :2], t[:, :1]),
    "ickd": losses.ickd,
    "ab": losses.ab,
    "ofd": lambda s, t: losses.ofd(
        s, t, norm_weight=torch.ones(5).to(s), norm_bias=torch.arange(5).to(s) - 2
    ),
    "similarity_preserving": losses.similarity_preserving,
    "cc": lambda s, t: losses.cc(s, t, order=3),
    "pkt": losses.pkt,
    "rkd_distance": losses.rkd_distance,
    "lucir_less_forget": losses.lucir_less_forget,
    "podnet_spatial": losses.podnet_spatial,
    "podnet_spatial, squared": lambda s, t: losses.podnet_spatial(s, t, squared=True),
    "podnet_flat": losses.podnet_flat,
    "afc": lambda s, t: losses.afc(s, t, importance=torch.arange(5).to(s)),
    "binary_distillation": lambda s, t: losses.binary_distillation(
        s[..., 0, 0], t[:, :3, 0, 0], LABELS
    ),
    "lucir_margin": lambda s, _: losses.lucir_margin(s[..., 0, 0], LABELS, old_classes=3),
    "podnet_nca": lambda s, _: losses.podnet_nca(s[..., 0, 0], LABELS, scale=1.5),
}


def maps(seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(6, 5, 3, 2, generator=generator, dtype=torch.float64).to(dtype)


def measured(loss: Loss, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    student = student.detach().requires_grad_()
    value = 3 * loss(student, teacher)
    return value.detach(), torch.autograd.grad(value, student)[0]


def plainly(loss: Loss, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """By the differentiable formula, which ``torch.func`` needs."""
    gradient, value = torch.func.grad_and_value(lambda s: 3 * loss(s, teacher))(student)
    return value, gradient


def equal(found: tuple[Tensor, Tensor], expected: tuple[Tensor, Tensor], tolerance: float) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("chunk", [1, 70, 10_000])
@pytest.mark.parametrize("name", ON_MAPS)
def test_value_and_gradient_equal_the_plain_formula(
    name: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "CHUNK", chunk)
    student, teacher = maps(0), maps(1)
    expected = plainly(ON_MAPS[name], student, teacher)
    equal(measured(ON_MAPS[name], student, teacher), expected, 1e-10)
    value = 3 * ON_MAPS[name](student, teacher)
    torch.testing.assert_close(value, expected[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ON_MAPS)
def test_any_layout_in_memory_will_do(name: str) -> None:
    student, teacher = maps(0, torch.float32), maps(1, torch.float32)
    expected = plainly(ON_MAPS[name], student, teacher)
    last = student.to(memory_format=torch.channels_last)
    equal(measured(ON_MAPS[name], last, teacher), expected, 1e-4)
    strided = student.transpose(1, 3).contiguous().transpose(1, 3)
    equal(measured(ON_MAPS[name], strided, teacher.transpose(2, 3).clone().mT), expected, 1e-4)


@pytest.mark.parametrize("name", ON_MAPS)
def test_it_may_be_differentiated_twice_and_again(name: str) -> None:
    student, teacher = maps(0).requires_grad_(), maps(1)
    value = ON_MAPS[name](student, teacher)
    (first,) = torch.autograd.grad(value, student, retain_graph=True)
    (again,) = torch.autograd.grad(value, student, retain_graph=True)
    torch.testing.assert_close(first, again, rtol=1e-10, atol=1e-12)
    (graphed,) = torch.autograd.grad(value, student, create_graph=True)
    (second,) = torch.autograd.grad(graphed.square().sum() + 0 * student.sum(), student)
    slope = torch.func.grad(lambda s: ON_MAPS[name](s, teacher))
    expected = torch.func.grad(lambda s: slope(s).square().sum())(student.detach())
    torch.testing.assert_close(second, expected, rtol=1e-8, atol=1e-12)


def test_a_changed_student_is_noticed_before_a_second_pass() -> None:
    student, teacher = maps(0).requires_grad_(), maps(1)
    layer = student * 1
    value = losses.ab(layer, teacher)
    layer.add_(1)
    value.backward(retain_graph=True)  # made beforehand, of the student as it was
    torch.testing.assert_close(student.grad, measured(losses.ab, maps(0), teacher)[1] / 3)
    with pytest.raises(RuntimeError, match="inplace"):
        value.backward()


def test_distances_in_float32_are_taken_where_nothing_cancels() -> None:
    generator = torch.Generator().manual_seed(0)
    apart = torch.randn(2, 192, 240, generator=generator, dtype=torch.float64)
    close = apart.clone()
    close[0, 1] = close[0, 0] + 1e-4 * close[0, 2]
    for student, teacher in (apart.float(), close.float(), (close + 100).float()):
        expected = measured(losses.rkd_distance, student.double(), teacher.double())
        found = measured(losses.rkd_distance, student, teacher)
        for mine, exact in zip(found, expected, strict=True):
            off = (mine.double() - exact).abs().max() / exact.abs().max()
            assert off < 1e-5
