"""Numbers of the papers, against slow references in float64 written from the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.nn import functional as F

from didact import losses
from didact.data import Batch
from didact.methods.der_plus_plus import distance_to_stored
from didact.methods.foster import balanced_kl, effective_weights
from didact.methods.kit.bias import fit_bias
from didact.methods.kit.gradients import mean_over_samples
from didact.methods.kit.importance import add_importances, penalty_weights_of, quadratic_penalty
from didact.methods.kit.nearest_mean import class_means, nearest_mean_scores
from didact.methods.kit.projection import project_all, project_average
from didact.methods.kit.ridge import ridge_classifier
from didact.methods.kit.softened import softened_kl
from didact.methods.mas import squared_length
from didact.methods.podnet import centres_of
from didact.methods.ranpac import PENALTIES, choose_penalty
from didact.methods.si import path_importances
from didact.methods.slda import deviations_from_running_means
from didact.methods.ssil import separated_cross_entropy
from didact.methods.wa import align


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def labels_of(count: int, classes: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(classes, (count,), generator=generator)


# BiC


@pytest.mark.parametrize("bias", [0.0, 3.0])
@pytest.mark.parametrize("ridge", [0.0, 1e-3])
def test_bic_finds_the_two_numbers(bias: float, ridge: float) -> None:
    labels = labels_of(80, 5)
    logits = drawn(80, 5) + 1.5 * F.one_hot(labels, 5)
    logits[:, 3:] = 2.0 * logits[:, 3:] + bias
    scores, targets = logits.double().numpy(), labels.numpy()

    def cross_entropy(point: np.ndarray) -> float:
        total = 0.0
        for row, target in zip(scores, targets, strict=True):
            q = [row[c] if c < 3 else point[0] * row[c] + point[1] for c in range(5)]
            total += math.log(sum(math.exp(value) for value in q)) - q[target]
        return total / len(scores) + ridge / 2 * ((point[0] - 1) ** 2 + point[1] ** 2)

    expected = minimize(cross_entropy, [1.0, 0.0], method="Nelder-Mead", tol=1e-10).x
    found = fit_bias(logits, labels, old_classes=3, ridge=ridge)
    assert found == pytest.approx(tuple(expected), abs=1e-4)


def test_bic_undoes_a_known_bias() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * drawn(20000, 4, seed=3)
    labels = torch.multinomial(logits.softmax(-1), 1, generator=generator).squeeze(1)
    biased = logits.clone()
    biased[:, 2:] = (logits[:, 2:] + 1.0) / 0.5
    alpha, beta = fit_bias(biased, labels, old_classes=2)
    assert alpha == pytest.approx(0.5, abs=0.02)
    assert beta == pytest.approx(-1.0, abs=0.1)


def test_bic_stays_finite_where_nothing_is_mistaken() -> None:
    logits = 50 * F.one_hot(torch.arange(4)).float()
    assert all(math.isfinite(v) for v in fit_bias(logits, torch.arange(4), old_classes=2))


# WA


def test_wa_brings_new_vectors_to_the_old_length() -> None:
    weight = drawn(5, 7).double()
    before = weight.clone()
    gamma = align(weight, 3)
    old = np.mean([math.sqrt(sum(x * x for x in row)) for row in before[:3].tolist()])
    new = np.mean([math.sqrt(sum(x * x for x in row)) for row in before[3:].tolist()])
    assert gamma == pytest.approx(old / new, rel=1e-12)
    torch.testing.assert_close(weight[3:], before[3:] * (old / new))
    assert torch.equal(weight[:3], before[:3])


@pytest.mark.parametrize("old_classes", [0, 5])
def test_wa_does_nothing_with_one_kind_of_classes(old_classes: int) -> None:
    weight = drawn(5, 7)
    before = weight.clone()
    assert align(weight, old_classes) == 1.0
    assert torch.equal(weight, before)


# EWC and MAS


class TwoParameters(nn.Module):
    """Logits ``(a x, b x^2)``."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(0.7))
        self.b = nn.Parameter(torch.tensor(-0.4))

    def forward(self, images: Tensor) -> Tensor:
        return torch.stack([self.a * images[:, 0], self.b * images[:, 0] ** 2], dim=-1)


def batches_of(values: Tensor, size: int) -> list[Batch]:
    zeros = torch.zeros(len(values), dtype=torch.int64)
    return [
        Batch(values[k : k + size].unsqueeze(1), zeros[k : k + size], zeros[k : k + size])
        for k in range(0, len(values), size)
    ]


def test_fisher_of_two_parameters_in_closed_form() -> None:
    network, xs = TwoParameters(), drawn(9)
    fisher: dict[str, Tensor] = {}
    for place in range(2):

        def root(logits: Tensor, _: Tensor, place: int = place) -> Tensor:
            log_prob = logits.log_softmax(-1)[place]
            return (log_prob.detach() / 2).exp() * log_prob

        fisher = add_importances(fisher, mean_over_samples(network, batches_of(xs, 4), root, 2))
    expected_a = expected_b = 0.0
    for x in xs.double().tolist():
        odds = math.exp(0.7 * x + 0.4 * x * x)
        p = odds / (1 + odds)
        expected_a += p * (1 - p) * x**2 / 9  # the logits' covariance is p(1-p)
        expected_b += p * (1 - p) * x**4 / 9
    assert float(fisher["a"]) == pytest.approx(expected_a, rel=1e-4)
    assert float(fisher["b"]) == pytest.approx(expected_b, rel=1e-4)


def test_mas_importance_of_two_parameters_in_closed_form() -> None:
    xs = drawn(9)
    found = mean_over_samples(TwoParameters(), batches_of(xs, 2), squared_length, 1)
    expected_a = sum(abs(2 * 0.7 * x * x) for x in xs.double().tolist()) / 9
    expected_b = sum(abs(2 * -0.4 * x**4) for x in xs.double().tolist()) / 9
    assert float(found["a"]) == pytest.approx(expected_a, rel=1e-4)
    assert float(found["b"]) == pytest.approx(expected_b, rel=1e-4)


def test_the_penalty_looks_at_the_part_that_was_there() -> None:
    parameters = {"w": torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)}
    value = quadratic_penalty(
        parameters, {"w": torch.tensor([[0.0, 0.0]])}, {"w": torch.tensor([[2.0, 1.0]])}
    )
    assert value.item() == (2 * 1 + 1 * 4) / 2
    (gradient,) = torch.autograd.grad(value, [parameters["w"]])
    assert gradient.tolist() == [[2.0, 2.0], [0.0, 0.0]]


def test_penalty_weights_have_an_upper_bound_and_growth_counts_zero() -> None:
    assert penalty_weights_of({"w": torch.tensor([0.1, 5.0])}, 4.0)["w"].tolist() == pytest.approx(
        [0.4, 10.0]
    )
    grown = add_importances({"w": torch.ones(2)}, {"w": torch.ones(3)}, decay=0.5)
    assert grown["w"].tolist() == [1.5, 1.5, 1.0]


# SI


def test_si_path_integral_on_a_quadratic() -> None:
    """On ``a/2 p^2`` small steps add up to the loss that was gained, ``a/2 (start^2 - end^2)``."""
    curvature = torch.tensor([1.0, 4.0], dtype=torch.float64)
    point = torch.tensor([2.0, -1.0], dtype=torch.float64)
    start, path = point.clone(), torch.zeros(2, dtype=torch.float64)
    for _ in range(20000):
        gradient = curvature * point
        step = -1e-4 * gradient
        path -= gradient * step
        point = point + step
    gained = curvature / 2 * (start**2 - point**2)
    torch.testing.assert_close(path, gained, rtol=1e-3, atol=0)
    found = path_importances({"p": path}, {"p": start}, {"p": point}, 0.1)["p"]
    torch.testing.assert_close(found, path / ((point - start) ** 2 + 0.1))
    negative = path_importances({"p": -path}, {"p": start}, {"p": point}, 0.1)["p"]
    assert negative.tolist() == [0.0, 0.0]


# GEM and A-GEM


def test_agem_projection() -> None:
    gradient, reference = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])
    turned = project_average(gradient, reference)
    assert turned.tolist() == [0.5, 0.5]
    assert float(turned @ reference) == 0.0
    agreeing = torch.tensor([1.0, 1.0])
    assert project_average(gradient, agreeing) is gradient


@pytest.mark.parametrize("seed", range(4))
def test_gem_projection_is_the_nearest_that_is_allowed(seed: int) -> None:
    rows, gradient = drawn(3, 6, seed=seed).double(), drawn(6, seed=seed + 9).double()
    found = project_all(gradient, rows)
    assert bool((rows @ found >= -1e-9).all())
    constraints = [{"type": "ineq", "fun": lambda v, row=row: row @ v} for row in rows.numpy()]
    expected = minimize(
        lambda v: ((v - gradient.numpy()) ** 2).sum(), np.zeros(6), constraints=constraints
    ).x
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


def test_gem_with_a_margin_turns_further() -> None:
    rows, gradient = torch.tensor([[-1.0, 1.0]]), torch.tensor([1.0, 0.0])
    assert project_all(gradient, rows).tolist() == pytest.approx([0.5, 0.5])
    assert float(rows[0] @ project_all(gradient, rows, strength=0.75)) > 0.4
    assert project_all(gradient, -rows) is gradient


# Nearest means, prototypes, statistics of features


def test_nearest_mean_of_normalised_features() -> None:
    features, labels = drawn(12, 4).double(), torch.arange(12) % 3
    means = class_means(features, labels, 4)
    for label in range(3):
        rows = [f / math.sqrt(sum(f * f)) for f in features[labels == label].numpy()]
        mean = sum(rows) / len(rows)
        np.testing.assert_allclose(means[label].numpy(), mean / math.sqrt(sum(mean * mean)))
    assert bool(means[3].isnan().all())
    scores = nearest_mean_scores(features, means)
    for row, feature in zip(scores, features.numpy(), strict=True):
        unit = feature / math.sqrt(sum(feature * feature))
        for label in range(3):
            expected = -sum((unit - means[label].numpy()) ** 2)
            assert float(row[label]) == pytest.approx(expected)
        assert float(row[3]) == -math.inf


def test_ridge_solution() -> None:
    hidden, targets = drawn(30, 5).double(), F.one_hot(labels_of(30, 3), 3).double()
    found = ridge_classifier(hidden.T @ hidden, hidden.T @ targets, 0.3)
    stacked = np.vstack([hidden.numpy(), math.sqrt(0.3) * np.eye(5)])
    padded = np.vstack([targets.numpy(), np.zeros((5, 3))])
    expected = np.linalg.lstsq(stacked, padded, rcond=None)[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-10)


@pytest.mark.parametrize("samples", [20, 90])
def test_ranpac_chooses_the_penalty_of_the_least_error(samples: int) -> None:
    hidden, labels = drawn(samples, 40).double(), labels_of(samples, 3)
    targets = F.one_hot(labels, 3).double()
    hidden[:, :3] += targets
    fitted, errors = int(0.8 * samples), []
    for penalty in PENALTIES[3:]:  # below, the reference's plain inverse loses its digits
        gram = hidden[:fitted].T @ hidden[:fitted] + penalty * torch.eye(40).double()
        weight = torch.linalg.inv(gram) @ hidden[:fitted].T @ targets[:fitted]
        error = (hidden[fitted:] @ weight - targets[fitted:]).square().mean()
        errors.append((float(error), penalty))
    assert choose_penalty(hidden, targets) == min(errors)[1]


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_slda_is_that_of_a_stream_of_single_samples(cut: int) -> None:
    features, labels = drawn(20, 3).double(), labels_of(20, 4)
    covariance, means = torch.zeros(3, 3).double(), torch.zeros(4, 3).double()
    counts = [0] * 4
    for t, (feature, label) in enumerate(zip(features, labels.tolist(), strict=True)):
        away = feature - means[label] if counts[label] else torch.zeros(3).double()
        covariance = (t * covariance + t / (t + 1) * torch.outer(away, away)) / (t + 1)
        means[label] = (counts[label] * means[label] + feature) / (counts[label] + 1)
        counts[label] += 1
    sums, seen = torch.zeros(4, 3).double(), torch.zeros(4).double()
    scatter = torch.zeros(3, 3).double()
    for part in (slice(0, cut), slice(cut, None)):
        x, y = features[part], labels[part]
        away = deviations_from_running_means(x, y, sums, seen)
        times = seen.sum() + torch.arange(len(x))
        scatter += (away * (times / (times + 1)).unsqueeze(1)).T @ away
        sums.index_add_(0, y, x)
        seen += torch.bincount(y, minlength=4)
    torch.testing.assert_close(scatter / 20, covariance)
    torch.testing.assert_close(sums / seen.clamp(min=1).unsqueeze(1), means)


def test_proxies_are_the_centres_of_the_features() -> None:
    groups = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    features = groups.repeat_interleave(5, 0) + 0.01 * drawn(15, 2)
    centres = centres_of(features, 3, 0)
    nearest = torch.cdist(groups.double(), centres).min(1)
    assert sorted(nearest.indices.tolist()) == [0, 1, 2]
    assert float(nearest.values.max()) < 0.05
    assert centres_of(features[:1], 4, 0).shape == (4, 2)


# Losses that a method makes of its own


def test_the_papers_distillation_has_no_factor() -> None:
    student, teacher = drawn(4, 5), drawn(4, 3, seed=2)
    expected = 0.0
    for s, t in zip(student.double(), teacher.double(), strict=True):
        p, q = (t / 2).softmax(0), (s[:3] / 2).softmax(0)
        expected += float((p * (p / q).log()).sum()) / 4
    assert softened_kl(student, teacher, 2.0).item() == pytest.approx(expected, rel=1e-5)


def test_separated_softmax() -> None:
    logits, labels = drawn(6, 5), torch.tensor([0, 4, 1, 3, 2, 4])
    expected = 0.0
    for row, label in zip(logits.double(), labels.tolist(), strict=True):
        part = row[:3] if label < 3 else row[3:]
        expected += float(part.logsumexp(0) - row[label]) / 6
    assert separated_cross_entropy(logits, labels, 3).item() == pytest.approx(expected, rel=1e-5)


def test_effective_number_of_samples() -> None:
    counts, beta = torch.tensor([2, 50, 0]), 0.97
    raw = [(1 - beta) / (1 - beta**n) for n in (2, 50, 1)]
    expected = [value / (sum(raw) / 3) for value in raw]
    assert effective_weights(counts, beta).tolist() == pytest.approx(expected, rel=1e-5)
    assert effective_weights(counts, 0.0).tolist() == [1.0, 1.0, 1.0]


def test_balanced_distillation() -> None:
    student, teacher, weights = drawn(3, 4), drawn(3, 4, seed=5), torch.tensor([0.5, 1, 1.5, 1])
    expected = 0.0
    for s, t in zip(student.double(), teacher.double(), strict=True):
        p = (t / 2).softmax(0) * weights.double()
        p = p / p.sum()
        q = (s / 2).softmax(0)
        expected += float((p * (p / q).log()).sum()) / 3
    assert balanced_kl(student, teacher, weights, 2.0).item() == pytest.approx(expected, rel=1e-5)


def test_stored_logits_count_where_their_classes_existed() -> None:
    stored = torch.tensor([[1.0, 2.0, torch.nan], [0.0, 0.0, 1.0]])
    now = torch.tensor([[1.0, 0.0, 9.0, 9.0], [0.0, 0.0, 4.0, 9.0]])
    assert distance_to_stored(now, stored).item() == pytest.approx((4 / 2 + 9 / 3) / 2)


def test_lucir_margin_on_given_vectors() -> None:
    vectors = F.normalize(drawn(5, 3).double(), dim=-1)
    features, labels = F.normalize(drawn(4, 3, seed=8).double(), dim=-1), torch.tensor([0, 2, 3, 1])
    total = count = 0.0
    for feature, label in zip(features, labels.tolist(), strict=True):
        if label < 3:
            cosines = [float(feature @ vector) for vector in vectors]
            hardest = sorted(cosines[3:], reverse=True)[:2]
            total += sum(max(0.0, 0.5 - cosines[label] + hard) for hard in hardest) / 2
            count += 1
    found = losses.lucir_margin(features @ vectors.T, labels, old_classes=3)
    assert float(found) == pytest.approx(total / count)
