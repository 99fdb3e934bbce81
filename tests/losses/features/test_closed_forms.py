"""Numbers that can be worked out by hand from the papers' equations."""

from __future__ import annotations

import math

import pytest
import torch

from didact import losses

ROOT = math.sqrt(2)
CORNER = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])


def test_hint_is_the_mean_squared_difference() -> None:
    value = losses.hint(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.zeros(1, 4))
    assert value.item() == pytest.approx(30 / 4)


def test_attention_ignores_the_size_of_features_and_the_number_of_channels() -> None:
    teacher = torch.tensor([[[3.0, 4.0]]])
    assert losses.attention_transfer(10 * teacher.repeat(1, 5, 1), teacher).item() < 1e-12
    # attention (9, 16)/sqrt(337) against (1, 0): ((1 - 9/sqrt 337)^2 + (16/sqrt 337)^2) / 2
    other = torch.tensor([[[7.0, 0.0]]])
    expected = ((1 - 9 / math.sqrt(337)) ** 2 + 256 / 337) / 2
    assert losses.attention_transfer(other, teacher).item() == pytest.approx(expected)


def test_attention_of_power_one_adds_absolute_values() -> None:
    student, teacher = torch.tensor([[[3.0, -4.0]]]), torch.tensor([[[1.0, 0.0]]])
    expected = ((0.6 - 1) ** 2 + 0.8**2) / 2
    assert losses.attention_transfer(student, teacher, power=1).item() == pytest.approx(expected)


def test_similarity_of_orthogonal_and_of_equal_samples() -> None:
    # rows (1, 0), (0, 1) against (1, 1)/sqrt 2 twice: 4 * ((1 - 1/sqrt 2)^2 + 1/2) / 2 / 4
    expected = ((1 - 1 / ROOT) ** 2 + 0.5) / 2
    value = losses.similarity_preserving(torch.eye(2), torch.ones(2, 5))
    assert value.item() == pytest.approx(expected)


def test_rkd_distance_of_a_right_triangle_and_a_line() -> None:
    # sides 3, 4, 5 (mean 4) against 1, 1, 2 (mean 4/3); each pair twice, nine ordered pairs
    line = torch.tensor([[1.0], [0.0], [2.0]])
    errors = [3 / 4 - 3 / 4, 4 / 4 - 3 / 4, 5 / 4 - 6 / 4]
    expected = sum(e**2 for e in errors) / 9
    assert losses.rkd_distance(line, CORNER).item() == pytest.approx(expected)


def test_rkd_angle_of_a_right_triangle_and_a_line() -> None:
    # cosines at the three corners: 0, 3/5, 4/5 against -1, 1, 1 of a line with the first between
    line = torch.tensor([[0.0], [1.0], [-1.0]])
    errors = [1.0, 1 - 3 / 5, 1 - 4 / 5]
    expected = sum(2 * e**2 / 2 for e in errors) / 27
    assert losses.rkd_angle(line, CORNER).item() == pytest.approx(expected)


def test_rkd_distance_between_equal_points_is_zero_and_in_the_mean() -> None:
    teacher = torch.tensor([[0.0], [0.0], [0.0], [1.0]])
    student = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
    # means 6 and 1/2: pairs (0,2) and (1,2) differ by 3/2, (0,3) and (1,3) by 1/2, (2,3) by 2
    expected = 2 * (2 * 1.0 + 2 * 0.125 + 1.5) / 16
    assert losses.rkd_distance(student, teacher).item() == pytest.approx(expected)


def test_rkd_huber_is_linear_beyond_one() -> None:
    # distances of an outlier 0.1, 0.2, 20, 0.1, 19.9, 19.8 (mean 60.1 / 6) against 1 2 3 1 2 1
    # (mean 10 / 6): one error is above 1
    outlier = [6 * d / 60.1 for d in (0.1, 0.2, 20.0, 0.1, 19.9, 19.8)]
    line = [0.6 * d for d in (1, 2, 3, 1, 2, 1)]
    errors = [abs(a - b) for a, b in zip(outlier, line, strict=True)]
    assert sum(e > 1 for e in errors) == 2
    expected = 2 * sum(e - 0.5 if e > 1 else e**2 / 2 for e in errors) / 16
    student = torch.tensor([[0.0], [0.1], [0.2], [20.0]])
    teacher = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    assert losses.rkd_distance(student, teacher).item() == pytest.approx(expected, rel=1e-5)


def test_pkt_of_three_samples() -> None:
    # student: kernels 1/2 everywhere, so q = 1/2; teacher: sample 2 equals sample 1
    student, teacher = torch.eye(3), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    # rows of p: (2/3, 1/3), (2/3, 1/3), (1/2, 1/2)
    row = 2 / 3 * math.log(4 / 3) + 1 / 3 * math.log(2 / 3)
    assert losses.pkt(student, teacher).item() == pytest.approx(2 * row / 3)


def test_nst_of_one_channel_each() -> None:
    # k(t, t) + k(s, s) - 2 (s . t)^2 with unit maps at 60 degrees
    student, teacher = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[1.0, math.sqrt(3)]]])
    assert losses.nst(student, teacher).item() == pytest.approx(2 - 2 * 0.25)


def test_nst_is_the_same_by_moments_and_by_kernels() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, 7).double(), torch.randn(2, 4, 7).double()
    fine = torch.nn.functional.pad(student, (0, 9)), torch.nn.functional.pad(teacher, (0, 9))
    torch.testing.assert_close(losses.nst(*fine), losses.nst(student, teacher), rtol=1e-12, atol=0)


def test_cc_of_opposite_samples() -> None:
    # cosines 1 and -1 against 1 and 1: sum_p w_p (1 - (-1)^p) = 2 w_1 off the diagonal
    student, teacher = torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [1.0]])
    weight = math.exp(-0.8) * 0.8
    assert losses.cc(student, teacher).item() == pytest.approx((2 * weight) ** 2 * 2 / 4)
    cubic = weight + math.exp(-0.8) * 0.8**3 / 6
    value = losses.cc(student, teacher, order=3)
    assert value.item() == pytest.approx((2 * cubic) ** 2 * 2 / 4)


def test_cc_approaches_the_gaussian_kernel() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(5, 3).double(), torch.randn(5, 4).double()

    def kernel(points: torch.Tensor) -> torch.Tensor:
        directions = points / points.norm(dim=1, keepdim=True)
        return torch.exp(-0.4 * torch.cdist(directions, directions) ** 2)

    expected = (kernel(student) - kernel(teacher)).square().mean()
    torch.testing.assert_close(losses.cc(student, teacher, order=20), expected)


def test_fsp_sums_over_consecutive_pairs() -> None:
    layers = [torch.full((1, 1, 2), 2.0), torch.full((1, 1, 2), 3.0), torch.full((1, 1, 2), 5.0)]
    nothing = [torch.zeros_like(layer) for layer in layers]
    assert losses.fsp(layers, nothing).item() == pytest.approx(6**2 + 15**2)


def test_ab_needs_the_right_side_and_a_margin() -> None:
    student = torch.tensor([[2.0, 0.5, -2.0, 2.0, -0.5, -2.0]])
    teacher = torch.tensor([[0.1, 0.1, 0.1, -0.1, -0.1, 0.0]])
    assert losses.ab(student, teacher).item() == pytest.approx(0.25 + 9 + 9 + 0.25)
    assert losses.ab(student, teacher, margin=0).item() == pytest.approx(4 + 4)


def test_ofd_margin_is_the_mean_of_the_negative_responses() -> None:
    torch.manual_seed(0)
    weight, bias = torch.tensor([1.5, -0.7]), torch.tensor([0.4, -0.2])
    draws = torch.randn(400_000, 2) * weight.abs() + bias
    means = torch.stack([draws[draws[:, c] < 0, c].mean() for c in range(2)])
    # A teacher far below the margin asks for exactly the margin.
    student, teacher = torch.zeros(1, 2), torch.full((1, 2), -100.0)
    for c in range(2):
        only = torch.zeros(1, 2)
        only[:, 1 - c] = -100.0  # this channel is further off than asked: it does not count
        value = losses.ofd(student + only, teacher, norm_weight=weight, norm_bias=bias)
        assert -math.sqrt(value.item()) == pytest.approx(means[c].item(), abs=0.01)


def test_ofd_of_a_channel_that_is_hardly_ever_negative_takes_three_deviations() -> None:
    value = losses.ofd(
        torch.zeros(1, 1),
        torch.full((1, 1), -100.0),
        norm_weight=torch.full((1,), 0.5),
        norm_bias=torch.full((1,), 9.0),
    )
    assert value.item() == pytest.approx(1.5**2)


def test_ickd_of_apart_and_alike_channels() -> None:
    apart, alike = torch.eye(2).reshape(1, 2, 2), torch.ones(1, 2, 3)
    expected = 2 * ((1 - 1 / ROOT) ** 2 + 0.5) / 2
    assert losses.ickd(apart, alike).item() == pytest.approx(expected)
