"""Runs on sentences, killed at any moment and resumed: the same numbers and the same student."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.killing import Killer

from didact.train import EncoderSettings, distill_encoder, resume_encoder
from didact.train.record.files import read_tensors

KILLS = 100 if os.environ.get("DIDACT_ATTACK") else 0


def begin(folder: str, parts: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    if (Path(folder) / "result.json").is_file():
        return  # the kill came after the end
    if (Path(folder) / "run.toml").is_file():
        resume_encoder(folder)
    else:
        distill_encoder(EncoderSettings.build(**parts), folder)


def kept(folder: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    arms = json.loads((folder / "result.json").read_text())["arms"]
    for numbers in arms.values():
        numbers.pop("train_seconds")
    return arms, read_tensors(folder / "student.safetensors")[0]


@pytest.mark.skipif(not KILLS, reason="100 kills take minutes: DIDACT_ATTACK=1")
def test_a_hundred_kills_change_no_bit(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    rows = [f"say {word} {n},{word[0]}" for n in range(40) for word in ("rain", "song", "tea")]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))
    parts = {
        "data": f"text:{tmp_path / 'a.csv'}", "student": "static-8", "teacher": "static-16",
        "vocabulary": 300, "window": 12, "labels_per_class": 3, "steps": 10, "teacher_steps": 10,
        "epochs": 2, "seeds": (0,), "checkpoint_seconds": 0, "accelerator": "cpu", "threads": 1,
        "onnx": False, "batch_size": 16,
    }  # fmt: skip
    killer = Killer(begin, "tests.attack.test_encoders_killed")
    killer.to_the_end(tmp_path / "first", parts)  # starts the server
    takes = killer.to_the_end(tmp_path / "whole", parts)
    arms, student = kept(tmp_path / "whole")
    for folder in killer.killed(tmp_path, parts, kills=KILLS, within=(0.0, takes)):
        found, other = kept(folder)
        assert found == arms
        assert all(torch.equal(value, other[name]) for name, value in student.items())
    print(f"{KILLS} kills: the same bits")
