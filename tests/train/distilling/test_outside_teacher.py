"""Teachers from elsewhere: their own inputs, their files, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from didact._core.errors import CheckpointError, ModelError, UsageError
from didact.data import Data, Split
from didact.nn import Normalisation, OwnInputs, build_model
from didact.train import DistillSettings, distill
from didact.train.loop.models import find_model

MEAN, STD, CLASSES = (0.2, 0.2, 0.2), (0.1, 0.1, 0.1), 4
QUICK: dict[str, Any] = {
    "epochs": 1, "batch_size": 32, "seeds": (0,), "onnx": False, "accelerator": "cpu",
    "threads": 1,
}  # fmt: skip


def part(count: int, seed: int) -> Split:
    """Class k is a little brighter in its own quarter; the rest is noise around the mean."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    images = torch.randn(count, 3, 8, 8, generator=generator) * 6 + 80
    for index, label in enumerate(labels.tolist()):
        row, column = divmod(label, 2)
        images[index, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 12
    return Split(images.clamp(0, 255).to(torch.uint8), labels)


@pytest.fixture(scope="module")
def data() -> Data:
    return Data(
        "quarters", part(160, 0), part(120, 1), part(80, 2), ("a", "b", "c", "d"), MEAN, STD,
        torch.ones(160, dtype=torch.bool),
    )  # fmt: skip


class Quarters(nn.Module):
    """Tells the brightest quarter within a narrow range, and is blind on both sides of it."""

    def __init__(self, middle: float, reach: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([3.0]))
        self.register_buffer("middle", torch.tensor(middle))
        self.register_buffer("reach", torch.tensor(reach))

    def forward(self, images: Tensor) -> Tensor:
        brightness = nn.functional.avg_pool2d(images.mean(1, keepdim=True), 4).flatten(1)
        return self.scale * ((brightness - self.middle) / self.reach).clamp(-1, 1)


def trained_for(text: str) -> Quarters:
    """Right where the images come in this normalisation; the quarters are 80 and 92 of 255."""
    own = Normalisation.read(text, MEAN, STD)
    mean, std = torch.tensor(own.mean), torch.tensor(own.std)
    return Quarters(float(((86 / 255 - mean) / std).mean()), float((7 / 255 / std).mean()))


def run(tmp_path: Path, data: Data, **given: Any) -> tuple[Any, str]:
    shown = io.StringIO()
    result = distill(
        data=data, output=tmp_path / "run",
        console=Console(file=shown, width=400), **{"student": "mlp-8"} | QUICK | given,
    )  # fmt: skip
    return result, shown.getvalue()


@pytest.mark.parametrize("text", ["imagenet", "none", "0.5/0.5", "data"])
def test_the_normalisation_is_found_by_trying_and_said_first(
    text: str, data: Data, tmp_path: Path
) -> None:
    result, shown = run(tmp_path, data, teacher=trained_for(text))
    accuracy = result.summary["arms"]["teacher"]["test_accuracy"][0]
    assert accuracy > 0.9
    line = shown.splitlines()[0]
    assert line.startswith("teacher Quarters: ")
    assert f"normalisation {text}" in line
    written = (tmp_path / "run" / "run.toml").read_text()
    assert f'teacher_normalise = [\n    "{text}",\n]' in written


def test_normalisations_that_cannot_be_told_apart_are_said_so(data: Data, tmp_path: Path) -> None:
    class Blind(torch.nn.Module):
        """Brightness and contrast do not matter to it: each image is brought to mean 0, std 1."""

        def __init__(self, inner: torch.nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            flat = images.flatten(1)
            flat = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True)
            return self.inner(flat.reshape(images.shape))

    _, shown = run(tmp_path, data, teacher=Blind(trained_for("data")), accept_teacher=True)
    line = shown.splitlines()[0]
    assert "cannot be told; say it by --teacher-normalise" in line
    assert "the best" not in line


def test_what_the_user_says_is_taken(data: Data, tmp_path: Path) -> None:
    teacher = trained_for("imagenet")
    right, shown = run(tmp_path / "a", data, teacher=teacher, teacher_normalise="imagenet")
    assert right.summary["arms"]["teacher"]["test_accuracy"][0] > 0.9
    assert "tried" not in shown
    wrong, _ = run(
        tmp_path / "b", data, teacher=teacher, teacher_normalise="data", accept_teacher=True
    )
    assert wrong.summary["arms"]["teacher"]["test_accuracy"][0] < 0.6


def test_numbers_and_a_dictionary_in_python(data: Data, tmp_path: Path) -> None:
    pair = ((0.2, 0.3, 0.4), (0.5, 0.6, 0.7))
    settings = DistillSettings.build(teacher_normalise=pair)
    own = Normalisation.read(settings.teacher_normalise[0], MEAN, STD)
    assert (own.mean, own.std) == pair
    given = {"model": trained_for("imagenet"), "normalise": "imagenet"}
    result, shown = run(tmp_path, data, teacher=given)
    assert result.summary["arms"]["teacher"]["test_accuracy"][0] > 0.9
    assert "tried" not in shown


FACTORY = """
import torch
from torch import nn
from tests.train.distilling.test_outside_teacher import trained_for

def dictionary():
    return {"model": trained_for("imagenet"), "normalise": "imagenet", "input_size": 8}

def images_to_logits(images):
    return trained_for("none")(images)

model = trained_for("none")

def wrong_keys():
    return {"model": trained_for("none"), "normalize": "none"}

def fails():
    raise OSError("no such weights")
"""


@pytest.mark.parametrize("name", ["dictionary", "images_to_logits", "model"])
def test_a_file_of_ones_own_gives_a_teacher(name: str, data: Data, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FACTORY)
    result, shown = run(tmp_path, data, teacher=f"{file}:{name}")
    assert result.summary["arms"]["teacher"]["test_accuracy"][0] > 0.9
    assert f"teacher {file}:{name}: " in shown.splitlines()[0]


@pytest.mark.parametrize(
    ("name", "message"),
    [("wrong_keys", "has normalize; expected model"), ("fails", "no such weights")],
)
def test_a_file_that_gives_none_says_why(
    name: str, message: str, data: Data, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FACTORY)
    with pytest.raises(ModelError, match=message):
        run(tmp_path, data, teacher=f"{file}:{name}")


def test_a_function_from_images_to_logits_is_a_teacher(data: Data, tmp_path: Path) -> None:
    result, _ = run(tmp_path, data, teacher=lambda images: trained_for("data")(images))
    assert result.summary["arms"]["teacher"]["test_accuracy"][0] > 0.9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["onnx", "pt"])
def test_a_program_is_a_teacher(suffix: str, data: Data, tmp_path: Path) -> None:
    path, teacher = tmp_path / f"teacher.{suffix}", trained_for("imagenet").eval()
    images = torch.zeros(2, 3, 8, 8)
    if suffix == "onnx":
        pytest.importorskip("onnxruntime")
        torch.onnx.export(
            teacher, (images,), str(path), input_names=["x"], dynamic_axes={"x": {0: "n"}},
            dynamo=False,
        )  # fmt: skip
    else:
        torch.jit.trace(teacher, images).save(str(path))  # type: ignore[no-untyped-call]
    result, shown = run(tmp_path, data, teacher=str(path))
    assert result.summary["arms"]["teacher"]["test_accuracy"][0] > 0.9
    assert "normalisation imagenet" in shown
    with pytest.raises(ModelError, match="cannot be trained"):
        find_model(str(path), role="student")


def test_guessing_teachers_stop_the_run_before_a_folder_is_made(data: Data, tmp_path: Path) -> None:
    torch.manual_seed(0)
    blind = nn.Sequential(nn.Flatten(), nn.Linear(192, CLASSES))
    nn.init.zeros_(blind[1].weight)
    with pytest.raises(ModelError, match=r"gets 2\d\.\d % of 120 .* guessing .* never trained"):
        run(tmp_path, data, teacher=blind)
    assert not (tmp_path / "run").exists()
    result, _ = run(tmp_path, data, teacher=blind, accept_teacher=True)
    assert result.summary["complete"]


def test_classes_in_another_order_are_named_as_the_reason(data: Data, tmp_path: Path) -> None:
    teacher = trained_for("data")
    with pytest.raises(ModelError, match=r"classes in another order it would get 100\.0 %"):
        run(tmp_path, data, teacher=lambda images: teacher(images)[:, [1, 0, 3, 2]])


def test_a_teacher_far_behind_the_student_alone_stops_the_run(data: Data, tmp_path: Path) -> None:
    right = trained_for("data")

    def half_right(images: Tensor) -> Tensor:
        """Cannot tell c from d, and a from b."""
        logits = right(images)
        return logits[:, [0, 0, 2, 2]] + torch.tensor([0.01, 0.0, 0.01, 0.0])

    settings = {"epochs": 15, "student": "mlp-64", "teacher_normalise": "data"}
    with pytest.raises(ModelError, match=r"gets 50\.0 % .* student alone .* --accept-teacher"):
        run(tmp_path, data, teacher=half_right, **settings)
    result, _ = run(tmp_path / "b", data, teacher=half_right, accept_teacher=True, **settings)
    assert result.summary["complete"]


def test_another_input_size_for_the_teacher(data: Data, tmp_path: Path) -> None:
    torch.manual_seed(0)
    wide = nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(12, CLASSES))
    wide[2].weight.data.zero_()
    for k in range(CLASSES):
        wide[2].weight.data[k, [k, 4 + k, 8 + k]] = 1.0
    with pytest.raises(ModelError, match="--teacher-input-size"):
        run(tmp_path, data, teacher=wide)
    result, _ = run(tmp_path, data, teacher=wide, teacher_input_size=16)
    assert result.summary["arms"]["teacher"]["test_accuracy"][0] > 0.8


def weights_of(name: str, path: Path, classes: int = CLASSES, prefix: str = "module.") -> nn.Module:
    torch.manual_seed(3)
    model = build_model(name, image_shape=(3, 8, 8), num_classes=classes)
    torch.save({"state_dict": {prefix + k: v for k, v in model.state_dict().items()}}, path)
    return model


@pytest.mark.parametrize("folder", ["plain", "lr=0.1", "a=b=c"])
def test_weights_in_folders_with_equals_signs(folder: str, data: Data, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / "epoch=3-acc=0.7.pth"
    model = weights_of("mlp-8", path)
    source = find_model(f"mlp-8={path}", role="teacher")
    assert (source.architecture, source.trained) == ("mlp-8", True)
    built = source.build(data, data.image_shape)
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(built(images), model(images))
    with pytest.raises(ModelError, match=r"does not say which model .* --teacher resnet56="):
        find_model(str(path), role="teacher")
    with pytest.raises(CheckpointError, match="there is no file"):
        find_model(f"mlp-8={tmp_path / folder}/none.pth", role="teacher")


def test_a_student_starts_from_weights_and_its_folder_is_a_teacher_again(
    data: Data, tmp_path: Path
) -> None:
    path = tmp_path / "pretrained.pth"
    pretrained = weights_of("mlp-8", path, classes=7)
    source = find_model(f"mlp-8={path}", role="student")
    student = source.build(data, data.image_shape)
    assert torch.equal(student.layer1[0].weight, pretrained.layer1[0].weight)
    assert student.classifier.out_features == CLASSES
    result, _ = run(tmp_path, data, teacher=trained_for("data"), student=f"mlp-8={path}")
    again = find_model(result.folder, role="teacher")
    assert again.architecture == "mlp-8"
    built = again.build(data, data.image_shape).eval()
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(built(images), result.student.eval()(images))


def test_a_run_folder_keeps_its_own_normalisation(data: Data, tmp_path: Path) -> None:
    first, _ = run(tmp_path / "a", data, teacher="mlp-16", arms=("teacher",), epochs=6)
    before = first.summary["arms"]["teacher"]["test_accuracy"][0]
    other = Data(
        "shifted", data.train, data.validation, data.test, data.class_names,
        (0.1, 0.2, 0.6), (0.3, 0.1, 0.2), data.labelled,
    )  # fmt: skip
    second, shown = run(tmp_path / "b", other, teacher=first.folder)
    assert second.summary["arms"]["teacher"]["test_accuracy"][0] == pytest.approx(before)
    assert "tried" not in shown


def test_layers_of_a_teacher_behind_its_inputs_are_tapped(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "t.pth"
    weights_of("cnn-8", path)
    result, _ = run(
        tmp_path, data, teacher=f"cnn-8={path}", student="cnn-4", loss="hint",
        teacher_normalise="imagenet", accept_teacher=True,
    )  # fmt: skip
    assert result.summary["complete"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"teacher_normalise": "image"}, "expected none, imagenet, data, or MEAN/STD"),
        ({"teacher_normalise": ("none", "data")}, "2 of teacher-normalise for 1 teachers"),
        ({"teacher_input_size": "wide"}, "expected a side such as 32"),
        ({"resize": 0}, "expected a side such as 32"),
    ],
)
def test_wrong_settings_are_said_in_a_sentence(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DistillSettings.build(**given)


def test_a_file_is_read_once_for_all_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from didact.data.sources import npz

    images, labels = part(200, 0).images.numpy(), part(200, 0).labels.numpy()
    np.savez(tmp_path / "mine.npz", x=images, y=labels)
    count, real = [0], npz._arrays

    def counted(path: Path) -> Any:
        count[0] += 1
        return real(path)

    monkeypatch.setattr(npz, "_arrays", counted)
    distill(
        data=f"npz:{tmp_path / 'mine.npz'}", student="mlp-8", teacher="mlp-9",
        output=tmp_path / "run", **QUICK | {"seeds": (0, 1, 2)},
    )  # fmt: skip
    assert count[0] == 1


def test_the_saved_teacher_of_a_measurement_is_loaded_as_it_was(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "t.pth"
    weights_of("mlp-8", path)
    result, _ = run(
        tmp_path, data, teacher=f"mlp-8={path}", teacher_normalise="0.2/0.4", arms=("teacher",),
        accept_teacher=True,
    )  # fmt: skip
    source = find_model(result.folder, role="teacher")
    assert source.normalise == ([0.2] * 3, [0.4] * 3)
    assert isinstance(result.student, OwnInputs)
