"""Losses with several teachers: identities, and wrong lists and weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from didact import losses
from didact._core.errors import DtypeError, NonFiniteError, RangeError, ShapeError, UsageError

WITH_WEIGHTS = [losses.kd_mean_probs, losses.kd_geometric_mean, losses.kd_weighted_sum]
LABELS = torch.tensor([0, 1, 2, 3])


def logits() -> tuple[Tensor, list[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    student, *teachers = torch.randn(4, 4, 5, generator=generator, dtype=torch.float64) * 2
    return student.requires_grad_(), teachers


@pytest.mark.parametrize("loss", WITH_WEIGHTS)
def test_one_teacher_is_kd(loss: Callable[..., Tensor]) -> None:
    student, teachers = logits()
    torch.testing.assert_close(loss(student, teachers[:1]), losses.kd(student, teachers[0]))
    alone = loss(student, teachers, weights=[0.0, 1.0, 0.0])
    torch.testing.assert_close(alone, losses.kd(student, teachers[1]))


def test_the_weighted_sum_is_the_sum_of_kd() -> None:
    student, teachers = logits()
    weights = [0.2, 0.3, 0.5]
    expected = sum(w * losses.kd(student, t) for w, t in zip(weights, teachers, strict=True))
    torch.testing.assert_close(losses.kd_weighted_sum(student, teachers, weights=weights), expected)


def test_mean_of_probabilities_and_weighted_sum_have_one_gradient() -> None:
    student, teachers = logits()
    (mixed,) = torch.autograd.grad(losses.kd_mean_probs(student, teachers), student)
    (summed,) = torch.autograd.grad(losses.kd_weighted_sum(student, teachers), student)
    torch.testing.assert_close(mixed, summed)
    assert losses.kd_mean_probs(student, teachers) < losses.kd_weighted_sum(student, teachers)


def test_mean_of_probabilities_is_zero_at_the_mean() -> None:
    _, teachers = logits()
    mean = torch.stack([(t / 4).softmax(-1) for t in teachers]).mean(0)
    assert losses.kd_mean_probs(4 * mean.log(), teachers).abs() < 1e-12


def test_geometric_mean_is_zero_at_the_mean_of_the_logits() -> None:
    _, teachers = logits()
    assert losses.kd_geometric_mean(torch.stack(teachers).mean(0), teachers).abs() < 1e-12


def test_confidence_prefers_the_teacher_that_knows() -> None:
    student, teachers = logits()
    sure = torch.nn.functional.one_hot(LABELS, 5).double() * 50
    found = losses.kd_confidence_weighted(student, [sure, teachers[0] - sure], LABELS)
    torch.testing.assert_close(found, losses.kd(student, sure))
    alone = losses.kd_confidence_weighted(student, teachers[:1], LABELS)
    torch.testing.assert_close(alone, losses.kd(student, teachers[0]))


def test_equally_confident_teachers_weigh_the_same() -> None:
    student, teachers = logits()
    shared = [teachers[0] + 0, teachers[0] + 0, teachers[0] + 1]
    found = losses.kd_confidence_weighted(student, shared, LABELS)
    torch.testing.assert_close(found, losses.kd_weighted_sum(student, shared))


def test_routes_choose_the_teacher_of_each_sample() -> None:
    student, teachers = logits()
    routes = torch.tensor([2, 0, 1, 2])
    each = [losses.kd(student, t, reduction="none") for t in teachers]
    expected = torch.stack([each[r][i] for i, r in enumerate(routes.tolist())])
    torch.testing.assert_close(
        losses.kd_routed(student, teachers, routes, reduction="none"), expected
    )
    teachers[0][0] = torch.nan  # sample 0 belongs to teacher 2
    assert losses.kd_routed(student, teachers, routes).isfinite()


def test_wrong_routes_are_refused() -> None:
    student, teachers = logits()
    with pytest.raises(RangeError, match="routes holds 3; expected teacher numbers from 0 to 2"):
        losses.kd_routed(student, teachers, torch.tensor([0, 1, 2, 3]))
    with pytest.raises(ShapeError, match="routes"):
        losses.kd_routed(student, teachers, torch.tensor([0]))
    with pytest.raises(DtypeError, match="routes"):
        losses.kd_routed(student, teachers, torch.zeros(4))


@pytest.mark.parametrize("loss", WITH_WEIGHTS)
def test_wrong_weights_are_refused(loss: Callable[..., Tensor]) -> None:
    student, teachers = logits()
    with pytest.raises(RangeError, match=r"sums to 1\.5; expected a sum of 1"):
        loss(student, teachers, weights=[0.5, 0.5, 0.5])
    with pytest.raises(RangeError, match="from 0 up"):
        loss(student, teachers, weights=[1.5, -0.5, 0.0])
    with pytest.raises(UsageError, match="expected 3"):
        loss(student, teachers, weights=[0.5, 0.5])
    with pytest.raises(UsageError, match="empty"):
        loss(student, [])


@pytest.mark.parametrize("loss", WITH_WEIGHTS)
def test_the_teacher_at_fault_is_named(loss: Callable[..., Tensor]) -> None:
    student, teachers = logits()
    with pytest.raises(ShapeError, match=r"teachers_logits\[1\] is \(4, 4\)"):
        loss(student, [teachers[0], teachers[1][:, :4], teachers[2]])
    teachers[2][1, 1] = torch.nan
    with pytest.raises(NonFiniteError, match=r"teachers_logits\[2\] holds NaN"):
        loss(student, teachers)
