"""Inputs on which feature losses in circulation give NaN, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from didact import losses
from didact._core.errors import DtypeError, NonFiniteError, RangeError, ShapeError

Loss = Callable[[Tensor, Tensor], Tensor]
ON_MAPS: dict[str, Loss] = {
    "hint": losses.hint,
    "attention_transfer": losses.attention_transfer,
    "similarity_preserving": losses.similarity_preserving,
    "rkd_distance": losses.rkd_distance,
    "rkd_angle": losses.rkd_angle,
    "rkd": losses.rkd,
    "pkt": losses.pkt,
    "nst": losses.nst,
    "cc": losses.cc,
    "ab": losses.ab,
    "ofd": lambda s, t: losses.ofd(
        s, t, norm_weight=torch.ones(s.shape[1]), norm_bias=torch.zeros(s.shape[1])
    ),
    "ickd": losses.ickd,
    "fsp": lambda s, t: losses.fsp([s, s], [t, t]),
    "lucir_less_forget": losses.lucir_less_forget,
    "podnet_spatial": losses.podnet_spatial,
    "podnet_flat": losses.podnet_flat,
    "afc": lambda s, t: losses.afc(s, t, importance=torch.ones(s.shape[1])),
}
MATCHES = sorted(n for n in ON_MAPS if losses.CARDS[n].kind == "match")
RELATIONS = ("similarity_preserving", "rkd_distance", "rkd_angle", "rkd", "pkt", "cc")
SCALE_FREE = sorted(
    {*RELATIONS, "attention_transfer", "nst", "ickd", "lucir_less_forget", "podnet_spatial"}
)


def maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradient(loss: Loss, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    student = student.clone().requires_grad_()
    value = loss(student, teacher)
    (found,) = torch.autograd.grad(value, student)
    return value.detach(), found


@pytest.mark.parametrize("name", MATCHES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_equal_sides_give_zero_and_no_gradient(name: str, dtype: torch.dtype) -> None:
    both = maps(4, 3, 3, 3).to(dtype)
    value, found = gradient(ON_MAPS[name], both, both.clone())
    assert abs(value.item()) < 1e-12
    assert found.abs().max().item() < (1e-12 if dtype == torch.float64 else 1e-6)


@pytest.mark.parametrize("name", sorted(ON_MAPS))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_zeros_equal_samples_and_constant_maps_are_finite(name: str, dtype: torch.dtype) -> None:
    usual = maps(4, 3, 2, 2).to(dtype)
    equal, constant = usual[:1].expand(4, 3, 2, 2), torch.ones_like(usual)
    twin = usual.clone()
    twin[1] = twin[0]
    for student in (usual, torch.zeros_like(usual), equal, constant, twin, -usual):
        for teacher in (usual, torch.zeros_like(usual), equal, constant):
            value, found = gradient(ON_MAPS[name], student, teacher)
            assert value.isfinite()
            assert found.isfinite().all()


@pytest.mark.parametrize("name", sorted(ON_MAPS))
def test_a_batch_of_one_is_defined(name: str) -> None:
    value, found = gradient(ON_MAPS[name], maps(1, 3, 2, 2), maps(1, 3, 2, 2, seed=1))
    assert value.isfinite()
    assert found.isfinite().all()
    if name in RELATIONS:
        assert value < 1e-12
        assert found.abs().max() < 1e-12


@pytest.mark.parametrize("name", SCALE_FREE)
def test_the_size_of_either_sides_features_does_not_matter(name: str) -> None:
    student, teacher = maps(4, 3, 2, 2), maps(4, 3, 2, 2, seed=1)
    value = ON_MAPS[name](student, teacher)
    torch.testing.assert_close(ON_MAPS[name](7 * student, teacher), value)
    torch.testing.assert_close(ON_MAPS[name](student, 0.01 * teacher), value)


@pytest.mark.parametrize("name", RELATIONS)
def test_the_order_of_the_samples_does_not_matter(name: str) -> None:
    student, teacher, order = maps(5, 4), maps(5, 7, seed=1), torch.tensor([3, 1, 4, 0, 2])
    value = ON_MAPS[name](student[order], teacher[order])
    torch.testing.assert_close(value, ON_MAPS[name](student, teacher))
    assert not torch.isclose(ON_MAPS[name](student[order], teacher), value)


@pytest.mark.parametrize("name", sorted(ON_MAPS))
def test_a_teacher_that_is_not_finite_is_named(name: str) -> None:
    for wrong in (torch.nan, torch.inf):
        teacher = maps(4, 3, 2, 2)
        teacher[1, 2, 0, 1] = wrong
        if name == "ab" and wrong == torch.inf:
            teacher[1, 2, 0, 1] = torch.nan
        with pytest.raises(NonFiniteError, match="teacher_features holds"):
            ON_MAPS[name](maps(4, 3, 2, 2, seed=1), teacher)


@pytest.mark.parametrize("name", sorted(ON_MAPS))
def test_batches_must_be_the_same(name: str) -> None:
    with pytest.raises(ShapeError, match=r"\(4, 3, 2, 2\).*\(1, 3, 2, 2\)"):
        ON_MAPS[name](maps(4, 3, 2, 2), maps(1, 3, 2, 2))
    with pytest.raises(DtypeError, match="teacher_features"):
        ON_MAPS[name](maps(4, 3, 2, 2), torch.ones(4, 3, 2, 2, dtype=torch.int64))
    with pytest.raises(ShapeError, match="empty batch"):
        ON_MAPS[name](maps(0, 3, 2, 2), maps(0, 3, 2, 2))


@pytest.mark.parametrize("name", ["attention_transfer", "nst"])
def test_maps_of_other_sizes_are_not_stretched(name: str) -> None:
    with pytest.raises(ShapeError, match="adaptive_avg_pool2d"):
        ON_MAPS[name](maps(2, 3, 4, 4), maps(2, 5, 2, 2))
    with pytest.raises(ShapeError, match="at least 3"):
        ON_MAPS[name](maps(2, 3), maps(2, 3))


@pytest.mark.parametrize("name", ["hint", "ab", "ofd", "podnet_spatial", "podnet_flat", "afc"])
def test_channels_are_not_broadcast(name: str) -> None:
    with pytest.raises(ShapeError, match="projector"):
        ON_MAPS[name](maps(2, 3, 2, 2), maps(2, 1, 2, 2))


def test_layers_that_do_not_belong_together_are_refused() -> None:
    one, wide, large = maps(2, 3, 2, 2), maps(2, 5, 2, 2), maps(2, 3, 4, 4)
    with pytest.raises(ShapeError, match="at least 2"):
        losses.fsp([one], [one])
    with pytest.raises(ShapeError, match="2 layers and teacher_features 3"):
        losses.fsp([one, one], [one, one, one])
    with pytest.raises(ShapeError, match="1x1 convolution"):
        losses.fsp([one, wide], [one, one])
    with pytest.raises(ShapeError, match="consecutive layers"):
        losses.fsp([one, large], [one, one])
    with pytest.raises(ShapeError, match="1x1 convolution"):
        losses.ickd(one, wide)
    assert losses.fsp([one, one], [large, large]) > 0


def test_options_out_of_range_are_refused() -> None:
    both = maps(2, 3, 2, 2)
    for wrong in (
        lambda: losses.attention_transfer(both, both, power=0),
        lambda: losses.cc(both, both, gamma=0),
        lambda: losses.cc(both, both, order=0),
        lambda: losses.ab(both, both, margin=-1),
    ):
        with pytest.raises(RangeError):
            wrong()
    with pytest.raises(ShapeError, match="norm_weight"):
        losses.ofd(both, both, norm_weight=torch.ones(2), norm_bias=torch.ones(3))
    with pytest.raises(DtypeError, match="norm_bias"):
        losses.ofd(both, both, norm_weight=torch.ones(3), norm_bias=torch.ones(3).long())


def test_close_points_far_from_the_origin_keep_their_angles() -> None:
    corner = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    here = (corner / 8 + 1000).float()  # exact in float32; the products are not
    value, found = gradient(losses.rkd_angle, here, corner.float())
    assert value.item() < 1e-12
    assert found.isfinite().all()
    assert losses.rkd_distance(here, corner.float()).item() < 1e-12


def test_ofd_counts_each_sample_alone() -> None:
    student, teacher = maps(3, 2, 2), maps(3, 2, 2, seed=1)
    norm = {"norm_weight": torch.tensor([1.0, 0.5]), "norm_bias": torch.tensor([0.1, -0.3])}
    each = losses.ofd(student, teacher, **norm, reduction="none")
    twice = losses.ofd(torch.cat([student, student]), torch.cat([teacher, teacher]), **norm)
    torch.testing.assert_close(twice, each.mean())
    for n in range(3):
        alone = losses.ofd(student[n : n + 1], teacher[n : n + 1], **norm)
        torch.testing.assert_close(alone, each[n])
