"""The incremental losses: slices, hand-computed numbers, and the faults of other code."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from didact import losses
from didact._core.errors import DtypeError, RangeError, ShapeError


def logits(classes: int, *, batch: int = 6, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(batch, classes, generator=generator, dtype=torch.float64)


OLD, NEW = logits(5, seed=1), logits(8)
LABELS = torch.tensor([0, 7, 5, 4, 6, 2])


def test_lwf_is_kd_on_the_first_classes_and_leaves_the_others_alone() -> None:
    student = NEW.clone().requires_grad_()
    losses.lwf(student, OLD, temperature=2.0).backward()
    assert student.grad is not None
    assert not student.grad[:, 5:].any()
    assert student.grad[:, :5].all()
    other = NEW.clone()
    other[:, 5:] = 100.0
    expected = losses.kd(NEW[:, :5], OLD, temperature=2.0)
    torch.testing.assert_close(losses.lwf(other, OLD), expected)


def test_lwf_of_two_old_classes_by_hand() -> None:
    # T = 2, teacher (2 log 3, 0): p = (3/4, 1/4); student even: 4 * (log 2 - H(p))
    teacher = torch.tensor([[2 * math.log(3), 0.0]])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    value = losses.lwf(torch.tensor([[1.0, 1.0, -7.0]]), teacher)
    assert value.item() == pytest.approx(4 * (math.log(2) - entropy), rel=1e-5)


def test_lwf_has_the_papers_gradient_times_t_squared() -> None:
    student = NEW.clone().requires_grad_()
    targets = (OLD / 2).softmax(1)
    written = F.cross_entropy(student[:, :5] / 2, targets)
    (expected,) = torch.autograd.grad(written, student)
    (found,) = torch.autograd.grad(losses.lwf(student, OLD), student)
    torch.testing.assert_close(found, 4 * expected)


def test_lwf_takes_leading_dimensions_and_a_mask() -> None:
    mask = torch.tensor([True, False, True, True, True, False])
    value = losses.lwf(NEW.reshape(2, 3, 8), OLD.reshape(2, 3, 5), mask=mask.reshape(2, 3))
    torch.testing.assert_close(value, losses.lwf(NEW[mask], OLD[mask]))


@pytest.mark.parametrize("name", ["lwf", "eeil", "binary_distillation"])
def test_old_classes_must_be_among_the_new(name: str) -> None:
    more = {"eeil": {"head_sizes": [8]}, "binary_distillation": {"labels": LABELS}}.get(name, {})
    loss = getattr(losses, name)
    with pytest.raises(ShapeError, match="the old model has 8 classes and the new one 5"):
        loss(OLD, NEW, **more)
    with pytest.raises(ShapeError, match="same samples"):
        loss(NEW, OLD[:1], **more)
    with pytest.raises(ShapeError):
        loss(NEW, OLD[:, :0], **more)


def test_eeil_is_lwf_with_one_head_and_a_sum_of_kd_with_several() -> None:
    torch.testing.assert_close(losses.eeil(NEW, OLD, head_sizes=[5]), losses.lwf(NEW, OLD))
    expected = losses.kd(NEW[:, :2], OLD[:, :2], temperature=3.0) + losses.kd(
        NEW[:, 2:5], OLD[:, 2:], temperature=3.0
    )
    found = losses.eeil(NEW, OLD, head_sizes=(2, 3), temperature=3.0)
    torch.testing.assert_close(found, expected)
    shifted = OLD + torch.tensor([9.0, 9.0, -4.0, -4.0, -4.0])  # heads against each other
    torch.testing.assert_close(losses.eeil(NEW, shifted, head_sizes=(2, 3), temperature=3.0), found)


@pytest.mark.parametrize("sizes", [[2, 2], [6, -1], [5, 0], []])
def test_eeil_heads_must_add_up(sizes: list[int]) -> None:
    with pytest.raises(ShapeError, match="head_sizes"):
        losses.eeil(NEW, OLD, head_sizes=sizes)


def test_binary_distillation_by_hand() -> None:
    # student sigmoids 1/4, 3/4, 1/2; old target 3/4; new targets one-hot of class 1
    student = torch.tensor([[-math.log(3), math.log(3), 0.0]])
    teacher = torch.tensor([[math.log(3)]])
    first = -(0.75 * math.log(0.25) + 0.25 * math.log(0.75))
    expected = first - math.log(0.75) - math.log(0.5)
    value = losses.binary_distillation(student, teacher, torch.tensor([1]))
    assert value.item() == pytest.approx(expected, rel=1e-5)
    averaged = losses.binary_distillation(student, teacher, torch.tensor([1]), average_classes=True)
    assert averaged.item() == pytest.approx(expected / 3, rel=1e-5)


def test_binary_distillation_takes_the_old_models_answer_for_a_stored_example() -> None:
    first, second = LABELS.clone(), LABELS.clone()
    first[LABELS < 5], second[LABELS < 5] = 0, 4  # other old labels: the same loss
    values = [losses.binary_distillation(NEW, OLD, labels) for labels in (first, second)]
    assert values[0] == values[1]
    student = NEW.clone().requires_grad_()
    losses.binary_distillation(student, OLD, LABELS, reduction="sum").backward()
    targets = torch.cat([OLD.sigmoid(), F.one_hot(LABELS, 8)[:, 5:]], dim=1)
    torch.testing.assert_close(student.grad, NEW.sigmoid() - targets)


def test_less_forget_and_pod_flat_are_one_minus_the_cosine() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(4, 3, 2).double(), torch.randn(4, 3, 2).double()
    expected = 1 - F.cosine_similarity(student.flatten(1), teacher.flatten(1))
    for loss in (losses.lucir_less_forget, losses.podnet_flat):
        torch.testing.assert_close(loss(student, teacher, reduction="none"), expected)
        torch.testing.assert_close(loss(5 * student, teacher), expected.mean())
    assert losses.podnet_flat(torch.zeros(1, 3), torch.ones(1, 3)).item() == pytest.approx(0.5)


def test_margin_ranking_by_hand() -> None:
    scores = torch.tensor([[0.9, 0.0, 0.5, 0.6, 0.1], [0.0, 0.3, 0.5, 0.1, 0.2]])
    labels = torch.tensor([0, 1])
    # sample 0: hardest new 0.6, 0.5: relu(0.5 - 0.9 + .) = 0.2, 0.1; sample 1: 0.5, 0.2: 0.7, 0.4
    found = losses.lucir_margin(scores, labels, old_classes=2, reduction="none")
    torch.testing.assert_close(found, torch.tensor([0.15, 0.55]))
    one = losses.lucir_margin(scores, labels, old_classes=2, negatives=1, margin=0.25)
    assert one.item() == pytest.approx((0.0 + 0.45) / 2)
    every = losses.lucir_margin(scores, labels, old_classes=2, negatives=99, reduction="none")
    torch.testing.assert_close(every[0], torch.tensor(0.3 / 3))


def test_margin_ranking_is_about_samples_of_old_classes_alone() -> None:
    labels = torch.tensor([0, 1, 2, 7, 5, 4])
    student = NEW.clone().requires_grad_()
    value = losses.lucir_margin(student, labels, old_classes=5, margin=9.0)
    value.backward()
    old = labels < 5
    assert student.grad is not None
    assert not student.grad[~old].any()
    expected = losses.lucir_margin(NEW[old], labels[old], old_classes=5, margin=9.0)
    torch.testing.assert_close(value.detach(), expected)
    nobody = losses.lucir_margin(student, torch.full((6,), 7), old_classes=5)
    assert nobody.item() == 0
    (gradient,) = torch.autograd.grad(nobody, student)
    assert not gradient.any()


def test_margin_ranking_refuses_what_makes_no_sense() -> None:
    for options in ({"old_classes": 0}, {"old_classes": 8}, {"margin": -1}, {"negatives": 0}):
        with pytest.raises(RangeError, match=next(iter(options))):
            losses.lucir_margin(NEW, LABELS, **{"old_classes": 5, **options})


def test_pod_spatial_by_hand() -> None:
    # one channel: squares (1, 4; 9, 16): rows 5, 25, columns 10, 20; the other (1, 1; 1, 1): 2 each
    student = torch.tensor([[[[1.0, -2.0], [3.0, 4.0]]]])
    teacher = torch.ones(1, 1, 2, 2)
    pooled = torch.tensor([5.0, 25.0, 10.0, 20.0])
    expected = (pooled / pooled.norm() - 0.5).norm().item()
    assert losses.podnet_spatial(student, teacher).item() == pytest.approx(expected)
    squared = losses.podnet_spatial(student, teacher, squared=True)
    assert squared.item() == pytest.approx(expected**2, rel=1e-5)
    with pytest.raises(ShapeError, match="at least 4"):
        losses.podnet_spatial(student[0], teacher[0])


def test_pod_spatial_does_not_see_where_only_sums_count() -> None:
    # two maps with the same row and column sums of squares
    left = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    assert losses.podnet_spatial(left, left.flip(-1)).item() == 0
    assert losses.podnet_spatial(left, torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])).item() > 0.1


def test_nca_margin_has_an_effect_and_the_hinge_is_at_zero() -> None:
    scores, labels = torch.tensor([[0.5, 0.25, 0.0]]), torch.tensor([0])
    others = math.log(math.exp(0.25) + 1)
    for margin in (0.0, 0.6, 5.0):
        value = losses.podnet_nca(scores, labels, margin=margin)
        assert value.item() == pytest.approx(max(others - 0.5 + margin, 0), rel=1e-5)
    assert losses.podnet_nca(torch.tensor([[9.0, 0.0]]), labels).item() == 0
    scale = torch.tensor(3.0, requires_grad=True)
    value = losses.podnet_nca(scores, labels, scale=scale)
    others = math.log(math.exp(0.75) + 1)
    assert value.item() == pytest.approx(others - 3 * (0.5 - 0.6), rel=1e-5)
    value.backward()
    assert scale.grad is not None
    assert scale.grad.item() != 0
    with pytest.raises(RangeError, match="at least 2"):
        losses.podnet_nca(torch.ones(1, 1), labels)
    with pytest.raises(RangeError, match="margin"):
        losses.podnet_nca(scores, labels, margin=-1)


def test_afc_weighs_channels() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    importance = torch.tensor([2.0, 0.0])
    each = losses.afc(student, teacher, importance=importance, reduction="none")
    expected = 2 * (student[:, 0] - teacher[:, 0]).square().sum(1)
    torch.testing.assert_close(each, expected)
    twice = losses.afc(
        torch.cat([student, student]), torch.cat([teacher, teacher]), importance=importance
    )
    torch.testing.assert_close(twice, expected.mean())
    with pytest.raises(ShapeError, match=r"importance is \(1,\)"):
        losses.afc(student, teacher, importance=torch.ones(1))
    with pytest.raises(DtypeError, match="importance"):
        losses.afc(student, teacher, importance=torch.ones(2).long())
