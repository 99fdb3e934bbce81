"""Weights of any wrapper fit the model; what does not is refused with both sides named."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from didact._core.errors import CheckpointError, ModelError
from didact.nn import Weights, build_model, load_weights, read_weights


def small(classes: int = 5) -> nn.Module:
    return build_model("resnet8", image_shape=(3, 16, 16), num_classes=classes)


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


def compiled(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As of a model one block of which was compiled."""
    return {name.replace("layer1.", "layer1._orig_mod."): value for name, value in state.items()}


FORMS: dict[str, Any] = {
    "plain": lambda s: s,
    "data parallel": lambda s: prefixed(s, "module."),
    "compiled": lambda s: prefixed(s, "_orig_mod."),
    "compiled and parallel": lambda s: prefixed(s, "module._orig_mod."),
    "one block compiled": compiled,
    "state_dict with an epoch": lambda s: {"state_dict": s, "epoch": 3, "best": 0.5},
    "model with an optimiser": lambda s: {
        "model": s,
        "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]},
    },
    "ema alone": lambda s: {"ema": prefixed(s, "module."), "step": 7},
    "parallel in model": lambda s: {"model": prefixed(s, "module.")},
    "lightning": lambda s: {
        "state_dict": prefixed(s, "model.") | {"criterion.weight": torch.ones(5)},
        "pytorch-lightning_version": "2.5.0",
        "hyper_parameters": {"lr": 0.1},
    },
    "lightning, compiled, another name": lambda s: {
        "state_dict": prefixed(s, "student_network._orig_mod.")
    },
}


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt"])
@pytest.mark.parametrize("form", list(FORMS))
def test_weights_of_every_form_give_the_same_logits(form: str, suffix: str, tmp_path: Path) -> None:
    trained, fresh = small().eval(), small().eval()
    path = tmp_path / f"best{suffix}"
    torch.save(FORMS[form](trained.state_dict()), path)
    assert load_weights(fresh, read_weights(path), what=str(path)) == []
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(trained(images), fresh(images))


def test_a_safetensors_file_of_another_program(tmp_path: Path) -> None:
    trained, fresh = small().eval(), small().eval()
    path = tmp_path / "model.safetensors"
    save_file(prefixed(trained.state_dict(), "module."), path)
    load_weights(fresh, read_weights(path), what="it")
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(trained(images), fresh(images))


def test_trained_weights_go_before_their_average_unless_one_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "both.pth"
    torch.save({"model": {"a.w": torch.zeros(1)}, "ema": {"a.w": torch.ones(1)}}, path)
    weights = read_weights(path)
    assert (weights.place, weights.others, float(weights.tensors["a.w"])) == ("model", ("ema",), 0)
    assert float(read_weights(path, "ema").tensors["a.w"]) == 1
    with pytest.raises(CheckpointError, match="no weights under 'emma'; it has: model, ema"):
        read_weights(path, "emma")


def test_missing_and_unexpected_names_and_shapes_are_all_said() -> None:
    state = dict(small().state_dict())
    state["fc.weight"] = state.pop("classifier.weight")
    state["stem.0.weight"] = torch.zeros(7, 3, 3, 3)
    with pytest.raises(ModelError) as caught:
        load_weights(small(), Weights(state), what="best.pth")
    text = str(caught.value)
    assert "best.pth do not fit" in text
    assert re.search(r"missing 1 of \d+: classifier.weight;", text)
    assert re.search(r"unexpected 1 of \d+: fc.weight;", text)
    assert "stem.0.weight (7, 3, 3, 3) for (16, 3, 3, 3)" in text


def test_a_layer_that_is_not_in_the_file_does_not_stay_random_in_silence() -> None:
    state = dict(small().state_dict())
    del state["classifier.bias"]
    with pytest.raises(ModelError, match=r"missing 1 of \d+: classifier\.bias; unexpected none"):
        load_weights(small(), Weights(state), what="it")


def test_weights_of_another_model_are_refused_not_half_loaded() -> None:
    model = small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    other = build_model("mlp", image_shape=(3, 16, 16), num_classes=5)
    with pytest.raises(ModelError, match="missing"):
        load_weights(model, Weights(other.state_dict()), what="mlp.pth")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_new_classifier_is_kept_where_asked_for() -> None:
    pretrained, student = small(classes=100), small(classes=5)
    weights = Weights(pretrained.state_dict())
    with pytest.raises(ModelError, match=r"classifier.weight \(100, 64\) for \(5, 64\)"):
        load_weights(student, weights, what="it")
    head = student.get_submodule("classifier").weight
    before = head.clone()
    kept = load_weights(student, weights, what="it", new_classifier=True)
    assert kept == ["classifier.bias", "classifier.weight"]
    assert torch.equal(head, before)
    assert torch.equal(student.stem[0].weight, pretrained.stem[0].weight)


class Trojan:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("open('executed', 'w')",))


def test_nothing_of_a_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for content in ({"state_dict": small().state_dict(), "x": Trojan()}, Trojan()):
        torch.save(content, tmp_path / "evil.pth")
        with pytest.raises(CheckpointError, match="would run code"):
            read_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "executed").exists()


def test_a_whole_pickled_model_and_arguments_are_refused_with_what_to_do(tmp_path: Path) -> None:
    torch.save(small(), tmp_path / "whole.pth")
    with pytest.raises(CheckpointError, match=r"didact.*torch.save\(model.state_dict\(\)"):
        read_weights(tmp_path / "whole.pth")
    torch.save({"args": argparse.Namespace(lr=1), "model": {}}, tmp_path / "args.pth")
    with pytest.raises(CheckpointError, match=r"argparse\.Namespace"):
        read_weights(tmp_path / "args.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "holds a list; expected a state dict"),
        ({"epoch": 3}, "has epoch; expected weights"),
        ({}, "has nothing"),
        ({"encoder": {"a.w": torch.ones(1)}, "head": {"b.w": torch.ones(1)}}, "::encoder"),
    ],
)
def test_files_without_weights_say_what_they_hold(
    content: object, message: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match=message):
        read_weights(tmp_path / "odd.pth")


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    torch.save(small().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(CheckpointError, match="damaged"):
        read_weights(path)
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(CheckpointError, match=r"text\.pth"):
        read_weights(tmp_path / "text.pth")
    with pytest.raises(CheckpointError, match="there is no file"):
        read_weights(tmp_path / "none.pth")
