"""Soft decision trees against the paper's formulas, written as a recursion over nodes."""

from __future__ import annotations

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses import kd
from didact.nn import BinaryTree, SoftTree, build_model, own_terms

SHAPE, CLASSES, DEPTH = (2, 3, 4), 5, 4


def tree(depth: int = DEPTH) -> SoftTree:
    torch.manual_seed(depth)
    model = build_model(f"soft-tree-{depth}", image_shape=SHAPE, num_classes=CLASSES).double()
    assert isinstance(model, SoftTree)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model


def images(count: int = 6) -> Tensor:
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(1)).double()


def leaves_below(model: SoftTree, image: Tensor, node: int, chance: float) -> list[float]:
    """The probability of each leaf below a node that is reached with this chance."""
    inner = 2**model.depth - 1
    if node >= inner:
        return [chance]
    right = right_at(model, image, node)
    left_side = leaves_below(model, image, 2 * node + 1, chance * (1 - right))
    return left_side + leaves_below(model, image, 2 * node + 2, chance * right)


def expected_nll(model: SoftTree, batch: Tensor, targets: Tensor) -> float:
    """``sum_l P(l|x) (-sum_k t_k log Q_k(l))``, the mean over the batch."""
    total = 0.0
    for image, target in zip(batch, targets, strict=True):
        for leaf, chance in enumerate(leaves_below(model, image, 0, 1.0)):
            phi = model.classifier.weight[:, leaf].tolist()
            norm = math.log(sum(math.exp(value) for value in phi))
            total -= chance * sum(
                t * (value - norm) for t, value in zip(target.tolist(), phi, strict=True)
            )
    return total / len(batch)


@pytest.mark.parametrize("depth", [1, 2, 4, 7])
def test_leaves_have_the_probabilities_of_the_recursion(depth: int) -> None:
    model = tree(depth)
    found = model.features(images())
    assert found.shape == (6, 2**depth)
    torch.testing.assert_close(found.sum(1), torch.ones(6, dtype=torch.float64))
    rows = [leaves_below(model, image, 0, 1.0) for image in images()]
    expected = torch.tensor(rows, dtype=torch.float64)
    torch.testing.assert_close(found.detach(), expected)


def test_cross_entropy_and_the_trees_own_term_are_the_loss_of_the_paper() -> None:
    model, labels = tree(), torch.tensor([0, 1, 2, 3, 4, 0])
    loss = F.cross_entropy(model(images()), labels) + own_terms(model)["leaves"]
    expected = expected_nll(model, images(), F.one_hot(labels, CLASSES))
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-9)


def test_so_are_soft_targets_averaged_with_the_labels() -> None:
    """The targets of the paper's distilled tree; KL is less than cross-entropy by the entropy."""
    model, labels = tree(), torch.tensor([0, 1, 2, 3, 4, 0])
    teacher = torch.randn(6, CLASSES, generator=torch.Generator().manual_seed(2)).double()
    logits = model(images())
    found = 0.5 * F.cross_entropy(logits, labels) + 0.5 * kd(logits, teacher, temperature=1.0)
    found = found + own_terms(model)["leaves"]
    soft = teacher.softmax(1)
    entropy = -(soft * soft.log()).sum(1).mean()
    targets = (F.one_hot(labels, CLASSES) + soft) / 2
    expected = expected_nll(model, images(), targets)
    assert float((found + 0.5 * entropy).detach()) == pytest.approx(expected, rel=1e-9)


def test_the_balance_is_that_of_the_paper_with_a_window_for_each_depth() -> None:
    model = tree()
    reached, turned = [0.0] * 15, [0.0] * 15
    for seed in range(3):
        batch = torch.randn(8, *SHAPE, generator=torch.Generator().manual_seed(seed)).double()
        model(batch)
        found = float(own_terms(model)["balance"].detach())
        expected = 0.0
        for node in range(15):
            depth = int(math.log2(node + 1))
            arrive = [reaching(model, image, node) for image in batch]
            right = [right_at(model, image, node) for image in batch]
            rate = 2.0**-depth
            reached[node] += rate * (sum(arrive) / 8 - reached[node])
            both = sum(a * r for a, r in zip(arrive, right, strict=True)) / 8
            turned[node] += rate * (both - turned[node])
            alpha = turned[node] / reached[node]
            expected -= 0.1 * rate * 0.5 * (math.log(alpha) + math.log(1 - alpha))
        assert found == pytest.approx(expected, rel=1e-9)


def right_at(model: SoftTree, image: Tensor, node: int) -> float:
    weight, bias = model.filters.weight[node].detach(), model.filters.bias[node].detach()
    return 1 / (1 + math.exp(-float(weight @ image.flatten() + bias)))


def reaching(model: SoftTree, image: Tensor, node: int) -> float:
    if node == 0:
        return 1.0
    parent = (node - 1) // 2
    right = right_at(model, image, parent)
    return reaching(model, image, parent) * (right if node % 2 == 0 else 1 - right)


def test_the_gradient_is_that_of_differences() -> None:
    model, labels = tree(2), torch.tensor([0, 1, 2])
    weight = model.filters.weight

    def loss() -> Tensor:
        model.reached.zero_()
        model.turned.zero_()
        logits = model(images(3))
        return F.cross_entropy(logits, labels) + sum(own_terms(model).values())

    loss().backward()
    assert weight.grad is not None
    found, step = weight.grad.clone(), 1e-5
    for place in ((0, 0), (1, 5), (2, 23)):
        values = []
        for moved in (step, -2 * step, step):
            weight.data[place] += moved
            values.append(float(loss().detach()))
        above, below, _ = values
        assert float(found[place]) == pytest.approx((above - below) / (2 * step), rel=1e-6)


def test_afterwards_the_most_probable_leaf_answers() -> None:
    model = tree().eval()
    logits = model(images())
    for row, image in zip(logits, images(), strict=True):
        chances = leaves_below(model, image, 0, 1.0)
        best = max(range(len(chances)), key=chances.__getitem__)
        phi = model.classifier.weight[:, best]
        torch.testing.assert_close(row, phi.log_softmax(0))
        turns, leaf = model.path(image)
        assert leaf == best
        assert [turn.node for turn in turns] == BinaryTree(range(31)).path(15 + leaf)[:-1]
        assert turns[0].right == pytest.approx(right_at(model, image, 0), rel=1e-9)
    assert not own_terms(model)


def test_a_tree_can_be_copied_in_the_middle_of_a_step() -> None:
    model = tree()
    model(images())
    twin = copy.deepcopy(model)
    assert not own_terms(twin)
    assert set(own_terms(model)) == {"leaves", "balance"}
    assert not own_terms(model), "they are given once"


def test_its_nodes_are_a_tree_that_is_built_from_a_list_and_printed() -> None:
    found = tree(2).tree()
    assert len(found) == 7
    assert found.levels == 3
    assert [tuple(value.shape) for value in found.level(1)] == [SHAPE] * 2
    torch.testing.assert_close(
        torch.stack(found.level(2)).sum(1), torch.ones(4, dtype=torch.float64)
    )
    assert list(found) == [0, 1, 3, 4, 2, 5, 6]
    lines = found.drawn(lambda value: "x".join(map(str, value.shape))).split("\n")
    assert lines == ["2x3x4", "├─ 2x3x4", "│  ├─ 5", "│  └─ 5", "└─ 2x3x4", "   ├─ 5", "   └─ 5"]


@pytest.mark.parametrize("count", [0, 2, 4, 6, 8])
def test_a_list_of_another_length_is_no_tree(count: int) -> None:
    with pytest.raises(RangeError, match="1, 3, 7, 15"):
        BinaryTree(range(count))


def test_levels_children_and_paths_agree() -> None:
    numbers = BinaryTree(range(31))
    for depth in range(5):
        for node in numbers.level(depth):
            assert len(numbers.path(node)) == depth + 1
            for child in numbers.children(node):
                assert child in numbers.level(depth + 1)
                assert numbers.path(child)[:-1] == numbers.path(node)
    assert sorted(numbers) == list(range(31))
