"""A run's folder or a model's file executes nothing that the user did not name."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tests.train.distilling.support import QUICK, small_data

from didact._core.errors import CheckpointError, DidactError, ModelError, TrustError
from didact.nn import build_model
from didact.train import distill, learn, load_learner, resume, resume_learning
from didact.train.loop.models import find_model
from didact.train.record.files import write_tensors
from didact.train.record.trust import ask_for_trust, sign

CODE = """
from pathlib import Path
Path({mark!r}).touch()
from tests.train.distilling.support import plain_model, small_data
def data(**_):
    return small_data()
def model(num_classes):
    return plain_model()
"""


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that is there when the code of :func:`code` has run."""
    return tmp_path / "executed"


@pytest.fixture
def code(tmp_path: Path, mark: Path) -> Path:
    file = tmp_path / "evil.py"
    file.write_text(CODE.format(mark=str(mark)))
    return file


def model_file(path: Path, **about: Any) -> Path:
    model = build_model("mlp-8", image_shape=(1, 4, 4), num_classes=3)
    write_tensors(path, model.state_dict(), {"model": "mlp-8", "num_classes": 3, **about})
    return path


def built(wanted: str) -> torch.nn.Module:
    data = small_data()
    source = find_model(wanted, role="teacher")
    return source.build(data, source.shape_for(data))


@pytest.mark.parametrize(
    "name",
    ["os:abort", "{code}:model", "evil:model", "timm:hf-hub:some/one", "timm:../x", "x:y:z", ":a"],
)
def test_a_name_in_a_file_is_of_the_zoo_or_of_a_library(
    tmp_path: Path, code: Path, mark: Path, name: str
) -> None:
    file = model_file(tmp_path / "m.safetensors", model=name.format(code=code))
    with pytest.raises(ModelError, match=r"imported only when you name it.*--teacher"):
        find_model(file, role="teacher")
    assert not mark.exists()


def test_code_that_the_user_names_is_imported(tmp_path: Path, code: Path, mark: Path) -> None:
    file = tmp_path / "m.safetensors"
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(16, 12), torch.nn.Tanh(), torch.nn.Linear(12, 3)
    )
    write_tensors(file, model.state_dict(), {"model": "os:abort", "num_classes": 3})
    found = built(f"{code}:model={file}")
    assert mark.exists()
    assert all(map(torch.equal, found.state_dict().values(), model.state_dict().values()))


@pytest.mark.parametrize(
    ("about", "key"),
    [
        ({"model": 3}, "model"),
        ({"model": ["mlp"]}, "model"),
        ({"num_classes": "3"}, "num_classes"),
        ({"num_classes": -3}, "num_classes"),
        ({"image_shape": [1, 4]}, "image_shape"),
        ({"image_shape": {"a": 1}}, "image_shape"),
        ({"mean": [float("nan")]}, "mean"),
        ({"mean": "0.5"}, "mean"),
        ({"image_shape": [1, 4, 4], "mean": [0.1, 0.2], "std": [1.0, 1.0]}, "each channel"),
        ({"std": [0.0]}, "std"),
    ],
)
def test_a_header_of_other_types_is_refused(
    tmp_path: Path, about: dict[str, Any], key: str
) -> None:
    file = model_file(tmp_path / "m.safetensors", **about)
    with pytest.raises(CheckpointError, match=rf"damaged.*header.*{key}"):
        find_model(file, role="teacher")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "nonsense", "[]", "3"])
def test_a_header_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "m.safetensors"
    save_file({"a": torch.zeros(1)}, file, metadata={"didact": text})
    with pytest.raises(CheckpointError, match="header"):
        find_model(file, role="teacher")


def test_a_file_larger_than_its_model_is_not_read(tmp_path: Path) -> None:
    """A sparse file of 4 GiB that costs its sender nothing."""
    file, size = tmp_path / "m.safetensors", 4 * 2**30
    header = {
        "__metadata__": {"didact": json.dumps({"model": "mlp-8", "num_classes": 3})},
        "a": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]},
    }
    text = json.dumps(header).encode()
    with file.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        out.truncate(8 + len(text) + size)
    with pytest.raises(ModelError, match="do not fit"):
        built(str(file))


@pytest.mark.parametrize(
    "name", ["wrn-28-65536", "wrn-28-300", "resnet60002", "resnet8x65536", "mlp-65536-65536"]
)
def test_a_name_in_a_file_takes_no_more_than_the_file_is_worth(tmp_path: Path, name: str) -> None:
    """Tens of GB, or a minute of building layers, for a file of a kilobyte."""
    with pytest.raises(ModelError, match=r"more than twice as large as they are \(4 tensors\)"):
        built(str(model_file(tmp_path / "m.safetensors", model=name)))


@pytest.mark.parametrize("kind", [torch.int8, torch.int64, torch.bool, torch.complex64])
def test_weights_that_are_no_real_numbers_are_refused(tmp_path: Path, kind: torch.dtype) -> None:
    """Quantised weights taken for numbers give another model, without a word."""
    file = tmp_path / "m.safetensors"
    state = build_model("mlp-8", image_shape=(1, 4, 4), num_classes=3).state_dict()
    write_tensors(file, {name: value.to(kind) for name, value in state.items()}, {})
    with pytest.raises(ModelError, match=r"numbers of type torch\..*expected floating point"):
        built(f"mlp-8={file}")


def stopped(folder: Path) -> None:
    """As if the run had been killed before its end."""
    (folder / "result.json").unlink()


def test_resuming_somebody_elses_run_asks_for_trust(
    tmp_path: Path, code: Path, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"student": f"{code}:model", "teacher": "mlp-8", "data": f"{code}:data"}
    distill(**names, output=tmp_path / "run", **QUICK)
    stopped(tmp_path / "run")
    assert resume(tmp_path / "run").summary["complete"]  # by the one who started it
    stopped(tmp_path / "run")
    mark.unlink()
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path / "stranger"))
    for name in [name for name in sys.modules if "_didact_user_evil" in name]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(TrustError, match=rf"import and run .*{code}:model.*--trust"):
        resume(tmp_path / "run")
    assert not mark.exists()
    assert resume(tmp_path / "run", trust=True).summary["complete"]
    assert mark.exists()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (key, text)
        for key in ("student", "teacher", "loss", "log", "data", "model", "method")
        for text in (
            "my.py:A", "x=y.py:A", "my.py:A=1", "x=y.py:A=1", "x=y.py:A=f.safetensors",
            "my.py:A=f.safetensors::ema", "=my.py:A", "my.py:A=", "a.pth=my.py:A", "u:my.py:A",
            "json:A", "json:A=1", "x=json:A=1", "timm.x:A", "folder.x:A", "npz:my.py:A",
            "./my.py:A",
        )
    ],
)  # fmt: skip
def test_what_is_imported_was_asked_for(
    key: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads a setting finds the names in it that are asked about, and no other."""
    from didact._core import lookup
    from didact.train.distilling.settings import DistillSettings
    from didact.train.learning.settings import LearnSettings

    class ImportedError(Exception):
        pass

    def record(place: object, spec: str) -> None:
        raise ImportedError(spec)

    monkeypatch.chdir(tmp_path)
    for name in ("_load_file", "_load_module"):
        monkeypatch.setattr(lookup, name, record)
    model_file(tmp_path / "f.safetensors")
    several = key in ("loss", "log", "method")
    wanted: dict[str, Any] = {key: [text] if several else text}
    parts: dict[str, Any] = {"data": small_data(), "output": tmp_path / "run"}
    if key in ("model", "method"):
        settings: Any = LearnSettings.model_construct(**{**wanted, "data": "digits"})
        act: Any = learn
    else:
        settings = DistillSettings.model_construct(
            **{key: (text,) if key == "teacher" else wanted[key]}
        )
        act, parts = distill, {"student": "mlp-8", "teacher": "mlp-8", **parts, **QUICK}
    with pytest.raises((ImportedError, DidactError)) as stopped:
        act(**{**parts, **wanted})
    if stopped.type is ImportedError:
        assert str(stopped.value) in settings.code()


def test_a_config_names_what_the_user_has_not_typed(
    tmp_path: Path, code: Path, mark: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Nor is a name typed because it is a part of what was: evil.py of my-evil.py."""
    from didact.cli import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-evil.py").write_text("model = 1")
    (tmp_path / "run.toml").write_text('teacher = ["evil.py:model"]\n')
    words = ["didact", "distill", "--config", "run.toml", "--output", "run"]
    monkeypatch.setattr(sys, "argv", [*words, "--student", "my-evil.py:model"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "import and run evil.py:model, and was not made by you" in capsys.readouterr().err
    assert not mark.exists()
    monkeypatch.setattr(sys, "argv", [*words, "--teacher", "evil.py:none"])
    with pytest.raises(SystemExit):
        main()
    assert "has no 'none'" in capsys.readouterr().err


def test_learners_of_somebody_else_ask_for_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.train.learning.support import SETTINGS, names

    parts = names(tmp_path, plain=True)
    learn(**parts, method="finetune", output=tmp_path / "run", **{**SETTINGS, "epochs": 1})
    load_learner(tmp_path / "run", "finetune")
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path / "stranger"))
    with pytest.raises(TrustError, match=r"parts\.py:plain"):
        load_learner(tmp_path / "run", "finetune")
    load_learner(tmp_path / "run", "finetune", model=parts["model"])  # typed by the one who asks
    load_learner(tmp_path / "run", "finetune", trust=True)
    stopped(tmp_path / "run")
    (tmp_path / "run" / ".trust").unlink()
    with pytest.raises(TrustError, match=r"parts\.py:data"):
        resume_learning(tmp_path / "run")


def test_a_signature_is_of_these_names_and_this_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(tmp_path, ["a.py:B", "c:D"])
    assert ask_for_trust(tmp_path, ["c:D", "a.py:B"], trust=False) == "importing c:D, a.py:B"
    assert ask_for_trust(tmp_path, ["a.py:B"], trust=False)
    for other in (["a.py:C"], ["a.py:B", "c:E"], ["a.py:B", "c:D", "e:F"]):
        with pytest.raises(TrustError):
            ask_for_trust(tmp_path, other, trust=False)
    assert ask_for_trust(tmp_path, [], trust=False) == ""
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copy(tmp_path / ".trust", moved)
    monkeypatch.chdir(moved)  # a.py is another file here
    with pytest.raises(TrustError):
        ask_for_trust(moved, ["a.py:B", "c:D"], trust=False)


@pytest.mark.parametrize("file", ["mine.py", "mine/__init__.py", "mine/part.py"])
def test_a_module_of_the_same_name_in_another_folder_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    for name in ("mine", "theirs"):
        (tmp_path / name / file).parent.mkdir(parents=True)
        (tmp_path / name / file).touch()
    monkeypatch.chdir(tmp_path / "mine")
    sign(tmp_path, ["mine.part:B"])
    assert ask_for_trust(tmp_path, ["mine.part:B"], trust=False)
    monkeypatch.chdir(tmp_path / "theirs")
    with pytest.raises(TrustError):
        ask_for_trust(tmp_path, ["mine.part:B"], trust=False)


def test_without_a_home_nothing_is_signed_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path / "file"))
    sign(tmp_path, ["a:B"])
    with pytest.raises(TrustError):
        ask_for_trust(tmp_path, ["a:B"], trust=False)
    assert ask_for_trust(tmp_path, ["a:B"], trust=True)


@pytest.mark.parametrize("ending", [".pt", ".onnx"])
def test_a_program_that_a_config_of_others_names_is_not_run(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TorchScript and ONNX are programs, and nobody here typed this one's name."""
    from didact.train.distilling.settings import DistillSettings

    file = tmp_path / f"program{ending}"
    with zipfile.ZipFile(file, "w") as archive:  # what tells a program of torch.jit.save
        archive.writestr("program/code/__torch__.py", "")
    settings = DistillSettings.build(teacher=[str(file)])
    assert settings.code() == [str(file)]
    with pytest.raises(TrustError, match=rf"import and run .*program{ending}.*--trust"):
        ask_for_trust(tmp_path, settings.code(), trust=False)
    sign(tmp_path, settings.code())
    monkeypatch.chdir(tmp_path)
    assert "importing" in ask_for_trust(tmp_path, [file.name], trust=False)


@pytest.mark.parametrize("kind", ["empty", "pipe", "relative"])
def test_a_key_that_cannot_be_used_is_made_anew(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one's own run is somebody else's; and no key is left in the folder one works in."""
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", os.fspath(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", "here" if kind == "relative" else str(home / ".config"))
    key = home / ".config" / "didact" / "key"
    key.parent.mkdir(parents=True)
    if kind == "empty":
        key.touch()
    elif kind == "pipe":
        os.mkfifo(key)
    sign(work, ["a.py:b"])
    assert "importing a.py:b" in ask_for_trust(work, ["a.py:b"], trust=False)
    assert key.is_file()
    assert [path.name for path in work.iterdir()] == [".trust"]
