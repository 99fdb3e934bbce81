"""Losses that own parameters: what trains, what is drawn, what a checkpoint holds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from didact import losses
from didact._core.errors import DtypeError, NonFiniteError, RangeError, ShapeError, UsageError


def maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pair() -> tuple[Tensor, Tensor]:
    return maps(4, 3, 4, 4), maps(4, 6, 4, 4, seed=1)


def stages() -> tuple[list[Tensor], list[Tensor]]:
    student, teacher = [maps(4, 3, 8, 8), maps(4, 5, 4, 4)], [maps(4, 6, 8, 8), maps(4, 7, 2, 2)]
    return student, teacher


def crd(**options: Any) -> losses.CRD:
    return losses.CRD(3, 6, **{"num_samples": 20, "negatives": 8, "embedding_dim": 5, **options})


Built = tuple[Any, tuple[Any, ...]]
BUILD: dict[str, Callable[[], Built]] = {
    "VID": lambda: (losses.VID(3, 6), pair()),
    "FT": lambda: (losses.FT(3, 6), pair()),
    "MGD": lambda: (losses.MGD(3, 6), pair()),
    "SimKD": lambda: (losses.SimKD((3, 4, 4), (6, 4, 4), nn.Linear(6, 10)), pair()),
    "ReviewKD": lambda: (losses.ReviewKD([3, 5], [6, 7]), stages()),
    "SemCKD": lambda: (losses.SemCKD([3, 5], [6, 7], batch_size=6), stages()),
    "CRD": lambda: (crd(), (maps(4, 3), maps(4, 6, seed=1), torch.tensor([3, 0, 19, 7]))),
    "InBatchCRD": lambda: (losses.InBatchCRD(3, 6), (maps(4, 3), maps(4, 6, seed=1))),
}
NAMES = sorted(BUILD)


def build(name: str, seed: int = 0) -> Built:
    torch.manual_seed(seed)
    return BUILD[name]()


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_trainable_parameters_get_gradients(name: str) -> None:
    module, inputs = build(name)
    module(*inputs).backward()
    listed = list(module.trainable_parameters())
    assert listed
    got = [p for p in module.parameters() if p.grad is not None]
    assert {id(p) for p in got} == {id(p) for p in listed}
    assert all(p.grad.isfinite().all() for p in got)
    assert sum(bool(p.grad.any()) for p in got) > len(got) / 2  # a dead unit may get none


@pytest.mark.parametrize("name", NAMES)
def test_training_the_module_lowers_the_loss(name: str) -> None:
    module, inputs = build(name)
    optimizer = torch.optim.SGD(module.trainable_parameters(), lr=1e-3)
    values = []
    for step in range(12):
        torch.manual_seed(step if name == "CRD" else 0)
        value = module(*inputs)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert sum(values[-3:]) < sum(values[:3])


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_repeats_construction_and_draws(name: str) -> None:
    values = []
    for seed in (5, 5, 6):
        module, inputs = build(name, seed)
        values.append((module(*inputs).item(), module(*inputs).item()))
    assert values[0] == values[1]
    assert values[0] != values[2]


@pytest.mark.parametrize("name", NAMES)
def test_a_state_dict_holds_all_that_the_next_value_needs(name: str) -> None:
    module, inputs = build(name)
    module(*inputs)
    other, _ = build(name, seed=9)
    other.load_state_dict(module.state_dict())
    values = []
    for each in (module, other):
        torch.manual_seed(1)
        values.append(each(*inputs).item())
    assert values[0] == values[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_teacher_that_is_not_finite_is_named(name: str) -> None:
    module, inputs = build(name)
    spoilt = copy.deepcopy(inputs[1])
    last = spoilt[-1] if isinstance(spoilt, list) else spoilt
    last[1] = torch.nan
    with pytest.raises(NonFiniteError, match="teacher_features holds NaN"):
        module(inputs[0], spoilt, *inputs[2:])


@pytest.mark.parametrize("name", NAMES)
def test_channels_are_those_it_was_built_for(name: str) -> None:
    module, inputs = build(name)
    wrong = inputs[0][::-1] if isinstance(inputs[0], list) else inputs[1]
    with pytest.raises(ShapeError, match="built for"):
        module(wrong, *inputs[1:])
    with pytest.raises(RangeError, match="at least 1"):
        {
            "SimKD": lambda: losses.SimKD((0, 4, 4), (6, 4, 4), nn.Identity()),
            "ReviewKD": lambda: losses.ReviewKD([0, 5], [6, 7]),
            "SemCKD": lambda: losses.SemCKD([], [6], batch_size=6),
            "CRD": lambda: losses.CRD(0, 6, num_samples=20),
        }.get(name, lambda: type(module)(3, 0))()


@pytest.mark.parametrize("name", ["SimKD", "ReviewKD", "SemCKD"])
def test_batch_norm_on_a_single_value_is_refused_and_fine_in_evaluation(name: str) -> None:
    module, inputs = build(name)
    if name == "SimKD":
        module = losses.SimKD((3, 1, 1), (6, 1, 1), nn.Linear(6, 10))
    single = [
        [m[:1, :, :1, :1] for m in side] if isinstance(side, list) else side[:1, :, :1, :1]
        for side in inputs
    ]
    with pytest.raises(ShapeError, match="drop_last"):
        module(*single)
    assert module.eval()(*single).isfinite()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["SimKD", "ReviewKD", "SemCKD"])
def test_batch_norm_of_maps_without_any_spread_is_finite(name: str, dtype: torch.dtype) -> None:
    module, (student, teacher) = build(name)
    lists = isinstance(student, list)
    leaves = [
        torch.full_like(maps, 1e4, dtype=dtype, requires_grad=True)
        for maps in (student if lists else [student])
    ]
    value = module(leaves if lists else leaves[0], teacher)
    assert value.isfinite()
    assert all(g.isfinite().all() for g in torch.autograd.grad(value, leaves))


@pytest.mark.parametrize("name", ["SimKD", "CRD"])
def test_in_evaluation_the_functional_gradient_is_the_same(name: str) -> None:
    module, inputs = build(name)
    module(*inputs)
    module.eval()
    kept = (torch.arange(32).reshape(4, 8) + inputs[2][:, None] + 1) % 20 if name == "CRD" else None
    rest = (*inputs[1:], kept) if name == "CRD" else inputs[1:]
    student = inputs[0].clone().requires_grad_()
    (expected,) = torch.autograd.grad(module(student, *rest), student)
    found = torch.func.grad(lambda s: module(s, *rest))(inputs[0])
    torch.testing.assert_close(found, expected)


def test_vid_starts_from_the_given_variance() -> None:
    module = losses.VID(3, 6, initial_variance=2.0)
    variance = nn.functional.softplus(module.raw_variance) + 1e-5
    torch.testing.assert_close(variance, torch.full((6,), 2.0))
    with pytest.raises(RangeError, match="initial_variance"):
        losses.VID(3, 6, initial_variance=0)


def test_ft_trains_the_paraphraser_first_and_then_leaves_it() -> None:
    module, (_, teacher) = build("FT")
    optimizer = torch.optim.Adam(module.paraphraser_parameters(), lr=1e-2)
    before = module.reconstruction(teacher).item()
    for _ in range(30):
        optimizer.zero_grad()
        module.reconstruction(teacher).backward()
        optimizer.step()
    assert module.reconstruction(teacher).item() < 0.9 * before
    assert all(p.grad is None for p in module.translator.parameters())
    assert module.freeze_paraphraser() is module
    frozen = [p for p in module.parameters() if not p.requires_grad]
    assert {id(p) for p in frozen} == {id(p) for p in module.paraphraser_parameters()}
    with pytest.raises(RangeError, match="rate"):
        losses.FT(3, 6, rate=0)


def test_mgd_masks_the_share_that_it_was_told_to() -> None:
    teacher = maps(64, 6, 8, 8)
    for masking, shape in (("positions", (64, 1, 8, 8)), ("channels", (64, 6, 1, 1))):
        keep = losses.MGD(3, 6, mask_ratio=0.25, masking=masking).draw_keep(teacher)
        assert keep.shape == shape
        assert keep.float().mean().item() == pytest.approx(0.75, abs=0.08)
    assert losses.MGD(3, 6, mask_ratio=0).draw_keep(teacher).all()


def test_mgd_sees_nothing_of_what_is_masked() -> None:
    module, (student, teacher) = build("MGD")
    keep = module.draw_keep(teacher)
    changed = torch.where(keep, student, 99.0)
    torch.testing.assert_close(module(changed, teacher, keep), module(student, teacher, keep))
    for wrong, error in ((keep.float(), DtypeError), (keep[:1], ShapeError)):
        with pytest.raises(error, match="keep"):
            module(student, teacher, wrong)
    with pytest.raises(RangeError, match="mask_ratio"):
        losses.MGD(3, 6, mask_ratio=1)
    with pytest.raises(UsageError, match="masking"):
        losses.MGD(3, 6, masking="rows")  # type: ignore[arg-type]


def test_simkd_predicts_with_the_teachers_classifier() -> None:
    torch.manual_seed(0)
    classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 10))
    module = losses.SimKD((3, 8, 8), (6, 4, 4), classifier)
    module.train()
    assert not module.classifier.training
    assert classifier.training  # the teacher's own is left alone
    assert classifier[1].weight.requires_grad
    assert not any(p.requires_grad for p in module.classifier.parameters())
    student = maps(5, 3, 8, 8)
    module.eval()
    projected = module.projector(nn.functional.avg_pool2d(student, 2)).mean((2, 3))
    expected = classifier[1](projected)
    torch.testing.assert_close(module.predict(student), expected)
    with pytest.raises(ShapeError, match="4x4"):
        module.predict(student[..., :3])


def test_reviewkd_lets_a_shallow_teacher_stage_teach_the_deep_student() -> None:
    module, (student, teacher) = build("ReviewKD")
    deep = student[1].clone().requires_grad_()
    module([student[0], deep], teacher).backward()
    with_review = deep.grad.clone()
    other = [-teacher[0], teacher[1]]
    deep.grad = None
    module([student[0], deep], other).backward()
    assert not torch.allclose(deep.grad, with_review)
    with pytest.raises(ShapeError, match="stages"):
        losses.ReviewKD([3], [6])


def test_semckd_takes_smaller_batches_but_no_larger() -> None:
    module, (student, teacher) = build("SemCKD")
    attention = module._attention([s[:3] for s in student], [t[:3] for t in teacher])
    assert attention.shape == (3, 2, 2)
    torch.testing.assert_close(attention.sum(2), torch.ones(3, 2))
    small = losses.SemCKD([3, 5], [6, 7], batch_size=3)
    with pytest.raises(ShapeError, match="batch_size=4"):
        small(student, teacher)
    with pytest.raises(RangeError, match="attention_scale"):
        losses.SemCKD([3], [6], batch_size=3, attention_scale=0)
