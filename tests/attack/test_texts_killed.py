"""Runs on texts, killed at any moment and resumed: the same numbers and the same student."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.killing import Killer

from didact.train import TextSettings, distill_text, resume_text
from didact.train.record.files import read_tensors

THOROUGH = bool(os.environ.get("DIDACT_ATTACK"))


def begin(folder: str, parts: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    if (Path(folder) / "result.json").is_file():
        return  # the kill came after the end
    if (Path(folder) / "run.toml").is_file():
        resume_text(folder)
    else:
        distill_text(TextSettings.build(**parts), folder)


def kept(folder: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    arms = json.loads((folder / "result.json").read_text())["arms"]
    for numbers in arms.values():
        numbers.pop("train_seconds")
    return arms, read_tensors(folder / "student.safetensors")[0]


@pytest.mark.skipif(not THOROUGH, reason="100 kills take minutes: DIDACT_ATTACK=1")
def test_a_hundred_kills_change_no_bit(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "a.txt").write_text("a teacher says more than its answer\n\n" * 400)
    parts = {
        "data": f"text:{tmp_path / 'a.txt'}", "student": "gpt-32x1", "teacher": "gpt-32x1",
        "vocabulary": 270, "window": 16, "steps": 20, "teacher_steps": 20, "epochs": 2,
        "seeds": (0,), "k": 20, "checkpoint_seconds": 0, "accelerator": "cpu", "threads": 1,
    }  # fmt: skip
    killer = Killer(begin, "tests.attack.test_texts_killed")
    killer.to_the_end(tmp_path / "first", parts)  # starts the server
    takes = killer.to_the_end(tmp_path / "whole", parts)
    arms, student = kept(tmp_path / "whole")
    for folder in killer.killed(tmp_path, parts, kills=100, within=(0.0, takes)):
        found, other = kept(folder)
        assert found == arms
        assert all(torch.equal(value, other[name]) for name, value in student.items())
    print("100 kills: the same bits")
