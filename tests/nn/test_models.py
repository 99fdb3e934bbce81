"""The zoo: the published parameter counts, shapes, and what every model promises."""

from functools import cache

import pytest
import torch
from torch import nn

from didact._core.errors import ModelError
from didact.nn import MODELS, ImageClassifier, build_model, count_parameters, size_on_disk, taps

# 100 classes, 3x32x32: what the models of the distillation tables have
PUBLISHED = {
    "resnet8": 83_892,
    "resnet14": 181_108,
    "resnet20": 278_324,
    "resnet32": 472_756,
    "resnet44": 667_188,
    "resnet56": 861_620,
    "resnet110": 1_736_564,
    "resnet8x4": 1_233_540,
    "resnet32x4": 7_433_860,
    "resnet50": 23_705_252,
    "wrn-16-1": 180_916,
    "wrn-16-2": 703_284,
    "wrn-40-1": 569_780,
    "wrn-40-2": 2_255_156,
    "wrn-28-10": 36_536_884,
    "vgg8": 3_965_028,
    "vgg11": 9_277_284,
    "vgg13": 9_462_180,
    "vgg16": 14_774_436,
    "vgg19": 20_086_692,
    "mobilenetv2": 812_836,
    "shufflenetv1": 949_258,
    "shufflenetv2": 1_355_528,
}
SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 33, 17)]
LIGHT = [
    "mlp",
    "mlp-dropout",
    "soft-tree-3",
    "cnn-4",
    "resnet8",
    "wrn-10-1",
    "mobilenetv2",
    "shufflenetv1",
    "shufflenetv2",
]
EACH_FAMILY = [*LIGHT, "vgg8", "vgg13", "resnet18"]


@cache
def on_paper(name: str, image_shape=(3, 32, 32), num_classes: int = 100) -> nn.Module:
    with torch.device("meta"):
        return build_model(name, image_shape=image_shape, num_classes=num_classes)


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_parameters_are_as_many_as_published(name, parameters):
    assert count_parameters(on_paper(name)) == parameters


@pytest.mark.parametrize("name", MODELS)
def test_every_model_keeps_what_its_entry_promises(name):
    entry, net = MODELS[name], on_paper(name)
    assert isinstance(net, ImageClassifier)
    assert net.feature_paths == entry.feature_paths
    assert net.get_submodule(entry.embedding) is net.embedding
    assert net.get_submodule(entry.classifier) is net.classifier
    with taps(net, entry.feature_paths) as features:
        logits = net(torch.zeros(2, 3, 32, 32, device="meta"))
        widths = [feature.shape[1] for feature in features.values()]
    assert logits.shape == (2, 100)
    assert widths[-1] == net.classifier.in_features
    assert net.features(torch.zeros(2, 3, 32, 32, device="meta")).shape == (2, widths[-1])
    assert entry.summary.endswith(".")
    assert entry.paper


def test_feature_maps_are_those_of_the_distillation_tables():
    expected = {
        "resnet20": [(16, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8), (64,)],
        "resnet32x4": [(32, 32, 32), (64, 32, 32), (128, 16, 16), (256, 8, 8), (256,)],
        "wrn-40-2": [(16, 32, 32), (32, 32, 32), (64, 16, 16), (128, 8, 8), (128,)],
        "vgg13": [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 4, 4), (512,)],
        "mobilenetv2": [
            *[(16, 16, 16), (12, 16, 16), (16, 8, 8), (48, 4, 4), (160, 2, 2), (1280,)]
        ],
        "shufflenetv1": [(24, 32, 32), (240, 16, 16), (480, 8, 8), (960, 4, 4), (960,)],
        "shufflenetv2": [(24, 32, 32), (116, 16, 16), (232, 8, 8), (464, 4, 4), (1024,)],
        "resnet50": [
            *[(64, 32, 32), (256, 32, 32), (512, 16, 16), (1024, 8, 8), (2048, 4, 4), (2048,)]
        ],
    }
    for name, shapes in expected.items():
        net = on_paper(name)
        with taps(net, net.feature_paths) as features:
            net(torch.zeros(1, 3, 32, 32, device="meta"))
            assert [tuple(f.shape[1:]) for f in features.values()] == shapes, name


@pytest.mark.parametrize("image_shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", EACH_FAMILY)
def test_other_image_shapes_work(name, image_shape):
    net = on_paper(name, image_shape=image_shape, num_classes=7)
    assert net(torch.zeros(2, *image_shape, device="meta")).shape == (2, 7)


@pytest.mark.parametrize("name", EACH_FAMILY)
def test_a_training_step_reaches_every_parameter(name):
    torch.manual_seed(0)
    net = build_model(name, image_shape=(1, 16, 16), num_classes=3)
    net.train()(torch.randn(4, 1, 16, 16)).logsumexp(1).sum().backward()
    for path, parameter in net.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.grad.isfinite().all(), path


@pytest.mark.parametrize("name", LIGHT)
def test_the_seed_decides_the_weights(name):
    built = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        built.append(build_model(name, image_shape=(3, 8, 8), num_classes=3).state_dict())
    assert all(torch.equal(built[0][key], built[1][key]) for key in built[0])
    assert any(not torch.equal(built[0][key], built[2][key]) for key in built[0])


@pytest.mark.parametrize(
    ("name", "path"), [("resnet32x4", "layer3.1.conv1"), ("wrn-40-2", "layer3.1.conv2")]
)
def test_convolutions_have_hes_variance(name, path):
    torch.manual_seed(0)
    weight = build_model(name, image_shape=(3, 32, 32), num_classes=10).get_parameter(
        f"{path}.weight"
    )
    fan_out = weight.shape[0] * 9
    assert weight.var().item() * fan_out / 2 == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    ("name", "image_shape", "message"),
    [
        ("vgg8", (3, 7, 8), "at least 8x8"),
        ("cnn", (1, 3, 3), "at least 4x4"),
        ("resnet21", (3, 32, 32), r"expected 6n\+2"),
        ("resnet2", (3, 32, 32), r"expected 6n\+2"),
        ("wrn-17-2", (3, 32, 32), r"expected 6n\+4"),
        ("wrn-16-0", (3, 32, 32), "from 1 to 65536"),
        ("mlp-0", (3, 32, 32), "from 1 to 65536"),
        ("mlp-99999999999", (3, 32, 32), "from 1 to 65536"),
        ("cnn-0", (3, 32, 32), "from 1 to 65536"),
        ("soft-tree-0", (3, 32, 32), "from 1 to 12"),
        ("soft-tree-13", (3, 32, 32), "from 1 to 12"),
    ],
)
def test_what_cannot_be_built_is_refused(name, image_shape, message):
    with pytest.raises(ModelError, match=message):
        build_model(name, image_shape=image_shape, num_classes=10)


def test_the_numbers_in_a_name_are_sizes():
    widths = [
        layer.out_features
        for layer in on_paper("mlp-32-16-8").modules()
        if isinstance(layer, nn.Linear)
    ]
    assert widths == [32, 16, 8, 100]
    assert MODELS["mlp-32-16-8"].feature_paths == ("layer1", "layer2", "layer3", "embedding")
    assert on_paper("cnn-8").classifier.in_features == 32


def test_dropout_leaves_out_a_fifth_of_the_pixels_and_half_of_the_units():
    torch.manual_seed(0)
    net = build_model("mlp-dropout-4000", image_shape=(1, 50, 50), num_classes=3)
    images = torch.rand(8, 1, 50, 50) + 1
    pixels = net.flatten(images)
    assert (pixels == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    plain = build_model("mlp-4000", image_shape=(1, 50, 50), num_classes=3)
    units = [nn.Sequential(*model.layer1[1:])(torch.ones(8, 4000)) for model in (net, plain)]
    assert (units[0] == 0).float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert (units[1] == 1).all()
    plain.load_state_dict(net.state_dict())
    assert torch.equal(net.eval()(images), plain(images))


def test_the_size_on_disk_is_that_of_the_file(tmp_path):
    from safetensors.torch import save_file

    net = build_model("cnn-4", image_shape=(3, 8, 8), num_classes=3)
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    assert size_on_disk(net) == (tmp_path / "net.safetensors").stat().st_size
    shared = nn.Sequential(nn.Linear(100, 100), nn.Linear(100, 100))
    twice = size_on_disk(shared)
    shared[1].weight = shared[0].weight
    assert twice - size_on_disk(shared) > 40_000
    assert count_parameters(shared) == 100 * 100 + 200
