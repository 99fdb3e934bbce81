"""``didact distill`` as a user types it: what works, and every way to get it wrong."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from didact.cli import main

QUICK = [
    "--student", "mlp-8", "--teacher", "mlp-16", "--epochs", "2", "--seeds", "2", "--no-onnx",
    "--accelerator", "cpu", "--threads", "1",
]  # fmt: skip


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    """A small data set as an npz file."""
    generator = np.random.default_rng(0)
    labels = np.arange(90) % 3
    images = generator.integers(0, 90, (90, 4, 4)).astype(np.uint8)
    images[np.arange(90), :, labels] += 100
    path = tmp_path / "blobs.npz"
    np.savez(path, x=images, y=labels, is_test=np.arange(90) >= 60)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["didact", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_from_options_to_report(
    blobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert run(monkeypatch, "distill", "--data", f"npz:{blobs}", *QUICK, "--output", folder) == 0
    out, err = capfd.readouterr()
    assert "distilled" in out
    assert "distilled epoch 2/2" in err
    assert f"npz:{blobs}" in err
    page = (folder / "report.html").read_text()
    assert "didact distill --data" in page
    again = tmp_path / "again"
    assert run(monkeypatch, "distill", "--config", folder / "run.toml", "--output", again) == 0
    first, second = (json.loads((f / "result.json").read_text()) for f in (folder, again))
    assert (
        first["arms"]["distilled"]["test_accuracy"] == second["arms"]["distilled"]["test_accuracy"]
    )
    capfd.readouterr()
    assert run(monkeypatch, "report", folder) == 0
    assert run(monkeypatch, "compare", folder, again) == 0
    assert "paired t-test" in capfd.readouterr().out


def damaged_gz(folder: Path) -> list[object]:
    for part in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            content = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 99]) + bytes(50))
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(content[:-20])
    return ["--data", "mnist", "--data-dir", folder]


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {os.environ['DIDACT_BOMB']}",)


def pickle_bomb(folder: Path) -> list[object]:
    os.environ["DIDACT_BOMB"] = str(folder / "exploded")
    content = pickle.dumps({b"data": Bomb(), b"labels": [0]})
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name in [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta"]:
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return ["--data", "cifar10", "--data-dir", folder]


def labels_outside(folder: Path) -> list[object]:
    path = folder / "outside.npz"
    labels = np.array([0, 1, 2, 7] * 10)
    np.savez(path, x=np.zeros((40, 4, 4), np.uint8), y=labels, classes=np.array(["a", "b", "c"]))
    return ["--data", f"npz:{path}"]


def corrupt_npz(folder: Path) -> list[object]:
    path = folder / "corrupt.npz"
    path.write_bytes(b"PK\x03\x04 this is not a zip file")
    return ["--data", f"npz:{path}"]


def empty_folder(folder: Path) -> list[object]:
    (folder / "empty").mkdir()
    return ["--data", f"folder:{folder / 'empty'}"]


def image_of_another_size(folder: Path) -> list[object]:
    for kind in ("cat", "dog"):
        (folder / "pets" / kind).mkdir(parents=True)
        for number in range(20):
            Image.new("L", (8, 8)).save(folder / "pets" / kind / f"{number}.png")
    Image.new("L", (9, 8)).save(folder / "pets" / "dog" / "odd.png")
    return ["--data", f"folder:{folder / 'pets'}"]


def corrupt_teacher(folder: Path) -> list[object]:
    path = folder / "teacher.safetensors"
    path.write_bytes(b'\x10\x00\x00\x00\x00\x00\x00\x00{"a":')
    return ["--data", "digits", "--teacher", f"mlp-16={path}"]


def factory_that_fails(folder: Path) -> list[object]:
    (folder / "mine.py").write_text("def factory():\n    raise RuntimeError('no such drive')\n")
    return ["--data", f"{folder / 'mine.py'}:factory"]


WRONG = {
    "data with a slip": (lambda _: ["--data", "digts"], "did you mean 'digits'"),
    "loss with a slip": (lambda _: ["--loss", "dkdd"], "did you mean"),
    "model with a slip": (lambda _: ["--student", "resnett20"], "did you mean"),
    "lambda above 1": (lambda _: ["--kd-weight", "1.2"], "0 to 1"),
    "temperature 0": (lambda _: ["--temperature", "0"], "above 0"),
    "temperature word": (lambda _: ["--temperature", "hot"], "expected a number"),
    "labelled 0": (lambda _: ["--labelled", "0"], "labelled"),
    "seeds word": (lambda _: ["--seeds", "many"], "seeds"),
    "arms word": (lambda _: ["--arms", "student"], "arms"),
    "loss option": (lambda _: ["--loss-option", "temperature"], "LOSS.OPTION=VALUE"),
    "missing file": (lambda d: ["--data", f"npz:{d}/none.npz"], "none.npz"),
    "missing teacher": (lambda d: ["--teacher", f"{d}/none.safetensors"], "no file"),
    "missing run": (lambda d: ["--teacher", f"{d}/runs/none"], "no run folder"),
    "missing config": (lambda d: ["--config", f"{d}/none.toml"], "cannot read"),
    "resume nothing": (lambda d: ["--resume", f"{d}"], "not a run folder"),
    "truncated gz": (damaged_gz, "gz"),
    "pickle bomb": (pickle_bomb, "Nothing in it was run"),
    "labels outside": (labels_outside, "label"),
    "corrupt npz": (corrupt_npz, "corrupt.npz"),
    "empty folder": (empty_folder, "empty"),
    "other size": (image_of_another_size, "odd.png"),
    "corrupt teacher": (corrupt_teacher, "damaged"),
    "failing factory": (factory_that_fails, "no such drive"),
    "too many devices": (lambda _: ["--devices", "3"], "multiple"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_message_and_exit_code_2(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    make, word = WRONG[case]
    monkeypatch.chdir(tmp_path)
    arguments = make(tmp_path)
    for name in ("--student", "--teacher"):
        if name not in arguments and "--config" not in arguments and "--resume" not in arguments:
            arguments += [name, "mlp-8"]
    assert run(monkeypatch, "distill", *arguments) == 2
    out, err = capfd.readouterr()
    lines = [line for line in (out + err).splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert word in out + err
    assert "Traceback" not in out + err
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "exploded").exists()


def test_without_network_a_known_set_says_what_to_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import pooch

    def offline(*_: object, **__: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(pooch, "retrieve", offline)
    assert run(monkeypatch, "distill", "--data", "cifar100", "--data-dir", tmp_path) == 2
    message = capfd.readouterr().err
    assert "cifar-100-python.tar.gz" in message
    assert str(tmp_path) in message


def test_a_run_folder_is_never_replaced_unasked(
    blobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    arguments = ["distill", "--data", f"npz:{blobs}", *QUICK, "--seeds", "1", "--output", folder]
    assert run(monkeypatch, *arguments) == 0
    before = (folder / "result.json").read_bytes()
    capfd.readouterr()
    assert run(monkeypatch, *arguments) == 2
    assert "--overwrite" in capfd.readouterr().err
    assert (folder / "result.json").read_bytes() == before
    assert run(monkeypatch, *arguments, "--overwrite") == 0


def test_resume_takes_no_other_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "distill", "--resume", tmp_path, "--epochs", 3) == 2
    assert "leave out --epochs" in capfd.readouterr().err


@pytest.mark.slow
def test_ctrl_c_ends_cleanly_and_the_printed_command_goes_on(blobs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "didact", "distill", "--data", f"npz:{blobs}", *QUICK]
    command += ["--epochs", "3000", "--output", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    for _ in range(600):
        metrics = folder / "metrics.jsonl"
        if metrics.exists() and metrics.read_text().count("\n") > 3:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert f"didact distill --resume {folder}" in err
    assert "Traceback" not in err
    assert list((folder / "checkpoint").glob("*.part"))
    shutil.rmtree(folder)


def test_listing(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    for kind, word in (("data", "digits"), ("models", "resnet20"), ("losses", "Hinton")):
        assert run(monkeypatch, "list", kind) == 0
        assert word in capfd.readouterr().out
    assert run(monkeypatch, "list", "lossess") == 2
    assert "did you mean 'losses'" in capfd.readouterr().err


def test_help_is_quick_to_import() -> None:
    """``didact --help`` and every command's help must not import torch."""
    code = (
        "import sys; from didact.cli import build; build([]); "
        "heavy = {'torch', 'numpy', 'pydantic', 'matplotlib', 'scipy'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_grid_from_the_command_is_compared_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--student", "mlp-8", "--seeds", "2", "--epochs", "1", "--batch-size", "512",
              "--no-onnx", "--arms", "alone", "--output", str(tmp_path / "grid")]  # fmt: skip

    def shown(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["didact", "distill", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code, capsys.readouterr().err
        return capsys.readouterr().out

    text = shown("--grid", "learning-rate=0.05,0.1", *common)
    assert "learning_rate=0.1" in text
    assert "Best on the validation split" in text
    (tmp_path / "grid" / "learning_rate=0.1" / "result.json").unlink()
    again = shown("--resume", str(tmp_path / "grid"))
    assert [line.split()[:2] for line in again.splitlines()] == [
        line.split()[:2] for line in text.splitlines()
    ]


def test_an_axis_of_a_grid_that_is_given_twice_is_refused(tmp_path, monkeypatch, capsys):
    words = [
        "--grid",
        "temperature=1,2",
        "--grid",
        "temperature=3",
        "--output",
        str(tmp_path / "g"),
    ]
    monkeypatch.setattr(sys, "argv", ["didact", "distill", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "--grid has temperature twice" in capsys.readouterr().err
    assert not (tmp_path / "g").exists()


def test_images_larger_than_can_be_counted_are_one_sentence(tmp_path, monkeypatch, capsys):
    words = ["--resize", "99999999", "--seeds", "1", "--output", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", ["didact", "distill", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "there is not enough memory for this" in capsys.readouterr().err
