"""Run folders made by hand, and records of every awkward value."""

from __future__ import annotations

import json
import random
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import tomli_w

from didact.runs.tables import Records, table


def distill_run(folder: Path, *, complete: bool = True, temperature: float = 4.0) -> Path:
    """A small run of ``didact distill`` with a loss that diverged."""
    folder.mkdir(parents=True)
    settings = {
        "data": "digits",
        "teacher": ["cnn"],
        "student": "mlp",
        "temperature": temperature,
        "onnx": True,
        "loss_options": {"kd.alpha": 0.5},
    }
    (folder / "run.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    rows: list[dict[str, Any]] = [
        {"seed": 0, "arm": "alone", "epoch": 1, "epochs": 2, "train_loss": 2.5, "seconds": 0.1},
        {"seed": 0, "arm": "alone", "epoch": 2, "epochs": 2, "train_loss": float("nan")},
        {"seed": 0, "arm": "alone", "epoch": 2, "epochs": 2, "train_loss": float("inf")},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(text + '{"seed": 0, "ar', encoding="utf-8")
    if complete:
        result = {
            "schema": 1,
            "kind": "distill",
            "didact": "0.1.0",
            "command": "didact distill --data 手写数字",
            "started": f"2026-11-0{1 + int(temperature)}T10:00:00.123456+08:00",
            "complete": True,
            "seeds": [0, 1],
            "arms": {
                "alone": {"test_accuracy": [0.8, 0.9], "nll": [0.1, 0.30000000000000004]},
                "distilled": {"test_accuracy": [0.85], "nll": [None]},
            },
        }
        (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def learn_run(folder: Path) -> Path:
    """A small run of ``didact learn``."""
    folder.mkdir(parents=True)
    settings = {"data": "digits", "method": ["lwf"], "model": "mlp"}
    (folder / "run.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    row = {
        "method": "lwf",
        "seed": 0,
        "task": 2,
        "stage": "train",
        "stage_number": 0,
        "epoch": 1,
        "train_loss": 0.5,
        "terms": {"distillation": 0.25},
    }
    (folder / "metrics.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    result = {
        "schema": 1,
        "kind": "learn",
        "started": "2026-11-29T19:44:35+00:00",
        "complete": True,
        "seeds": [0],
        "methods": {
            "lwf": {
                "numbers": {"last": [0.5], "forgetting": [0.25]},
                "matrices": [[[1.0, None], [0.5, 0.75]]],
                "seconds": [0.7],
                "others": {"nearest mean": {"numbers": {"last": [0.6]}, "matrices": []}},
            }
        },
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def any_double(draw: random.Random) -> float:
    """A double of any kind: of all bit patterns, or one of those that databases spoil."""
    odd = (0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 1e16)
    special = (float("nan"), float("inf"), float("-inf"))
    if draw.random() < 0.3:
        return draw.choice(odd + special)
    (found,) = struct.unpack("<d", draw.randbytes(8))
    return float("nan") if found != found else float(found)


LETTERS = "aA bBäÄß中文蒸馏 '\"\\%_;\n\t\0😀é"


def any_text(draw: random.Random, longest: int = 40) -> str:
    """A text with what SQL, CSV and collations trip over."""
    return "".join(draw.choice(LETTERS) for _ in range(draw.randrange(longest)))


def any_records(rows: int, seed: int) -> Records:
    """Records of so many rows, most of them epochs, of every awkward value."""
    draw = random.Random(seed)
    names = [f"run-{number}" for number in range(5)]
    start = datetime(1970, 1, 1, tzinfo=UTC)
    runs = [
        {
            "run": name,
            "folder": f"/{number}/{any_text(draw)}",
            "kind": draw.choice(["distill", "learn"]),
            "didact": "0.1.0",
            "command": any_text(draw, 2000),
            "started": start + timedelta(microseconds=draw.randrange(4 * 10**15)),
            "complete": draw.random() < 0.5,
            "data": any_text(draw),
            "student": "",
            "teacher": any_text(draw),
        }
        for number, name in enumerate(names)
    ]
    arms = ["a", "A", "a ", "ä", "蒸馏", "老师😀", ""]

    def key(number: int) -> dict[str, Any]:
        return {
            "run": draw.choice(names),
            "arm": draw.choice(arms),
            "seed": draw.choice([0, 1, -(2**63), 2**63 - 1]),
            "task": number,
        }

    numbers = range(rows)
    return Records(
        runs=table("runs", runs),
        settings=table(
            "settings",
            (
                {"run": n, "name": f"{any_text(draw)}{k}", "value": any_text(draw, 3000)}
                for n in names
                for k in range(20)
            ),
        ),
        results=table(
            "results", ({**key(k), "name": "nll", "value": any_double(draw)} for k in numbers)
        ),
        epochs=table(
            "epochs",
            (
                {**key(k), "stage": "train 0", "epoch": k, "name": "x", "value": any_double(draw)}
                for k in numbers
            ),
        ),
        predictions=table(
            "predictions",
            (
                {
                    **{name: value for name, value in key(k).items() if name != "task"},
                    "image": k,
                    "label": draw.randrange(1000),
                    "predicted": draw.randrange(1000),
                    "probability": any_double(draw),
                }
                for k in numbers
            ),
        ),
    )
