"""Single characters: ``python benchmarks/characters.py OUTPUT EASYPR.npz``.

A small network alone and taught by a larger one (``didact.train.distill``), trained on drawn
characters, on EasyPR's, or on both; always tested on EasyPR's test characters, all and Chinese.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from didact.train import distill
from didact_plates.characters import (
    CLASSES,
    at_most,
    both,
    character_data,
    drawn_characters,
    easypr_characters,
)
from didact_plates.grammar import PROVINCES


def main() -> int:
    """Train and print the accuracies."""
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=Path)
    parser.add_argument("easypr", type=Path)
    parser.add_argument("--train", choices=["drawn", "easypr", "both"], default="drawn")
    parser.add_argument("--each", type=int, default=150)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--temperature", type=float, default=2.0)
    parser.add_argument("--weight", type=float, default=0.5)
    parser.add_argument("--student", default="cnn-16")
    parser.add_argument("--teacher", default="cnn-24")
    parser.add_argument("--augment", default="none")
    given = parser.parse_args()
    real, test = easypr_characters(given.easypr)
    train = real
    if given.train != "easypr":
        drawn = drawn_characters(given.each, seed=1)
        train = drawn if given.train == "drawn" else both(drawn, at_most(real, 300))
    data = character_data(given.train, train, test, validation=0.1)
    result = distill(
        data=data,
        student=given.student,
        teacher=given.teacher,
        loss="kd",
        temperature=given.temperature,
        kd_weight=given.weight,
        epochs=given.epochs,
        batch_size=64,
        augment=given.augment,
        optimizer="adamw",
        learning_rate=0.003,
        seeds=tuple(range(given.seeds)),
        threads=1,
        onnx=False,
        output=given.output,
        overwrite=True,
    )
    chinese = np.isin(test[1], [CLASSES.index(c) for c in PROVINCES])
    for one in json.loads((given.output / "predictions.json").read_text("utf-8"))["arms"]:
        right = np.array(one["predicted"]) == test[1]
        print(one["arm"], one["seed"], f"{right.mean():.4f}", f"{right[chinese].mean():.4f}")
    print(json.dumps(result.summary["paired"], ensure_ascii=False)[:2000])
    return 0


if __name__ == "__main__":
    sys.exit(main())
