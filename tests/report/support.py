"""Synthetic run folders that look like those of ``didact distill``, for the report's tests."""

import base64
import json
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

ARMS = {"teacher": 0.978, "alone": 0.905, "distilled": 0.944}
COMMAND = "didact distill --data digits --labelled 0.1 --seeds {seeds}"


def png(image: np.ndarray) -> str:
    """A grey uint8 image as base64 PNG, written by hand: no imaging package is needed."""
    rows = b"".join(b"\0" + row.tobytes() for row in image)

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()


def reliability(rng: np.random.Generator, gap: float) -> dict[str, list[Any]]:
    edges = [i / 15 for i in range(16)]
    middle = [(a + b) / 2 for a, b in pairwise(edges)]
    count = [0, 0, 0, *(int(3 * 1.45**i) for i in range(12))]
    return {
        "edges": edges,
        "confidence": [m if n else None for m, n in zip(middle, count, strict=True)],
        "accuracy": [
            float(np.clip(m - gap + rng.normal(0, 0.03), 0, 1)) if n else None
            for m, n in zip(middle, count, strict=True)
        ],
        "count": count,
    }


def make_result(*, seeds: int = 5, gain: float | None = None, teachers: int = 1) -> dict[str, Any]:
    """The content of ``result.json``; ``gain`` replaces the distilled student's advantage."""
    rng = np.random.default_rng(0)
    means = dict(ARMS)
    if gain is not None:
        means["distilled"] = means["alone"] + gain
    shared = rng.normal(0, 0.006, seeds)
    arms: dict[str, dict[str, list[float]]] = {}
    for arm, mean in means.items():
        test_accuracy = np.round((mean + shared + rng.normal(0, 0.004, seeds)) * 360) / 360
        error = 1 - test_accuracy
        arms[arm] = {
            "test_accuracy": test_accuracy.tolist(),
            "nll": (3.4 * error + rng.normal(0, 0.004, seeds)).tolist(),
            "ece": (0.4 * error + rng.normal(0, 0.001, seeds)).tolist(),
            "brier": (1.5 * error).tolist(),
            "train_seconds": rng.normal(1.3, 0.1, seeds).tolist(),
        }
        if arm != "teacher":
            arms[arm]["agreement_top1"] = (1 - 0.9 * error).tolist()
            arms[arm]["agreement_kl"] = (2.5 * error).tolist()
    latency = {"median": 1.84, "q1": 1.71, "q3": 2.02, "batch_size": 64}
    model = {"name": "cnn-64", "parameters": 151_306, "bytes": 608_212, "latency_ms": latency}
    small = {"median": 0.212, "q1": 0.2, "q3": 0.23, "batch_size": 64}
    return {
        "schema": 1,
        "kind": "distill",
        "didact": "0.1.0",
        "command": COMMAND.format(seeds=seeds),
        "started": "2026-03-02T09:14:07+00:00",
        "seconds": 41.3,
        "complete": True,
        "data": {
            "name": "digits",
            "train": 1149,
            "labelled": 115,
            "label_noise": 0.0,
            "validation": 288,
            "test": 360,
            "num_classes": 10,
            "class_names": [str(i) for i in range(10)],
            "image_shape": [1, 8, 8],
        },
        "models": {
            "teacher": [{**model, "name": f"cnn-{64 * (i + 1)}"} for i in range(teachers)],
            "student": {"name": "mlp-16", "parameters": 1_210, "bytes": 5_204, "latency_ms": small},
        },
        "loss": {
            "names": ["kd"],
            "weights": [1.0],
            "options": {},
            "temperature": 4.0,
            "kd_weight": 0.9,
        },
        "seeds": list(range(seeds)),
        "epoch_chosen_by": "last",
        "arms": arms,
        "paired": None,
        "reliability": {
            arm: reliability(rng, gap)
            for arm, gap in (("teacher", 0.02), ("alone", 0.12), ("distilled", 0.05))
        },
        "onnx": {"checked": True, "images": 360, "max_abs_difference": 3.1e-6},
        "versions": {"python": "3.11.9", "torch": "2.13.0+cpu", "numpy": "2.4.6"},
        "hardware": {
            "cpu": "x86_64",
            "cores": 2,
            "threads": 1,
            "device": "cpu",
            "memory_gib": 7.8,
        },
    }


def make_rows(*, seeds: int = 5, epochs: int = 30) -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    rows = []
    for seed in range(seeds):
        for arm, final in ARMS.items():
            shift = rng.normal(0, 0.01)
            for epoch in range(1, epochs + 1):
                progress = 1 - float(np.exp(-epoch / 5))
                reached = 0.1 + (final - 0.1 + shift) * progress + rng.normal(0, 0.004)
                loss = 2.3 * (1 - progress) + 3 * (1 - final) + abs(rng.normal(0, 0.02))
                rows.append(
                    {
                        "seed": seed,
                        "arm": arm,
                        "epoch": epoch,
                        "epochs": epochs,
                        "train_loss": loss,
                        "train_accuracy": min(reached + 0.02, 1.0),
                        "validation_accuracy": reached,
                        "validation_nll": 3 * (1 - reached),
                        "learning_rate": 0.1,
                        "seconds": 0.04,
                    }
                )
    return rows


def make_disagreements(number: int = 11) -> list[dict[str, Any]]:
    rng = np.random.default_rng(2)
    distance = np.hypot(*np.mgrid[-3.5:4.5, -3.5:4.5])

    def ring(i: int) -> np.ndarray:
        return 255 * np.exp(-((distance - 2.5) ** 2) / (1 + i / 4))

    return [
        {
            "index": 7 * i,
            "label": i % 10,
            "teacher_class": i % 10 if i % 3 else (i + 4) % 10,
            "teacher_confidence": float(rng.uniform(0.6, 1)),
            "student_class": (i + 3) % 10 if i % 3 else i % 10,
            "student_confidence": float(rng.uniform(0.3, 0.9)),
            "png": png((ring(i) * rng.uniform(0.5, 1, (8, 8))).astype(np.uint8)),
        }
        for i in range(number)
    ]


CONFIGURATION = """\
[data]
name = "digits"
labelled = 0.1
label_noise = 0.0

[teacher]
model = "cnn"
epochs = 30

[student]
model = "mlp"

[objective]
loss = "kd"
temperature = 4.0
kd_weight = 0.9
"""


def write_run(
    folder: Path,
    result: dict[str, Any] | None = None,
    *,
    rows: list[dict[str, Any]] | None = None,
    disagreements: list[dict[str, Any]] | None = None,
    configuration: str = CONFIGURATION,
) -> Path:
    """A run folder with what is given; nothing else is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result))
    if rows is not None:
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if disagreements is not None:
        (folder / "disagreements.json").write_text(json.dumps(disagreements))
    if configuration:
        (folder / "run.toml").write_text(configuration)
    return folder


def full_run(folder: Path, *, seeds: int = 5) -> Path:
    """A finished run with everything in its place."""
    return write_run(
        folder,
        make_result(seeds=seeds),
        rows=make_rows(seeds=seeds),
        disagreements=make_disagreements(),
    )
