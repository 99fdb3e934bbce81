"""Hostile files: refused in one sentence, or read as what they are; nothing else happens."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.distilling.support import QUICK, plain_model, small_data
from tests.train.learning.support import SETTINGS, plain_network
from tests.train.learning.support import small_data as columns

from didact._core.digest import checked_lines
from didact._core.errors import DidactError
from didact.data import load
from didact.nn import build_model
from didact.report import render
from didact.train import distill, learn, partial_summary, verify_run
from didact.train.loop.models import find_model
from didact.train.record.files import read_tensors, write_tensors

THOROUGH = bool(os.environ.get("DIDACT_ATTACK"))
FILES, FLIPS = (200, 1000) if THOROUGH else (40, 40)
STRANGE: tuple[Any, ...] = (
    None, True, -1, 0, 2**70, 1e308, float("nan"), "", "\x1b[2J", "os:abort", "../../x", "a" * 999,
    [], {}, [[]], {"": {}}, ["\u202e"], [1, "2"], {"a": [None]},
)  # fmt: skip


@contextmanager
def one_sentence() -> Iterator[None]:
    """What is refused is refused by an error of didact's, which is not long."""
    try:
        yield
    except DidactError as error:
        if len(str(error)) > 3000:
            raise AssertionError("a long message") from error


def changed(value: Any, moment: random.Random) -> Any:
    """The JSON with one part that is gone, or is something else."""
    if isinstance(value, dict) and value and moment.random() < 0.8:
        name = moment.choice(list(value))
        if moment.random() < 0.2:
            return {key: entry for key, entry in value.items() if key != name}
        return {**value, name: changed(value[name], moment)}
    if isinstance(value, list) and value and moment.random() < 0.8:
        place = moment.randrange(len(value))
        return [*value[:place], changed(value[place], moment), *value[place + 1 :]]
    return moment.choice(STRANGE)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("runs")
    models = {"student": plain_model, "teacher": plain_model}
    distill(**models, data=small_data(), output=place / "distill", **QUICK)
    learn(
        data=columns(), model=plain_network, method="replay", output=place / "learn",
        **{**SETTINGS, "epochs": 1},
    )  # fmt: skip
    return {"distill": place / "distill", "learn": place / "learn"}


@pytest.mark.parametrize("number", range(FILES))
def test_a_hostile_model(number: int, tmp_path: Path) -> None:
    """Its header is JSON in which a part is gone or strange, or it is no header at all."""
    moment = random.Random(number)
    model = build_model("mlp-8", image_shape=(1, 4, 4), num_classes=3)
    about: dict[str, Any] = {
        "model": "mlp-8", "num_classes": 3, "image_shape": [1, 4, 4], "mean": [0.3], "std": [0.2],
        "class_names": ["a", "b", "c"],
    }  # fmt: skip
    path = tmp_path / "m.safetensors"
    write_tensors(path, model.state_dict(), changed(about, moment) if number % 2 else about)
    if number % 2 == 0:
        content = path.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        header = changed(json.loads(content[8 : 8 + length]), moment)
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    with one_sentence():
        source, data = find_model(path, role="teacher"), small_data()
        found = source.build(data, source.shape_for(data))
        assert isinstance(found, torch.nn.Module)


@pytest.mark.parametrize("kind", ["distill", "learn"])
@pytest.mark.parametrize("number", range(FILES // 2))
def test_a_hostile_record(number: int, kind: str, runs: dict[str, Path], tmp_path: Path) -> None:
    """JSON without digest, as a stranger would write it: a page, or one sentence."""
    moment, folder = random.Random(number), tmp_path / "run"
    shutil.copytree(runs[kind], folder)
    files = [folder / "result.json"]
    if kind == "learn" and number % 2:
        (folder / "result.json").unlink()
        files = [folder / "cells" / "replay.0" / name for name in ("cell.json", "stream.json")]
    path = moment.choice(files)
    value = json.loads(path.read_text())
    value.pop("digest", None)
    path.write_text(json.dumps(changed(value, moment)))
    with one_sentence():
        render(folder)
        if kind == "learn" and number % 2:
            partial_summary(folder)


def test_flips_over_all_files(runs: dict[str, Path], tmp_path: Path) -> None:
    """Refused when it is verified, or read as it was written."""
    moment, refused = random.Random(7), 0
    for number in range(FLIPS):
        kind = ("distill", "learn")[number % 2]
        folder = tmp_path / "run"
        shutil.copytree(runs[kind], folder)
        path = moment.choice(
            [
                path
                for path in sorted(folder.rglob("*"))
                if path.suffix in (".safetensors", ".done", ".jsonl")
            ]
        )
        before = readable(path)
        content = bytearray(path.read_bytes())
        content[moment.randrange(len(content))] ^= 1 << moment.randrange(8)
        path.write_bytes(content)
        if any(entry.problem for entry in verify_run(folder)):
            refused += 1
        else:
            assert readable(path) == before, path
        shutil.rmtree(folder)
    assert refused > 0.9 * FLIPS


def readable(path: Path) -> object:
    if path.suffix == ".jsonl":
        return checked_lines(path)
    tensors, about = read_tensors(path)
    return about, {name: value.tolist() for name, value in tensors.items()}


@pytest.mark.parametrize("number", range(FILES))
def test_a_hostile_archive(number: int, tmp_path: Path) -> None:
    import numpy as np

    moment, buffer = random.Random(number), io.BytesIO()
    labels = np.arange(30) % 3
    np.savez(buffer, x=np.zeros((30, 4, 4), np.uint8), y=labels, is_test=labels == 0)
    content = bytearray(buffer.getvalue())
    for _ in range(moment.choice((1, 3, 30))):
        content[moment.randrange(len(content))] = moment.randrange(256)
    (tmp_path / "a.npz").write_bytes(content[: moment.choice((len(content), len(content) // 2))])
    with one_sentence():
        load(f"npz:{tmp_path / 'a.npz'}")
