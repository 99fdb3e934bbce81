"""TorchScript, ONNX and plain functions give the logits of the model that they came from."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from didact._core.errors import CheckpointError, ModelError
from didact.nn import FunctionModel, OnnxModel, Teacher, is_torchscript, load_torchscript


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 5))


IMAGES = torch.randn(7, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "teacher.pt"
    traced = torch.jit.trace(network().eval(), IMAGES)  # type: ignore[no-untyped-call]
    traced.save(str(path))
    return path


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_torchscript_is_told_from_weights_and_frozen(script: Path, tmp_path: Path) -> None:
    assert is_torchscript(script)
    torch.save(network().state_dict(), tmp_path / "weights.pt")
    assert not is_torchscript(tmp_path / "weights.pt")
    teacher = Teacher(load_torchscript(script))
    expected = network().eval()(IMAGES)
    torch.testing.assert_close(teacher(IMAGES), expected)
    teacher.train()
    torch.testing.assert_close(teacher(IMAGES), expected)
    assert list(teacher.parameters()) == []


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_frozen_program_is_a_teacher_too(script: Path, tmp_path: Path) -> None:
    frozen = torch.jit.freeze(torch.jit.load(str(script)).eval())  # type: ignore[no-untyped-call]
    torch.jit.save(frozen, str(tmp_path / "frozen.pt"))  # type: ignore[no-untyped-call]
    teacher = Teacher(load_torchscript(tmp_path / "frozen.pt"))
    torch.testing.assert_close(teacher(IMAGES), network().eval()(IMAGES))


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_damaged_torchscript_is_refused(script: Path) -> None:
    script.write_bytes(script.read_bytes()[:300])
    with pytest.raises(CheckpointError, match="cannot be loaded as TorchScript"):
        load_torchscript(script)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamic", [True, False])
def test_onnx_gives_the_logits_for_any_number_of_images(dynamic: bool, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = tmp_path / "teacher.onnx"
    axes = {"images": {0: "batch"}} if dynamic else None
    torch.onnx.export(
        network().eval(), (IMAGES[:3],), str(path), input_names=["images"],
        dynamic_axes=axes, dynamo=False,
    )  # fmt: skip
    expected = network().eval()(IMAGES)
    for model in (OnnxModel(path), copy.deepcopy(OnnxModel(path))):
        torch.testing.assert_close(model(IMAGES), expected, atol=1e-5, rtol=1e-4)
    sent = pickle.loads(pickle.dumps(Teacher(OnnxModel(path))))
    torch.testing.assert_close(sent(IMAGES), expected, atol=1e-5, rtol=1e-4)
    with pytest.raises(ModelError, match=r"does not take images of shape \(3, 5, 5\)"):
        OnnxModel(path)(torch.zeros(3, 3, 5, 5))


def test_a_file_that_is_no_onnx_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "teacher.onnx").write_bytes(b"no network")
    with pytest.raises(CheckpointError, match="cannot be run by onnxruntime"):
        OnnxModel(tmp_path / "teacher.onnx")
    with pytest.raises(CheckpointError, match="there is no file"):
        OnnxModel(tmp_path / "none.onnx")


def test_a_function_is_a_teacher_without_gradient() -> None:
    weight = torch.ones(5, 192, requires_grad=True)

    def logits(images: Tensor) -> Tensor:
        return images.flatten(1) @ weight.T

    teacher = Teacher(FunctionModel(logits))
    assert not teacher(IMAGES).requires_grad
    torch.testing.assert_close(teacher(IMAGES), logits(IMAGES).detach())
