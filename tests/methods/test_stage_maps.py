"""PODNet compares the maps of its authors' code: every stage and the last block, before ReLU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.methods.kit.last_relu import drop_last_relu
from didact.methods.kit.stage_maps import MapPlace, read_maps, stage_maps
from didact.nn import Teacher, build_model

SHAPE = (3, 32, 32)


def built(name: str) -> Any:
    torch.manual_seed(0)
    network = build_model(name, image_shape=SHAPE, num_classes=2).eval()
    drop_last_relu(network, SHAPE)
    return network


def images() -> Tensor:
    return torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(1))


def sums_of(network: Any, batch: Tensor, paths: list[str]) -> list[Tensor]:
    """What each residual block adds up, before any ReLU, for the blocks at some paths."""
    hidden, found = network.stem(batch), {}
    for path in [name for name, _ in network.named_children() if name.startswith("layer")]:
        for number, block in enumerate(network.get_submodule(path)):
            inner = F.relu(block.bn1(block.conv1(hidden)))
            before = block.bn2(block.conv2(inner)) + block.shortcut(hidden)
            found[f"{path}.{number}"] = before
            hidden = F.relu(before)
    return [found[path] for path in paths]


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet14", ["layer1.1", "layer2.1", "layer3.0", "layer3.1"]),
        ("resnet20", ["layer1.2", "layer2.2", "layer3.1", "layer3.2"]),
        ("resnet8", ["layer1.0", "layer2.0", "layer3.0"]),
        ("resnet18", ["layer1.1", "layer2.1", "layer3.1", "layer4.1"]),
    ],
)
def test_three_stages_and_the_last_block_before_relu(name: str, blocks: list[str]) -> None:
    """The authors' ImageNet network has four stages; there the last block is none of its own."""
    network, batch = built(name), images()
    with torch.no_grad():
        expected = sums_of(network, batch, blocks)
        for model in (network, Teacher(network)):
            with read_maps(model, stage_maps(network, batch)) as maps:
                model(batch)
                found = list(maps.values())
            assert len(found) == len(expected)
            for one, other in zip(found, expected, strict=True):
                torch.testing.assert_close(one, other)
                assert one.min() < 0


def test_a_stage_that_ends_otherwise_gives_its_output() -> None:
    places = stage_maps(built("mobilenetv2"), images())
    assert all(place.side == "output" for place in places)
    assert [place.path for place in places] == ["layer2", "layer3", "layer5", "layer7"]


class InPlace(nn.Module):
    feature_paths = ("one", "embedding")

    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(3, 4, 3), last)
        self.embedding = nn.Flatten()

    def features(self, batch: Tensor) -> Tensor:
        found: Tensor = self.embedding(self.one(batch))
        return found


@pytest.mark.parametrize(
    ("last", "place"),
    [
        (nn.ReLU(), MapPlace("one.1", "input")),
        (nn.ReLU(inplace=True), MapPlace("one", "output")),
        (nn.Sigmoid(), MapPlace("one", "output")),
    ],
)
def test_what_an_in_place_relu_has_overwritten_is_not_read(
    last: nn.Module, place: MapPlace
) -> None:
    assert stage_maps(InPlace(last), images()) == (place,)


@pytest.mark.parametrize("network", [built("mlp-8"), nn.Sequential(nn.Flatten())])
def test_without_maps_there_is_nothing_to_compare(network: nn.Module) -> None:
    assert stage_maps(network, images()) == ()
