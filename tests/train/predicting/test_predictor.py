"""What a run leaves is enough to say what images show, wherever they are."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.train.learning.support import SETTINGS, plain_network, small_data
from typer.testing import CliRunner

from didact import cli
from didact._core.errors import (
    CheckpointError,
    DataError,
    ModelError,
    TrustError,
    UsageError,
)
from didact.data import Split
from didact.nn import OnnxModel
from didact.train import (
    Learner,
    distill,
    image_files,
    learn,
    load_learner,
    load_predictor,
    verify_run,
)

METHODS = ("finetune", "icarl", "joint")


@dataclass
class Run:
    """A finished run, the test images as files, and what each method says of them."""

    folder: Path
    files: list[Path]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    code = folder / "net.py"
    code.write_text(
        "from tests.train.learning.support import plain_network\n"
        "def build(num_classes):\n    return plain_network(None, num_classes)\n"
    )
    learn(
        data=small_data(), model=f"{code}:build", method=METHODS, output=folder / "run",
        **{**SETTINGS, "onnx": True, "epochs": 6},
    )  # fmt: skip
    images = small_data().test
    assert isinstance(images, Split)
    files = [folder / f"{number}.png" for number in range(len(images))]
    for file, image in zip(files, images.images, strict=True):
        Image.fromarray(image[0].numpy()).save(file)
    return Run(folder / "run", files)


def answers(place: Path, files: list[Path], **options: object) -> list[str]:
    """The names that are predicted."""
    predictor = load_predictor(place, **options)  # type: ignore[arg-type]
    return [found.classes[0][0] for found in predictor.predict(files)]


def test_the_run_hands_on_the_best_method_that_does_not_see_everything(run: Run) -> None:
    result = json.loads((run.folder / "result.json").read_text())
    last = {name: found["numbers"]["last"][0] for name, found in result["methods"].items()}
    assert last["icarl"] > last["finetune"]
    assert result["handed_on"] == {"method": "icarl", "seed": 0}
    assert result["onnx"]["checked"]
    assert result["onnx"]["images"] == 30
    assert result["onnx"]["max_abs_difference"] < 1e-4
    assert {"model.onnx", "model.safetensors"} <= set(result["files"])
    assert not [found for found in verify_run(run.folder) if found.problem]


def test_every_way_to_ask_gives_the_same_names(run: Run, tmp_path: Path) -> None:
    """ONNX, the learner's file, the method in Python; and nothing but the file is needed."""
    learner = load_learner(run.folder, "icarl")
    images = (small_data().test.images / 255 - 0.3) / 0.2
    with torch.no_grad():
        expected = ["abcdef"[c] for c in learner.predict(images).argmax(-1).tolist()]
    right = [name == "abcdef"[k % 6] for k, name in enumerate(expected)]
    assert sum(right) > 20
    shutil.copy(run.folder / "model.onnx", tmp_path / "m.onnx")
    shutil.copy(run.folder / "cells" / "icarl.0" / "learner.safetensors", tmp_path)
    for place in (run.folder, tmp_path / "m.onnx"):
        assert answers(place, run.files) == expected
    assert answers(run.folder, run.files, method="icarl") == expected
    assert answers(tmp_path / "learner.safetensors", run.files, trust=True) == expected
    assert Learner.load(tmp_path / "learner.safetensors").predict(run.files) == expected
    assert answers(run.folder, run.files, method="finetune") != expected


def test_the_network_alone_holds_no_image_and_loads_into_the_users_own(run: Run) -> None:
    tensors = load_file(run.folder / "model.safetensors")
    network = plain_network(small_data(), 6)
    network.load_state_dict(tensors)
    assert set(tensors) == set(network.state_dict())
    images = (small_data().test.images / 255 - 0.3) / 0.2
    own = load_learner(run.folder, "icarl")
    with torch.no_grad():
        assert torch.equal(network.eval()(images), own.logits(images))
    whole = load_file(run.folder / "cells" / "icarl.0" / "learner.safetensors")
    assert whole["memory.images"].shape == (12, 1, 6, 6)


def test_a_learner_is_loaded_where_the_data_has_changed_or_gone(run: Run, tmp_path: Path) -> None:
    """Classes and normalisation stand in the file: nothing is read but it."""
    here = tmp_path / "moved"
    shutil.copytree(run.folder, here)
    text = (here / "run.toml").read_text()
    assert 'data = "columns"' in text  # which no source is called
    learner = Learner.load(here / "cells" / "icarl.0" / "learner.safetensors")
    assert learner.class_names == tuple("abcdef")
    assert learner.tasks == [(0, 1), (2, 3), (4, 5)]
    assert (learner.data.mean, learner.data.std) == ((0.3,), (0.2,))
    assert len(learner.data.train) == 0


def test_images_of_any_size_and_array_are_taken(run: Run, tmp_path: Path) -> None:
    learner = Learner.load(run.folder / "cells" / "icarl.0" / "learner.safetensors")
    pixels = small_data().test.images
    by_files, by_bytes = learner.probabilities(run.files), learner.probabilities(pixels)
    assert torch.equal(by_files, by_bytes)
    assert torch.allclose(by_bytes, learner.probabilities(pixels.float() / 255))
    assert torch.allclose(by_bytes, learner.probabilities(np.asarray(pixels)))
    assert torch.allclose(by_bytes.sum(-1), torch.ones(30))
    large = tmp_path / "large.png"
    Image.fromarray(np.kron(pixels[0, 0].numpy(), np.ones((4, 4), np.uint8))).save(large)
    assert learner.predict([large]) == learner.predict(pixels[:1])
    with pytest.raises(DataError, match=r"expected \(N, 1, 6, 6\)"):
        learner.predict(pixels[:, :, :4])
    with pytest.raises(DataError, match=r"floats up to .*; expected floats in 0\.\.1"):
        learner.predict(pixels.float())


def test_onnx_says_what_it_takes(run: Run) -> None:
    model = OnnxModel(run.folder / "model.onnx")
    assert model.image_shape == (1, 6, 6)
    assert model.class_names == tuple("abcdef")


def test_without_onnx_the_learner_answers(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run.folder, copy)
    expected = answers(copy, run.files)
    (copy / "model.onnx").unlink()
    (copy / ".trust").unlink()
    with pytest.raises(TrustError, match=r"net\.py:build"):
        answers(copy, run.files)
    assert answers(copy, run.files, trust=True) == expected


def test_a_run_of_distill_answers_too(tmp_path: Path) -> None:
    result = distill(
        student="mlp-16", teacher="mlp-16", epochs=3, seeds=(0,), output=tmp_path / "run",
        onnx=False, accelerator="cpu", threads=1,
    )  # fmt: skip
    from didact.data import load

    data = load("digits")
    files = []
    for number, image in enumerate(data.test.take(torch.arange(20))):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(image[0].numpy()).save(files[-1])
    mean, std = data.mean[0], data.std[0]
    images = (data.test.take(torch.arange(20)) / 255 - mean) / std
    with torch.no_grad():
        expected = result.student.eval()(images).softmax(-1).max(-1)
    for place in (tmp_path / "run", tmp_path / "run" / "student.safetensors"):
        found = list(load_predictor(place).predict(files, top=3))
        assert [one.classes[0][0] for one in found] == [str(c) for c in expected.indices.tolist()]
        values = torch.tensor([one.classes[0][1] for one in found])
        assert torch.allclose(values, expected.values, atol=1e-5)
        assert all(len(one.classes) == 3 for one in found)
    with pytest.raises(UsageError, match="are of learn"):
        load_predictor(tmp_path / "run", seed=1)


def test_what_cannot_answer_is_refused_in_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "w.pth").write_bytes(b"x")
    for place, error, words in (
        (tmp_path / "none", CheckpointError, "there is no run folder or file"),
        (tmp_path / "w.pth", CheckpointError, "no model that says its classes"),
    ):
        with pytest.raises(error, match=words):
            load_predictor(place)
    with pytest.raises(UsageError, match="has no image; expected"):
        image_files([tmp_path])
    with pytest.raises(UsageError, match="there is no image file or folder"):
        image_files([tmp_path / "none.png"])
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    with pytest.raises(DataError, match="cannot be read as an image"):
        answers(run.folder, [broken])
    # A network that was built by a function which nobody can find by its name.
    learn(
        data=small_data(), model=plain_network, method="finetune", output=tmp_path / "run",
        **{**SETTINGS, "epochs": 1},
    )  # fmt: skip
    file = tmp_path / "run" / "cells" / "finetune.0" / "learner.safetensors"
    with pytest.raises(ModelError, match=r"which cannot be called here.*model=Net"):
        Learner.load(file)
    assert Learner.load(file, model=plain_network).class_names == tuple("abcdef")


def typed(*arguments: str) -> str:
    found = CliRunner().invoke(cli.build(["predict"]), ["predict", *arguments])
    assert found.exit_code == 0, found.output
    return found.output


def test_the_command_prints_names_and_probabilities(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    for number in (0, 1):
        shutil.copy(run.files[number], folder / "below" / f"{number}.png")
    expected = answers(run.folder, run.files[:2])
    lines = typed(str(run.folder), str(folder)).splitlines()
    assert [line.split()[1] for line in lines] == expected
    assert all(line.endswith(" %") for line in lines)
    table = typed(str(run.folder), str(folder), "--format", "csv", "--top", "2").splitlines()
    assert table[0] == "file,rank,class,probability"
    assert [row.split(",")[2] for row in table[1::2]] == expected
    found = json.loads(typed(str(run.folder), str(run.files[0]), "--format", "json", "--top", "6"))
    assert found[0]["class"] == expected[0]
    assert sum(one["probability"] for one in found[0]["classes"]) == pytest.approx(1)


def test_a_broken_file_does_not_stop_the_others(run: Run, tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"no image")
    for number in (0, 2):
        shutil.copy(run.files[number], tmp_path / f"{number}.png")
    expected = answers(run.folder, [run.files[0], run.files[2]])
    for output, column in (("text", 1), ("csv", 2)):
        words = ["predict", str(run.folder), str(tmp_path), "--format", output]
        found = CliRunner().invoke(cli.build(["predict"]), words)
        assert found.exit_code == 2
        assert f"error: {tmp_path / '1.png'} cannot be read as an image" in found.stderr
        rows = [re.split(",| +", line) for line in found.stdout.splitlines() if "png" in line]
        assert [row[column] for row in rows] == expected


def test_errors_of_the_command_are_said_in_both_languages(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, said in (
        (["nowhere", "a.png"], "error: there is no run folder or file nowhere"),
        (["nowhere", "a.png", "--lang", "zh"], "错误：没有运行文件夹或文件 nowhere"),
        ([str(run.folder), "none.png", "--lang", "zh"], "错误：没有图像文件或文件夹 none.png"),
    ):
        monkeypatch.setattr(sys, "argv", ["didact", "predict", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 2
        assert said in capsys.readouterr().err
