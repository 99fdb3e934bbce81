"""Losses on logits: closed forms, identities between them, limits, and wrong arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from didact import losses
from didact._core.errors import (
    DidactError,
    DtypeError,
    NonFiniteError,
    RangeError,
    ShapeError,
    UsageError,
)

DOUBLE = torch.float64


def row(*numbers: float) -> Tensor:
    return torch.tensor([numbers], dtype=DOUBLE)


def pair(samples: int = 6, classes: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    both = torch.randn(2, samples, classes, generator=generator, dtype=DOUBLE) * 2
    return both[0], both[1]


def bits(*probabilities: float) -> Tensor:
    """Logits whose softmax is the given distribution."""
    return row(*probabilities).log()


# KL((1/2,1/2) || (1/4,3/4)) = log(2/sqrt 3); KL((1/4,3/4) || (1/2,1/2)) = log 2 - H(1/4)
FORWARD = math.log(2 / math.sqrt(3))
REVERSE = math.log(2) + 0.25 * math.log(0.25) + 0.75 * math.log(0.75)
# H(m) - (H(p) + H(q)) / 2 with m = (3/8, 5/8): 3 log 2 - (3 log 3 + 5 log 5) / 8 = H(m)
JSD = 3 * math.log(2) - (3 * math.log(3) + 5 * math.log(5)) / 8 - math.log(2) + REVERSE / 2


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.forward_kl, FORWARD),
        (losses.reverse_kl, REVERSE),
        (losses.symmetric_kl, 0.125 * math.log(3)),
        (losses.total_variation, 0.25),
        (lambda s, t: losses.generalised_jsd(s, t, normalise=False), JSD),
        (losses.generalised_jsd, 4 * JSD),
        (lambda s, t: losses.skew_kl(s, t, alpha=0.5), 0.5 * math.log(16 / 15)),
        (losses.hard_kd, math.log(4)),
        (losses.mse_logits, math.log(2) ** 2 + math.log(1.5) ** 2),
    ],
)
def test_fair_coin_as_teacher_of_a_biased_one(loss: Callable[..., Tensor], expected: float) -> None:
    assert loss(bits(0.25, 0.75), bits(0.5, 0.5)).item() == pytest.approx(expected, abs=1e-9)


def test_kd_at_temperature_one_is_torch_kl_div() -> None:
    student, teacher = pair()
    expected = F.kl_div(student.log_softmax(-1), teacher.softmax(-1), reduction="batchmean")
    torch.testing.assert_close(losses.kd(student, teacher, temperature=1.0), expected)


def test_kd_at_a_high_temperature_is_the_regression_of_centred_logits() -> None:
    """Hinton et al. 2015, section 2.1: the gradient tends to (s - t) / classes."""
    student, teacher = (z - z.mean(-1, keepdim=True) for z in pair())
    student.requires_grad_()
    (hot,) = torch.autograd.grad(losses.kd(student, teacher, temperature=1e4), student)
    (limit,) = torch.autograd.grad(losses.mse_logits(student, teacher) / (2 * 8), student)
    torch.testing.assert_close(hot, limit, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("beta", [1e-7, 1e-3, 0.3, 0.5, 0.999, 1 - 1e-7])
@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_generalised_jsd_is_continuous_in_beta(beta: float, dtype: torch.dtype) -> None:
    student, teacher = (z.to(dtype) / 2 for z in pair())
    here = losses.generalised_jsd(student, teacher, beta=beta)
    for end, limit in ((0.0, losses.forward_kl), (1.0, losses.reverse_kl)):
        at_end = losses.generalised_jsd(student, teacher, beta=end)
        torch.testing.assert_close(at_end, limit(student, teacher))
        if abs(beta - end) < 1e-6:
            torch.testing.assert_close(here, at_end, rtol=1e-5, atol=1e-6)
    low, high = sorted((losses.forward_kl(student, teacher), losses.reverse_kl(student, teacher)))
    assert 0.5 * low < here < 1.5 * high


def test_generalised_jsd_at_the_papers_scale_vanishes_at_both_ends() -> None:
    student, teacher = pair()
    for beta in (0.0, 1.0):
        assert losses.generalised_jsd(student, teacher, beta=beta, normalise=False) == 0
    half = losses.generalised_jsd(row(90, 0), row(0, 90), normalise=False)
    assert half.item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("skewed", "limit"),
    [(losses.skew_kl, losses.forward_kl), (losses.skew_reverse_kl, losses.reverse_kl)],
)
def test_skew_divergences_start_at_kl_and_are_bounded(
    skewed: Callable[..., Tensor], limit: Callable[..., Tensor]
) -> None:
    student, teacher = pair()
    torch.testing.assert_close(skewed(student, teacher, alpha=0.0), limit(student, teacher))
    assert skewed(row(1e4, 0), row(0, 1e4), alpha=0.1).item() == pytest.approx(math.log(10))
    with pytest.raises(RangeError, match="alpha"):
        skewed(student, teacher, alpha=1.0)


def test_total_variation_is_at_most_one() -> None:
    assert losses.total_variation(row(1e4, 0), row(0, 1e4)).item() == 1.0


def test_dkd_decouples_kd() -> None:
    """Zhao et al. 2022, equation 6: KD = TCKD + (1 - p_target) NCKD."""
    student, teacher = pair()
    labels = torch.tensor([0, 1, 2, 3, 4, 5])

    def part(**weights: float) -> Tensor:
        return losses.dkd(student, teacher, labels, reduction="none", temperature=3.0, **weights)

    p_target = (teacher / 3).softmax(-1).gather(-1, labels[:, None]).squeeze(-1)
    whole = part(alpha=1.0, beta=0.0) + (1 - p_target) * part(alpha=0.0, beta=1.0)
    torch.testing.assert_close(
        whole, losses.kd(student, teacher, temperature=3.0, reduction="none")
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", [1.0, 50.0, 1e4])
def test_dkd_with_two_classes_is_the_target_part(size: float, dtype: torch.dtype) -> None:
    student = torch.tensor([[size, -size], [-size, size]], dtype=dtype, requires_grad=True)
    teacher = torch.tensor([[-size, size], [-size, size]], dtype=dtype)
    labels = torch.tensor([0, 1])
    value = losses.dkd(student, teacher, labels)
    torch.testing.assert_close(value, losses.kd(student, teacher), rtol=1e-5, atol=1e-6)
    value.backward()
    assert student.grad is not None
    assert student.grad.isfinite().all()


def test_dkd_without_labels_takes_the_teachers_choice() -> None:
    student, teacher = pair()
    chosen = losses.dkd(student, teacher, teacher.argmax(-1))
    assert torch.equal(losses.dkd(student, teacher), chosen)
    with pytest.raises(ShapeError, match="one class"):
        losses.dkd(student[:, :1], teacher[:, :1])


def test_dist_is_blind_to_the_scale_and_shift_of_probabilities() -> None:
    teacher = bits(0.5, 0.3, 0.2)
    line = 0.5 * row(0.5, 0.3, 0.2) + 0.5 / 3
    assert losses.dist(line.log(), teacher, gamma=0.0).item() == pytest.approx(0.0, abs=1e-12)
    opposite = bits(0.2, 0.3, 0.4, 0.1), bits(0.3, 0.2, 0.1, 0.4)
    assert losses.dist(*opposite, gamma=0.0).item() == pytest.approx(2.0)


def test_dist_of_vectors_that_do_not_vary() -> None:
    flat, varied = torch.zeros(2, 3), torch.tensor([[3.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    assert losses.dist(flat, flat) == 0
    assert losses.dist(flat, varied).item() == pytest.approx(2.0)


def test_standardised_logits_have_mean_zero_and_deviation_one() -> None:
    logits = losses.standardise_logits(pair()[0])
    torch.testing.assert_close(logits.mean(-1), torch.zeros(6, dtype=DOUBLE))
    torch.testing.assert_close(logits.std(-1, correction=0), torch.ones(6, dtype=DOUBLE))
    flat = torch.full((1, 3), 1e4, requires_grad=True)
    losses.standardise_logits(flat).sum().backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()


@pytest.mark.parametrize("name", ["kd", "reverse_kl", "dkd", "dist", "mse_logits"])
def test_standardised_wraps_any_loss(name: str) -> None:
    loss = getattr(losses, name)
    student, teacher = pair()
    student.requires_grad_()
    teacher.requires_grad_()
    wrapped = losses.standardised(loss)(student, teacher)
    scaled = losses.standardised(loss)(5 * student + 3, teacher / 2 - 1)
    torch.testing.assert_close(wrapped, scaled)
    wrapped.backward()
    assert student.grad is not None
    assert teacher.grad is None


def test_standardised_kd_is_kd_of_standardised_logits() -> None:
    student, teacher = pair()
    expected = losses.standardised(losses.kd)(student, teacher, temperature=2.0)
    assert torch.equal(losses.standardised_kd(student, teacher), expected)


def test_curriculum_reverses_the_gradient_of_the_temperature() -> None:
    student, teacher = pair()
    loss = losses.CurriculumKD().double()
    plain = loss.temperature.detach().requires_grad_()
    (slope,) = torch.autograd.grad(losses.kd(student, teacher, temperature=plain), plain)
    (own,) = torch.autograd.grad(loss.temperature, loss.parameter)
    for progress, reversal in ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0)):
        value = loss(student, teacher, progress=progress)
        (gradient,) = torch.autograd.grad(value, loss.parameter)
        torch.testing.assert_close(gradient, -reversal * slope * own)
    with pytest.raises(RangeError, match="progress"):
        loss(student, teacher, progress=1.5)
    with pytest.raises(RangeError, match="span"):
        losses.CurriculumKD(span=0.0)


def test_curriculum_ascends_the_loss() -> None:
    student, teacher = pair()
    loss = losses.CurriculumKD().double()
    before = loss(student, teacher)
    before.backward()
    with torch.no_grad():
        for parameter in loss.parameters():
            assert parameter.grad is not None
            parameter -= 0.1 * parameter.grad
    assert loss(student, teacher) > before


def test_cross_entropy_and_kd_is_the_weighted_sum_of_both() -> None:
    student, teacher = pair()
    labels = torch.tensor([0, -1, 2, 3, -1, 5])
    loss = partial(losses.cross_entropy_and_kd, kd_weight=0.3, temperature=2.0, ignore_index=-1)
    hard = F.cross_entropy(student, labels, ignore_index=-1)
    for distil_unlabelled, taught in ((False, labels >= 0), (True, labels > -2)):
        found = loss(student, teacher, labels, distil_unlabelled=distil_unlabelled)
        soft = losses.kd(student, teacher, temperature=2.0, mask=taught)
        torch.testing.assert_close(found, 0.7 * hard + 0.3 * soft)


@pytest.mark.parametrize("samples", [6, 6000])  # by the formula, and in one pass
def test_what_the_labels_ignore_the_teacher_ignores_too_unless_told(samples: int) -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, samples, 8, generator=generator, dtype=torch.float64)
    labels = torch.full((samples,), -100)
    assert losses.cross_entropy_and_kd(student, teacher, labels).item() == 0
    found = losses.cross_entropy_and_kd(
        student, teacher, labels, kd_weight=0.5, distil_unlabelled=True
    )
    torch.testing.assert_close(found, 0.5 * losses.kd(student, teacher))
    labels[::2] = 3
    spoilt = torch.where(labels.unsqueeze(-1) < 0, torch.nan, teacher)
    leaf = student.clone().requires_grad_()
    losses.cross_entropy_and_kd(leaf, spoilt, labels).backward()
    own = student[::2].clone().requires_grad_()
    losses.cross_entropy_and_kd(own, teacher[::2], labels[::2]).backward()
    assert leaf.grad is not None
    torch.testing.assert_close(leaf.grad[::2], own.grad)
    assert not leaf.grad[1::2].any()


def test_hard_kd_is_cross_entropy_with_the_teachers_choice() -> None:
    student, teacher = pair()
    expected = F.cross_entropy(student, teacher.argmax(-1))
    torch.testing.assert_close(losses.hard_kd(student, teacher), expected)


def test_binary_kd_is_soft_binary_cross_entropy_less_the_teachers_entropy() -> None:
    student, teacher = pair()
    target = teacher.sigmoid()
    cross = F.binary_cross_entropy_with_logits(student, target, reduction="none")
    entropy = F.binary_cross_entropy_with_logits(teacher, target, reduction="none")
    torch.testing.assert_close(losses.binary_kd(student, teacher), (cross - entropy).sum(-1).mean())


def test_mlkd_at_one_temperature_contains_kd() -> None:
    student, teacher = pair(samples=1, classes=2)
    q, p = ((z / 4).softmax(-1) for z in (student, teacher))
    gram = (q @ q.T - p @ p.T).square().sum() + (q.T @ q - p.T @ p).square().sum() / 2
    expected = losses.kd(student, teacher) + gram
    torch.testing.assert_close(losses.mlkd(student, teacher, temperatures=[4.0]), expected)
    with pytest.raises(UsageError, match="temperatures"):
        losses.mlkd(student, teacher, temperatures=[])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 1.0, 3.0]))
def test_top_k_is_a_lower_bound_that_rises_with_k(seed: int, temperature: float) -> None:
    student, teacher = pair(seed=seed)
    full = losses.forward_kl(student, teacher, temperature=temperature, reduction="none")
    bounds = [
        losses.top_k_kd(student, teacher, k=k, temperature=temperature, reduction="none")
        for k in range(1, 10)
    ]
    for lower, higher in zip(bounds, [*bounds[1:], full], strict=True):
        assert (lower <= higher + 1e-12).all()
    for same in bounds[6:]:
        torch.testing.assert_close(same, full)


def test_top_k_lacks_what_the_docstring_says() -> None:
    student, teacher = pair(samples=1)
    p, q = teacher.softmax(-1)[0], student.softmax(-1)[0]
    rest = p.argsort(descending=True)[3:]
    p_rest, q_rest = p[rest], q[rest]
    gap = (p_rest * ((p_rest / p_rest.sum()) / (q_rest / q_rest.sum())).log()).sum()
    found = losses.forward_kl(student, teacher) - losses.top_k_kd(student, teacher, k=3)
    torch.testing.assert_close(found, gap)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 30.0), st.floats(0.5, 20.0))
def test_kd_equals_the_plain_formula_for_any_size_of_logits(
    seed: int, size: float, temperature: float
) -> None:
    student, teacher = (size * z for z in pair(seed=seed))
    expected = F.kl_div(
        (student / temperature).log_softmax(-1),
        (teacher / temperature).log_softmax(-1),
        log_target=True,
        reduction="batchmean",
    )
    found = losses.kd(student, teacher, temperature=temperature)
    torch.testing.assert_close(found, expected * temperature**2, rtol=1e-9, atol=1e-9)


def test_messages_say_what_to_do() -> None:
    s, t = torch.zeros(4, 10), torch.zeros(4, 8)
    with pytest.raises(
        ShapeError, match=r"the teacher knows 8 classes; pass student_logits\[..., :8\]"
    ):
        losses.kd(s, t)
    with pytest.raises(ShapeError, match=r"the student knows 8 classes; pass teacher_logits"):
        losses.kd(t, s)
    with pytest.raises(ShapeError, match="empty batch"):
        losses.kd(s[:0], s[:0])
    with pytest.raises(ShapeError, match="unsqueeze"):
        losses.kd(s[0], s[0])
    with pytest.raises(UsageError, match="batchmean"):
        losses.kd(s, s, reduction="batchmean")  # type: ignore[arg-type]
    spoilt = s.clone()
    spoilt[2, 3] = math.nan
    with pytest.raises(NonFiniteError, match=r"teacher_logits holds NaN.*\(2, 3\)"):
        losses.kd(s, spoilt)
    spoilt[2, 3] = math.inf
    with pytest.raises(NonFiniteError, match="infinity"):
        losses.kd(s, spoilt)


@pytest.mark.parametrize(
    "loss",
    [
        losses.total_variation,
        losses.skew_kl,
        losses.skew_reverse_kl,
        losses.dist,
        losses.hard_kd,
        partial(losses.top_k_kd, k=3),
        lambda s, t: losses.kd_mean_probs(s, [t, t]),
        lambda s, t: losses.cross_entropy_and_hard_kd(s, t, torch.zeros(6, dtype=torch.int64)),
    ],
)
def test_a_class_ruled_out_is_one_of_very_small_logits(loss: Callable[..., Tensor]) -> None:
    """-inf where the loss has a limit; +inf and NaN are named."""
    student, teacher = pair()
    student.requires_grad_()
    results = []
    for low in (-math.inf, -1e4):
        teacher[:, 5] = low
        value = loss(student, teacher)
        results.append((value, torch.autograd.grad(value, student)[0]))
    torch.testing.assert_close(results[0], results[1])
    for wrong in (math.inf, math.nan):
        teacher[2, 3] = wrong
        with pytest.raises(NonFiniteError, match="teacher"):
            loss(student, teacher)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_hard_distillation_bears_classes_that_the_student_rules_out(reduction: str) -> None:
    student, teacher = pair()
    student, teacher = student.float(), teacher.float()
    student[:, 5], teacher[:, 5] = -math.inf, -5.0
    labels = torch.arange(6) % 5
    value = losses.cross_entropy_and_hard_kd(student, teacher, labels, reduction=reduction)
    chosen = F.cross_entropy(student, teacher.argmax(1), reduction=reduction)
    torch.testing.assert_close(
        value, (F.cross_entropy(student, labels, reduction=reduction) + chosen) / 2
    )


@pytest.mark.parametrize("label", [-101, -1, 8])
def test_labels_that_an_operation_would_refuse_are_named(label: int) -> None:
    student, teacher = pair()
    labels = torch.tensor([0, 1, 2, 3, 4, label])
    with pytest.raises(RangeError, match=f"labels holds {label}"):
        losses.cross_entropy_and_hard_kd(student, teacher, labels)
    with pytest.raises(RangeError, match=f"labels holds {label}"):
        losses.binary_distillation(student, teacher[:, :5], labels)


def test_infinity_behind_a_standardisation_is_named_as_such() -> None:
    student, teacher = pair()
    teacher[2, 3] = math.inf
    for loss in (losses.standardised_kd, losses.standardised(losses.kd)):
        with pytest.raises(NonFiniteError, match=r"teacher_logits holds infinity.*\(2, 3\)"):
            loss(student, teacher)


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("shape", [(4, 6), (200, 300)])
def test_dist_has_one_value_by_both_ways(shape: tuple[int, int], scale: float) -> None:
    """Without a gradient the plain operations serve, with one the node and its short cuts."""
    torch.manual_seed(0)
    student, teacher = torch.randn(2, *shape, dtype=DOUBLE) * scale
    with_node = losses.dist(student.requires_grad_(), teacher)
    reference = losses.dist(student.detach(), teacher)
    torch.testing.assert_close(with_node, reference)


def test_nan_of_the_student_stays_a_nan_loss() -> None:
    """A training loop that skips such a step (a gradient scaler) must be able to."""
    student, teacher = pair()
    student[0, 0] = math.nan
    assert losses.kd(student, teacher).isnan()


@pytest.mark.parametrize("loss", [losses.cross_entropy_and_kd, losses.cross_entropy_and_hard_kd])
def test_share_of_the_teacher_is_a_share(loss: Callable[..., Tensor]) -> None:
    student, teacher = pair()
    with pytest.raises(RangeError, match="kd_weight"):
        loss(student, teacher, torch.zeros(6, dtype=torch.int64), kd_weight=1.5)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s, t: losses.dkd(s, t, beta=-1.0),
        lambda s, t: losses.dist(s, t, gamma=math.inf),
        lambda s, t: losses.generalised_jsd(s, t, beta=1.1),
        lambda s, t: losses.top_k_kd(s, t, k=0),
        lambda s, t: losses.mlkd(s, t, temperatures=[0.0]),
    ],
)
def test_numbers_out_of_range_are_refused(wrong: Callable[[Tensor, Tensor], Tensor]) -> None:
    with pytest.raises(DidactError, match="expected"):
        wrong(*pair())


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_sample_without_a_label_does_not_count_in_dkd(reduction: str) -> None:
    student, teacher = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    labels, known = torch.tensor([1, -100, 3, -100, 0]), torch.tensor([0, 2, 4])
    found = losses.dkd(student, teacher, labels, reduction=reduction)
    expected = losses.dkd(student[known], teacher[known], labels[known], reduction=reduction)
    torch.testing.assert_close(found[known] if reduction == "none" else found, expected)
    if reduction == "none":
        assert found[labels == -100].tolist() == [0, 0]
    with pytest.raises(RangeError, match="-1"):
        losses.dkd(student, teacher, labels.clamp_min(-1))
    nothing = losses.dkd(student, teacher, torch.full_like(labels, -100))
    assert nothing.item() == 0


def test_a_sample_without_a_label_keeps_the_choice_of_the_teacher_where_told() -> None:
    student, teacher = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    labels, known = torch.tensor([1, -100, 3, 2, 0]), torch.tensor([0, 2, 3, 4])
    loss = partial(losses.cross_entropy_and_hard_kd, student, teacher, labels, kd_weight=0.3)
    true = F.cross_entropy(student[known], labels[known])
    chosen = F.cross_entropy(student, teacher.argmax(-1))
    torch.testing.assert_close(loss(distil_unlabelled=True), 0.7 * true + 0.3 * chosen)
    chosen = F.cross_entropy(student[known], teacher.argmax(-1)[known])
    torch.testing.assert_close(loss(), 0.7 * true + 0.3 * chosen)
    each = loss(reduction="none", distil_unlabelled=True)
    torch.testing.assert_close(each[1], 0.3 * F.cross_entropy(student[1], teacher[1].argmax()))
    assert loss(reduction="none")[1] == 0


@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 70, 20, 30)])
def test_maps_have_their_classes_where_it_is_said(size: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, *size, generator=generator)
    student.requires_grad_()
    labels = torch.randint(size[1], (size[0], *size[2:]), generator=generator)
    labels[0, 0, 0] = -100
    mask = torch.rand(labels.shape, generator=generator) > 0.3
    found = losses.cross_entropy_and_kd(student, teacher, labels, mask=mask, class_dim=1)
    rows, targets = student.movedim(1, -1)[mask], teacher.movedim(1, -1)[mask]
    expected = losses.cross_entropy_and_kd(rows, targets, labels[mask])
    torch.testing.assert_close(found, expected)
    slopes = [torch.autograd.grad(value, student)[0] for value in (found, expected)]
    torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-8)
    alone = losses.kd(student, teacher, mask=mask, class_dim=1)
    torch.testing.assert_close(alone, losses.kd(rows, targets))


def test_classes_in_another_place_are_named() -> None:
    logits, labels = torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 4, dtype=torch.int64)
    for loss in (losses.cross_entropy_and_kd, losses.dkd, losses.cross_entropy_and_hard_kd):
        with pytest.raises(ShapeError, match=r"movedim\(1, -1\)"):
            loss(logits, logits, labels)
    with pytest.raises(ShapeError, match="class_dim=4"):
        losses.kd(logits, logits, class_dim=4)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"class_dim": True}, DtypeError, "class_dim is True; expected the number of a dimension"),
        ({"class_dim": 1.5}, DtypeError, "class_dim is 1.5"),
        ({"class_dim": -1.0}, DtypeError, "class_dim is -1.0"),
        ({"class_dim": "1"}, DtypeError, "class_dim is '1'"),
        ({"class_dim": None}, DtypeError, "class_dim is None"),
        ({"temperature": "4"}, RangeError, "temperature is 4; expected a number above 0"),
        ({"temperature": None}, RangeError, "temperature is None"),
        ({"temperature": 10**400}, RangeError, "expected a number above 0"),
        ({"mask": [True] * 4}, DtypeError, "mask is list; expected a boolean tensor"),
        ({"mask": "labels"}, DtypeError, "mask is str; expected a boolean tensor"),
    ],
)
def test_an_argument_of_another_type_is_named(
    wrong: dict[str, object], error: type[Exception], words: str
) -> None:
    student, teacher = pair()
    with pytest.raises(error, match=words):
        losses.kd(student, teacher, **wrong)  # type: ignore[arg-type]
