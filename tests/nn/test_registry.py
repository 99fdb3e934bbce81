import sys
import types

import pytest
import torch
from torch import nn

from didact._core.errors import MissingDependencyError, ModelError, UnknownNameError
from didact.nn import MODELS, build_model, model
from didact.nn.catalogue.registry import _ENTRIES, _FAMILIES

USER_FILE = """
import torch
from torch import nn

class Plain(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.layer = nn.Linear(64, num_classes)
    def forward(self, x):
        return self.layer(x.flatten(1))

class Shaped(Plain):
    def __init__(self, *, image_shape, in_channels, num_classes=1000):
        assert image_shape == (1, 8, 8) and in_channels == 1
        super().__init__(num_classes)

def fixed():
    return Plain(10)

def keywords(**kwargs):
    assert kwargs == {"num_classes": 10}
    return Plain(**kwargs)

def fails(num_classes):
    raise RuntimeError("the disk is round")

def gives_text():
    return "a model"

ready = Plain(10)
number = 5
"""
ASKED = {"image_shape": (1, 8, 8), "num_classes": 10}


@pytest.fixture
def user_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(USER_FILE)
    return path


@pytest.mark.parametrize("name", ["Plain", "Shaped", "fixed", "keywords"])
def test_a_model_of_ones_own_gets_the_arguments_it_has_parameters_for(user_file, name):
    net = build_model(f"{user_file}:{name}", **ASKED)
    assert net.training
    assert net(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_module_of_ones_own(user_file, monkeypatch):
    monkeypatch.syspath_prepend(str(user_file.parent))
    assert build_model("mine:Plain", **ASKED)(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fails", "RuntimeError: the disk is round"),
        ("gives_text", "gives a str"),
        ("ready", "exists already"),
        ("number", "is a int; expected a class or a function"),
    ],
)
def test_a_model_of_ones_own_that_is_none_is_refused(user_file, name, message):
    with pytest.raises(ModelError, match=message):
        build_model(f"{user_file}:{name}", **ASKED)


def test_a_model_of_ones_own_with_other_classes_or_images_is_refused(user_file):
    with pytest.raises(ModelError, match=r"shape \(1, 10\) .* expected \(1, 7\)"):
        build_model(f"{user_file}:fixed", image_shape=(1, 8, 8), num_classes=7)
    with pytest.raises(ModelError, match=r"does not take images of shape \(1, 9, 9\)"):
        build_model(f"{user_file}:Plain", image_shape=(1, 9, 9), num_classes=10)


@pytest.mark.parametrize(
    ("name", "near"),
    [("resnet_20", "'resnet20'"), ("wrn40-2", "'wrn-40-2'"), ("MobileNetV2", "'mobilenetv2'")],
)
def test_an_unknown_name_is_answered_with_near_ones(name, near):
    with pytest.raises(UnknownNameError, match=near):
        build_model(name, **ASKED)


def test_unknown_things_of_ones_own(user_file):
    with pytest.raises(UnknownNameError, match="'Plain'"):
        build_model(f"{user_file}:Plane", **ASKED)
    with pytest.raises(UnknownNameError, match="there is no file"):
        build_model("nowhere.py:Plain", **ASKED)


@pytest.mark.parametrize(
    "bad",
    [
        {"image_shape": (8, 8)},
        {"image_shape": (0, 8, 8)},
        {"image_shape": (1, 8.0, 8)},
        {"num_classes": 0},
        {"num_classes": 2.5},
    ],
)
def test_sizes_that_no_model_can_have_are_refused(bad):
    with pytest.raises(ModelError, match="expected"):
        build_model("mlp", **{**ASKED, **bad})


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_missing_library_is_named_with_the_command(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.models", None)
    with pytest.raises(MissingDependencyError, match=f"pip install {library}"):
        build_model(f"{library}:resnet18", **ASKED)


def fake(monkeypatch, library: str) -> None:
    def create_model(name, *, pretrained, num_classes, in_chans):
        assert not pretrained
        return nn.Sequential(nn.Flatten(), nn.Linear(in_chans * 64, num_classes))

    def get_model(name, *, weights, num_classes):
        assert weights is None
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, num_classes))

    module = types.ModuleType(library)
    module.list_models = lambda: ["resnet18", "resnet34"]
    module.create_model, module.get_model = create_model, get_model
    module.models = module
    monkeypatch.setitem(sys.modules, library, module)
    monkeypatch.setitem(sys.modules, f"{library}.models", module)


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_models_of_a_library(library, monkeypatch):
    fake(monkeypatch, library)
    net = build_model(f"{library}:resnet18", image_shape=(3, 8, 8), num_classes=4)
    assert net(torch.zeros(2, 3, 8, 8)).shape == (2, 4)
    with pytest.raises(UnknownNameError, match="'resnet18'"):
        build_model(f"{library}:resnet_18", **ASKED)
    with pytest.raises(UnknownNameError, match="it has 2 others"):
        build_model(f"{library}:zzz", **ASKED)


def test_channels_of_a_library(monkeypatch):
    fake(monkeypatch, "timm")
    fake(monkeypatch, "torchvision")
    assert build_model("timm:resnet18", **ASKED)(torch.zeros(1, 1, 8, 8)).shape == (1, 10)
    with pytest.raises(ModelError, match="take 3 channels and these images have 1"):
        build_model("torchvision:resnet18", **ASKED)


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_the_real_library_where_it_is_installed(library):
    pytest.importorskip(library)
    net = build_model(f"{library}:resnet18", image_shape=(3, 64, 64), num_classes=5)
    assert net(torch.zeros(2, 3, 64, 64)).shape == (2, 5)


def test_a_family_is_added_by_one_decorated_function(monkeypatch):
    monkeypatch.setattr("didact.nn.catalogue.registry._FAMILIES", list(_FAMILIES))
    monkeypatch.setattr("didact.nn.catalogue.registry._ENTRIES", dict(_ENTRIES))

    def family(*names):
        return model(
            *names,
            pattern=r"flat-(\d+)",
            form="flat-N",
            summary="A layer.",
            paper="none",
            feature_paths=("0",),
        )

    @family("flat-3")
    def build(sizes, *, image_shape, num_classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, sizes[0]))

    assert "flat-3" in MODELS
    assert "flat-3" in list(MODELS)
    assert build_model("flat-7", **ASKED)[1].out_features == 7
    with pytest.raises(ModelError, match="taken"):
        family("flat-3")(build)
    with pytest.raises(ModelError, match="not of the form flat-N"):
        family("round")(build)
    with pytest.raises(KeyError):
        MODELS["round"]
