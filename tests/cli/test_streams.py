"""No traceback: streams that are full, closed or gone, and names that are no text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.report.support import full_run

DIDACT = f'"{sys.executable}" -c "from didact.cli import main; main()"'


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, **environment},
        executable="/bin/bash",
    )


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


@needs_full
def test_a_full_disk_behind_stdout_is_one_message() -> None:
    done = shell(f"{DIDACT} list methods > /dev/full")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "error: cannot read or write what was to be printed: No space left on device"
    )


def test_a_reader_that_has_gone_is_no_error() -> None:
    done = shell(f"{DIDACT} list methods | true; {DIDACT} list losses | head -1")
    assert not done.stderr
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_error(closed: str) -> None:
    done = shell(f"{DIDACT} list methods {closed}")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
    ],
)
def test_too_little_memory_is_one_message(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import didact.cli

    def fail(arguments: list[str]) -> None:
        raise error

    monkeypatch.setattr(didact.cli, "_answer", fail)
    with pytest.raises(SystemExit) as stopped:
        didact.cli.main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: there is not enough memory for this\n"


@pytest.mark.parametrize(
    "options",
    [
        "--kd-weight nan", "--lr inf", "--lr nan", "--temperature nan", "--temperature 1:inf",
        "--loss kd=nan", "--loss kd=inf", "--seeds 100000000000",
        "--seeds 99999999999999999999999,",
        "--weight-decay nan", "--teacher-weight nan", "--clip-norm inf",
        "--loss-option dkd.beta=nan", "--threads 9999999999", "--workers 99999",
        "--accelerator tpu", "--accelerator quantum", "--augment spin",
        "--accelerator cpu --devices 99999999999", "--precision 16-mixed --accelerator cpu",
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_before_a_folder_is_made(
    options: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from didact.cli import main

    words = ["didact", "distill", *options.split(), "--output", str(tmp_path / "run")]
    if "beta" in options:
        words += ["--loss", "dkd"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert len(error) < 400
    assert not (tmp_path / "run").exists()


def pictures(root: Path, classes: tuple[bytes, ...]) -> None:
    """Class folders under names that are bytes."""
    generator = np.random.default_rng(0)
    for number, name in enumerate(classes):
        folder = os.path.join(os.fsencode(root), name)  # noqa: PTH118 - bytes
        os.makedirs(folder)  # noqa: PTH103
        for index in range(30):
            image = generator.integers(0, 90, (4, 4)).astype(np.uint8)
            image[:, number] += 100
            with open(os.path.join(folder, b"%d.png" % index), "wb") as file:  # noqa: PTH118, PTH123
                Image.fromarray(image).save(file, "PNG")


def test_class_names_in_another_encoding_are_read_and_written(tmp_path: Path) -> None:
    """Folders out of a zip of a Chinese Windows: their names are GBK."""
    root = tmp_path / "data"
    pictures(root, ("鸟".encode("gbk"), "狗".encode("gbk"), b"\xff\xff"))
    run = tmp_path / "run"
    done = shell(
        f"{DIDACT} distill --data folder:{root} --student mlp-8 --teacher mlp-8 --epochs 1 "
        f"--seeds 1 --no-onnx --accelerator cpu --threads 1 --output {run}"
    )
    assert done.returncode == 0, done.stderr
    names = json.loads((run / "result.json").read_text())["data"]["class_names"]
    assert {"鸟", "狗"} <= set(names)
    assert (run / "report.html").is_file()


def test_a_path_in_another_encoding_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + "/数据".encode("gbk"))
    pictures(Path(name), (b"a", b"b"))
    done = shell(
        f"{DIDACT} distill --data folder:{tmp_path}/$'\\xca\\xfd\\xbe\\xdd' --output {tmp_path}/run"
    )
    assert done.returncode == 2
    assert "not UTF-8" in done.stderr
    assert "数据" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_strangers_result_does_not_speak_to_the_terminal(tmp_path: Path) -> None:
    runs = [full_run(tmp_path / name) for name in ("a", "b")]
    for run in runs:
        path = run / "result.json"
        result = json.loads(path.read_text())
        result["data"]["name"] = "x\x1b]0;title\x07\x1b[2J\u202eevil\x9b31m"
        path.write_text(json.dumps(result))
    for kind in ("table", "markdown", "json"):
        done = shell(f"{DIDACT} compare {runs[0]} {runs[1]} --format {kind}")
        assert done.returncode == 0, done.stderr
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(done.stdout)
        assert "\\u001b" not in done.stdout
