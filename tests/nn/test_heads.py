"""Classifiers and networks that grow."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from didact._core.errors import ModelError, RangeError, ShapeError
from didact.nn import CosineHead, ExpandableNetwork, ExpandableStage, build_model, widened

SHAPE = (1, 8, 8)


def images() -> torch.Tensor:
    return torch.randn(5, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("bias", [True, False])
def test_widened_keeps_what_was_there(bias: bool) -> None:
    old = nn.Linear(3, 2, bias=bias)
    new = widened(old, 5, inputs=4)
    assert torch.equal(new.weight[:2, :3], old.weight)
    assert (new.bias is None) == (not bias)
    if bias:
        assert torch.equal(new.bias[:2], old.bias)
    assert widened(old, 2) is old
    with pytest.raises(RangeError, match="at least as many"):
        widened(old, 1)


def test_cosines_by_hand() -> None:
    head = CosineHead(2, scale=3.0)
    head.grow(2, vectors=torch.tensor([[[2.0, 0.0]], [[1.0, 1.0]]]))
    features = torch.tensor([[0.0, 5.0]])
    expected = [0.0, 1 / math.sqrt(2)]
    assert head.cosines(features)[0].tolist() == pytest.approx(expected)
    assert head(features)[0].tolist() == pytest.approx([3 * value for value in expected])


def test_proxies_are_averaged_by_their_softmax() -> None:
    head = CosineHead(2, proxies=2)
    head.grow(1, vectors=torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]))
    close, far = 1.0, 0.0
    weight = math.exp(close) / (math.exp(close) + math.exp(far))
    assert head.cosines(torch.tensor([[4.0, 0.0]])).item() == pytest.approx(weight)


def test_heads_refuse_impossible_sizes() -> None:
    with pytest.raises(RangeError):
        CosineHead(0)
    with pytest.raises(RangeError):
        CosineHead(2).grow(-1)
    with pytest.raises(ShapeError, match="expected"):
        CosineHead(2).grow(1, vectors=torch.zeros(1, 2))


@pytest.mark.parametrize("kind", [ExpandableNetwork, ExpandableStage])
@pytest.mark.parametrize("model", ["cnn-2", "resnet8", "mlp-8-4", "vgg8"])
def test_expansion(kind: type, model: str) -> None:
    plain = build_model(model, image_shape=SHAPE, num_classes=2).eval()
    expected = plain(images())
    network = kind(plain).eval()
    torch.testing.assert_close(network(images()), expected)
    first = network.features(images())
    network.expand(3)
    network.train()
    network.eval()
    assert network(images()).shape == (5, 3)
    features = network.features(images())
    assert features.shape[1] == 2 * network.width
    torch.testing.assert_close(features[:, : network.width], first)
    torch.testing.assert_close(features[:, network.width :], first)  # begins as a copy
    network.expand(4)
    assert network.features(images()).shape[1] == 3 * network.width


def frozen_body(network: nn.Module) -> ExpandableStage:
    return ExpandableStage(network, freeze_body=True)


@pytest.mark.parametrize("kind", [ExpandableNetwork, frozen_body])
def test_old_parts_get_no_gradient_and_keep_their_statistics(kind: Any) -> None:
    network = kind(build_model("cnn-2", image_shape=SHAPE, num_classes=2))
    network.expand(3)
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network(images()).sum().backward()
    trained = {name for name, p in network.named_parameters() if p.grad is not None}
    newest = ("classifier.", "backbones.1.", "added.0.")
    assert trained == {n for n, _ in network.named_parameters() if n.startswith(newest)}
    for name, value in network.state_dict().items():
        moves = name.startswith(newest) and "running" in name
        assert torch.equal(value, before[name]) != moves or "num_batches" in name


def test_a_body_that_goes_on_learning_keeps_its_old_last_stage() -> None:
    network = ExpandableStage(build_model("cnn-2", image_shape=SHAPE, num_classes=2))
    network.expand(3)
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network(images()).sum().backward()
    trained = {name for name, p in network.named_parameters() if p.grad is not None}
    assert not any(name.startswith("body.layer3.") for name in trained)
    assert any(name.startswith("body.layer1.") for name in trained)
    after = network.state_dict()
    key = "layer3.1.running_mean"
    assert torch.equal(after[f"body.{key}"], before[f"body.{key}"])
    assert not torch.equal(
        after["body.layer1.1.running_mean"], before["body.layer1.1.running_mean"]
    )


def test_a_network_without_stages_cannot_be_cut() -> None:
    with pytest.raises(ModelError, match="zoo"):
        ExpandableStage(build_model("mlp-8", image_shape=SHAPE, num_classes=2))


@pytest.mark.parametrize("proxies", [1, 3])
def test_the_cosines_of_old_classes_stay_when_classes_are_added(proxies: int) -> None:
    generator = torch.Generator().manual_seed(0)
    head, features = CosineHead(4, 2, proxies=proxies), torch.randn(5, 4, generator=generator)
    before = head.cosines(features)
    head.grow(1, vectors=torch.randn(1, proxies, 4, generator=generator))
    assert head.out_features == 3
    torch.testing.assert_close(head.cosines(features)[:, :2], before)
